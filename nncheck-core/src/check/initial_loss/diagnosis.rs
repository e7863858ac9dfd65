//! Why a loss does not begin where one that knows nothing should.

use super::{WIDTH, default_band, knows_nothing, wrong_width};
use crate::check::evidence::{initial, typical};
use crate::check::{Cause, Context};
use crate::judge::number::count;
use crate::judge::number::{number, times};
use crate::judge::{Band, Judged};
use crate::measurement::{Initial, Measurement};
use crate::spec::loss::{Reduction, Task};
use crate::spec::model::ModelSource;

/// The typical seed's numbers.
pub(super) struct Seen<'a> {
    context: Context<'a>,
    pub(super) first: &'a Initial,
    pub(super) loss: f64,
    pub(super) knows_nothing: f64,
    pub(super) variance: f64,
    mean: f64,
}

impl<'a> Seen<'a> {
    pub(super) fn new(context: &Context<'a>, taken: &'a [Vec<Measurement>]) -> Option<Self> {
        let of = |f: &dyn Fn(&Initial) -> f64| typical(taken, |seed| initial(seed, 0).ok().map(f));
        let first = initial(taken.first()?, 0).ok()?;
        Some(Self {
            context: *context,
            first,
            loss: of(&|m| context.initial_loss(m).unwrap_or(f64::NAN)).unwrap_or(f64::NAN),
            knows_nothing: knows_nothing(context, first),
            variance: of(&|m| m.output_variance).unwrap_or(f64::NAN),
            mean: of(&|m| m.output_mean).unwrap_or(f64::NAN),
        })
    }

    pub(super) fn width(&self, judged: &Judged, causes: &mut Vec<Cause>) {
        let judges = judged.by.iter().any(|(name, _)| name == WIDTH);
        if let (true, Some((width, classes))) = (judges, wrong_width(&self.context, self.first)) {
            causes.push(Cause {
                id: "output_width",
                help: format!(
                    "the model has {width} outputs and the data {classes} classes: give the last layer {classes} outputs, or state `[data] classes = {width}`"
                ),
            });
        }
    }

    pub(super) fn reduction(&self, causes: &mut Vec<Cause>) {
        // Of class ids it is known without asking the loss, which may itself be the one that is summed.
        let guessing = match self.context.task() {
            Task::Multiclass if self.context.is_of_the_first_target() => {
                self.first.facts.classes.map(|k| count(k).ln())
            }
            Task::Binary => Some(std::f64::consts::LN_2),
            _ => None,
        };
        let ratio = self.loss / guessing.unwrap_or(self.knows_nothing);
        for (rows, what) in [(self.context.subject.data.batch, "rows of a batch"), (self.first.rows, "rows measured")] {
            let n = count(rows);
            if rows >= 4 && !self.is_a_mean() && (0.8..1.25).contains(&(ratio / n)) {
                causes.push(Cause {
                    id: "loss_sum",
                    help: format!(
                        "the loss is {} times that of a model that knows nothing, and there are {rows} {what}: average it instead of summing it",
                        times(ratio)
                    ),
                });
                return;
            }
            // A fresh model's logits add half their variance.
            let near = -0.02..0.03;
            if rows >= 4 && self.context.task() == Task::Multiclass && near.contains(&(self.loss / n.ln() - 1.0)) {
                causes.push(Cause {
                    id: "loss_axis",
                    help: format!(
                        "the loss {} is near ln({rows}), the logarithm of the {what}: take softmax and the loss over the class axis",
                        number(self.loss)
                    ),
                });
                return;
            }
        }
    }

    /// Whether the loss is a mean of nncheck's own.
    fn is_a_mean(&self) -> bool {
        let subject = self.context.subject;
        let declared = |term: &crate::spec::loss::Term| term.function.is_none() && term.reduction == Reduction::Mean;
        subject.train.step.is_none() && !subject.loss.terms.is_empty() && subject.loss.terms.iter().all(declared)
    }

    pub(super) fn expectation(&self, band: &Band, causes: &mut Vec<Cause>) {
        let own = default_band(&self.context, self.first);
        if own != Band::default() && own.contains(self.loss) && own != *band {
            causes.push(Cause {
                id: "expectation",
                help: format!(
                    "the model starts near what zero outputs have on these targets ({}): correct the spec's expectation if that is meant",
                    number(self.knows_nothing)
                ),
            });
        }
    }

    pub(super) fn activation(&self, causes: &mut Vec<Cause>) {
        let help = self.context.wrong_ending(self.first.last_operator.as_deref());
        causes.extend(help.map(|help| Cause { id: "output_activation", help }));
    }

    pub(super) fn too_high(&self, causes: &mut Vec<Cause>) {
        let facts = &self.first.facts;
        let unnormalised = facts.input_std > Some(3.0) || facts.input_max_abs > Some(30.0);
        if unnormalised {
            causes.push(Cause {
                id: "unnormalised_data",
                help: format!(
                    "the inputs reach {} with standard deviation {}: set `[data] normalize = \"standard\"`, or `scale`",
                    number(facts.input_max_abs.unwrap_or(f64::NAN)),
                    number(facts.input_std.unwrap_or(f64::NAN))
                ),
            });
        }
        let (offset, offset_first) = (self.mean.abs(), self.mean.powi(2) > self.variance);
        let large = Cause {
            id: "large_initial_weights",
            help: format!(
                "the outputs have variance {}: initialise the weights smaller, the last layer's first{}",
                number(self.variance),
                if matches!(self.context.subject.model.source, ModelSource::Builder { .. }) {
                    " (by default, tch's own `nn::linear` starts 2.4 times as wide as PyTorch's)"
                } else {
                    ""
                }
            ),
        };
        let moved = Cause {
            id: "output_offset",
            help: format!(
                "the outputs start at {} on average: initialise the last bias to zero, or to the targets' mean",
                number(self.mean)
            ),
        };
        let target = facts.target_mean.unwrap_or(0.0);
        if offset_first && offset > 0.5 && (self.mean - target).abs() > 0.5 * target.abs() {
            causes.push(moved);
        }
        if self.variance > 0.5 {
            causes.push(large);
        }
    }

    pub(super) fn too_low(&self, causes: &mut Vec<Cause>) {
        if let Some(weights) = &self.context.subject.model.weights {
            causes.push(Cause {
                id: "trained_weights",
                help: format!(
                    "the weights of {} already know the data: state what to expect of them, or leave `weights` out",
                    weights.file.value.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
                ),
            });
        }
        // Below the band that a spec states need not be below what can be known.
        if self.knows_nothing.is_nan() || self.loss >= self.knows_nothing {
            return;
        }
        causes.push(Cause {
            id: "label_leak",
            help: format!(
                "{} is below {}, what an untrained model can know: look for the target among the inputs, or for outputs that depend on the labels",
                number(self.loss),
                number(self.knows_nothing)
            ),
        });
    }
}
