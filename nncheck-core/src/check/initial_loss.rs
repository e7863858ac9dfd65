//! `initial_loss`: the loss before any training.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::{initial, typical};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::{number, times};
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::{Initial, InitialAsk, Measurement, Request, Share};
use crate::spec::Subject;
use crate::spec::loss::{LossKind, Task};
use crate::spec::property::Narrow;

/// The name of the entry that appears where the model's width is not the number of classes.
const WIDTH: &str = "output width";

/// The loss before training is what a model that knows nothing has.
///
/// ## What it measures
/// The mean data loss of the freshly initialised model over the first `rows` training rows, in train mode, with
/// regularisation off. It is held against the loss of all-zero outputs on the same targets, under the same loss: for k
/// balanced classes that is -ln(1/k) = ln k, for binary cross-entropy ln 2, for mean squared error mean(y^2). `nll` and `bce`,
/// which take (log-)probabilities, are held against ln k and ln 2. Judged on a log scale. With `term`, the same of one term
/// of the loss, before weighting; with `split = "validation"`, of the rows that are kept aside.
///
/// ## Why it matters
/// A model that has seen nothing can only guess. A loss far above that of guessing means that it begins by unlearning
/// confident nonsense; a loss far below means that it knows what it cannot know. Both are visible before a single step.
///
/// ## Usual causes
/// Inputs that were never normalised; weights drawn too large (by half the variance of the logits, the loss of a
/// classifier rises above ln k); an activation between the model and a loss that wants raw outputs; outputs for another
/// number of classes than the data has; a loss that is summed, or reduced over the wrong axis; weights that are
/// already trained, or labels among the inputs.
///
/// ## What to try
/// Normalise the inputs (`[data] normalize = "standard"`, or `scale`). Initialise the last layer smaller. Hand logits to
/// `cross_entropy` and `bce_with_logits`. Give the model one output a class. Where the loss is meant to start elsewhere,
/// say so: `expect = "..."`.
///
/// ## Defaults
/// From x0.9 to x1.9 of the loss of zero outputs, over 1,024 rows. Of 37 sound programs 1 is outside (a tied N(0, 1)
/// embedding); +-10 % would alarm on 16 and +-20 % on 5 of them, and neither finds more of 49 faulty ones. The lower edge
/// admits a last bias that was initialised to the prior: x0.9 of the entropy of the labels, or of the targets' variance
/// under `mse`.
///
/// ## Sources
/// A. Karpathy, A Recipe for Training Neural Networks (2019): "verify loss @ init"; CS231n, Neural Networks Part 3: look
/// for correct loss at chance performance.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InitialLoss {
    /// On how many of the first training rows the loss is taken.
    pub rows: NonZeroUsize,
}

impl Default for InitialLoss {
    fn default() -> Self {
        Self { rows: super::parameter::count(1024) }
    }
}

impl CheckType for InitialLoss {
    const INFO: Info = Info {
        id: "initial_loss",
        stage: Stage::Loss,
        rule: Rule::Mean,
        takes_band: true,
        narrows: &[Narrow::Term, Narrow::Split],
        trains: false,
        causes: &[
            CauseInfo {
                id: "not_finite",
                what: "the loss is not finite before any step",
                cure: "look with `finite` for the layer and operator that it begins in",
            },
            CauseInfo {
                id: "output_width",
                what: "the model has another number of outputs than the data has classes",
                cure: "give the last layer one output a class, or state `[data] classes`",
            },
            CauseInfo {
                id: "loss_sum",
                what: "the loss is summed over the batch instead of averaged",
                cure: "use mean reduction",
            },
            CauseInfo {
                id: "loss_axis",
                what: "the loss is reduced over the wrong axis: it is near the logarithm of the batch size",
                cure: "apply softmax and the loss over the class axis, not the batch",
            },
            CauseInfo {
                id: "output_activation",
                what: "an activation stands between the model and a loss that wants raw outputs, or is missing before one that does not",
                cure: "end the model with what the loss wants",
            },
            CauseInfo {
                id: "unnormalised_data",
                what: "the inputs are not normalised",
                cure: "set `[data] normalize = \"standard\"` or `scale`",
            },
            CauseInfo {
                id: "large_initial_weights",
                what: "the initial weights are too large",
                cure: "initialise the last layer smaller",
            },
            CauseInfo {
                id: "output_offset",
                what: "the outputs start with an offset",
                cure: "initialise the last bias to zero, or to the mean of the targets",
            },
            CauseInfo {
                id: "trained_weights",
                what: "the model starts from weights that are already trained",
                cure: "state what to expect of them, or leave `weights` out",
            },
            CauseInfo {
                id: "label_leak",
                what: "the model knows what it cannot know: the labels, or the class shares, reach its outputs",
                cure: "look for the target among the inputs",
            },
            CauseInfo {
                id: "expectation",
                what: "the model starts as one that knows nothing should, but the spec expects another value",
                cure: "correct `expect`, `min` or `max`",
            },
        ],
    };
}

impl Check for InitialLoss {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![Request::Initial(InitialAsk { rows: self.rows.get(), share: Share::Training })]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        match entries(context, taken) {
            Ok(Ok(entries)) => Sample::Seen(entries),
            Ok(Err(nothing)) => Sample::Nothing(nothing),
            Err(why) => Sample::Unanswerable(why),
        }
    }

    fn quantity(&self) -> &'static str {
        "loss at initialisation"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = Seen::new(context, taken) else { return Vec::new() };
        let mut causes = Vec::new();
        if judged.value.is_some_and(|v| !v.is_finite()) {
            causes.push(Cause {
                id: "not_finite",
                help: "the loss is not finite before any step: `finite` names the layer and operator that it begins in"
                    .to_owned(),
            });
            return causes;
        }
        seen.width(judged, &mut causes);
        let band = context.band(&seen.first.facts, default_band(context, seen.first)).unwrap_or_default();
        if !band.contains(seen.loss) {
            seen.reduction(&mut causes);
            seen.expectation(&band, &mut causes);
            seen.activation(&mut causes);
            if band.max.is_some_and(|max| seen.loss > max) {
                seen.too_high(&mut causes);
            } else {
                seen.too_low(&mut causes);
            }
        }
        causes
    }

    fn remark(&self, context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Option<String> {
        let seen = Seen::new(context, taken)?;
        let excess = seen.loss - seen.knows_nothing;
        if context.task() == Task::Regression || excess <= 0.05 * seen.knows_nothing {
            return None;
        }
        Some(format!(
            "{} nats above what a model that knows nothing has; half the variance of the outputs is {}",
            number(excess),
            number(seen.variance / 2.0)
        ))
    }
}

/// The entries of one seed; or why there is nothing to see; or why the question cannot be answered.
fn entries(context: &Context<'_>, taken: &[Measurement]) -> Result<Result<Vec<Entry>, String>, String> {
    let initial = initial(taken, 0)?;
    let loss = context.initial_loss(initial)?;
    let band = context.band(&initial.facts, default_band(context, initial))?;
    if band == Band::default() {
        return Ok(Err(match context.loss_of_zeros(initial) {
            Some(loss) => {
                format!("the loss of all-zero outputs is {}, which tells nothing; state `expect`", number(loss))
            }
            None => "what this program's loss is where nothing is known, nobody can tell; state `expect`".to_owned(),
        }));
    }
    let positive = loss > 0.0 && band.min.or(band.max).is_some_and(|edge| edge > 0.0);
    let scale = if positive { Scale::Log } else { Scale::Linear };
    let mut entries = vec![Entry { name: None, value: Some(loss), band: Some(band), scale }];
    if let Some((width, classes)) = wrong_width(context, initial) {
        let k = Some(as_number(classes));
        let band = (!context.allows_cause("output_width")).then_some(Band { min: k, max: k, expect: k });
        entries.push(Entry { name: Some(WIDTH.to_owned()), value: Some(as_number(width)), band, scale: Scale::Linear });
    }
    Ok(Ok(entries))
}

/// The model's width and the number of classes, where a class has one output each and they differ.
fn wrong_width(context: &Context<'_>, initial: &Initial) -> Option<(usize, usize)> {
    if context.task() != Task::Multiclass || !context.is_of_the_first_target() {
        return None;
    }
    // Class scores lie along the first axis of one example's output, positions (of an image, a sequence) behind it; of
    // language models, positions first.
    if let ([_, last], Some(classes)) = (&initial.output_shape[..], initial.facts.classes)
        && *last == classes
    {
        return None;
    }
    let (width, classes) = (*initial.output_shape.first()?, initial.facts.classes?);
    (width != classes).then_some((width, classes))
}

#[expect(clippy::cast_precision_loss, reason = "widths and row counts are small")]
fn as_number(count: usize) -> f64 {
    count as f64
}

/// The loss of a model that knows nothing.
fn knows_nothing(context: &Context<'_>, initial: &Initial) -> f64 {
    match context.loss_kind() {
        // Zero is no (log-)probability of ignorance under these two.
        Some(LossKind::Nll) => {
            let classes = initial.facts.classes.filter(|_| context.is_of_the_first_target());
            classes.map_or(f64::NAN, |k| as_number(k).ln())
        }
        Some(LossKind::Bce) => std::f64::consts::LN_2,
        _ => context.loss_of_zeros(initial).unwrap_or(f64::NAN),
    }
}

/// The band where the spec states none; open where the loss of zeros tells nothing.
fn default_band(context: &Context<'_>, initial: &Initial) -> Band {
    let expect = knows_nothing(context, initial);
    if !expect.is_finite() || expect <= 0.0 {
        return Band::default();
    }
    // A last bias that starts at the prior reaches this.
    let prior = match context.task() {
        _ if !context.is_of_the_first_target() => None,
        Task::Multiclass | Task::Binary => initial.facts.prior_entropy(),
        Task::Regression if context.loss_kind() == Some(LossKind::Mse) => initial.facts.target_variance,
        Task::Regression => None,
    };
    let least = prior.map_or(expect, |prior| prior.min(expect));
    Band { min: Some(0.9 * least), max: Some(1.9 * expect), expect: Some(expect) }
}

/// The typical seed's numbers.
struct Seen<'a> {
    context: Context<'a>,
    first: &'a Initial,
    loss: f64,
    knows_nothing: f64,
    variance: f64,
    mean: f64,
}

impl<'a> Seen<'a> {
    fn new(context: &Context<'a>, taken: &'a [Vec<Measurement>]) -> Option<Self> {
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

    fn width(&self, judged: &Judged, causes: &mut Vec<Cause>) {
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

    fn reduction(&self, causes: &mut Vec<Cause>) {
        let ratio = self.loss / self.knows_nothing;
        for (count, what) in [(self.context.subject.data.batch, "rows of a batch"), (self.first.rows, "rows measured")]
        {
            let n = as_number(count);
            if count >= 4 && (0.8..1.25).contains(&(ratio / n)) {
                causes.push(Cause {
                    id: "loss_sum",
                    help: format!(
                        "the loss is {} times that of a model that knows nothing, and there are {count} {what}: average it instead of summing it",
                        times(ratio)
                    ),
                });
                return;
            }
            if count >= 4 && self.context.task() == Task::Multiclass && (self.loss - n.ln()).abs() < 0.02 * n.ln() {
                causes.push(Cause {
                    id: "loss_axis",
                    help: format!(
                        "the loss {} is near ln({count}), the logarithm of the {what}: take softmax and the loss over the class axis",
                        number(self.loss)
                    ),
                });
                return;
            }
        }
    }

    fn expectation(&self, band: &Band, causes: &mut Vec<Cause>) {
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

    fn activation(&self, causes: &mut Vec<Cause>) {
        let Some(operator) = self.first.last_operator.as_deref() else { return };
        let Some(kind) = self.context.loss_kind().filter(|_| self.context.is_of_the_first_target()) else { return };
        let squashes = ["softmax", "sigmoid", "relu", "tanh"].iter().any(|a| operator.contains(a));
        let help = match kind {
            LossKind::CrossEntropy if squashes && !operator.contains("log_softmax") => {
                format!("the model ends with {operator}, and cross_entropy wants logits: remove it")
            }
            LossKind::BceWithLogits if squashes => {
                format!("the model ends with {operator}, and bce_with_logits wants logits: remove it")
            }
            LossKind::Nll if !operator.contains("log_softmax") => {
                format!(
                    "the model ends with {operator}, and nll wants log-probabilities: end with log_softmax, or use cross_entropy"
                )
            }
            LossKind::Bce if !operator.contains("sigmoid") => {
                format!(
                    "the model ends with {operator}, and bce wants probabilities: end with sigmoid, or use bce_with_logits"
                )
            }
            LossKind::Mse | LossKind::L1 | LossKind::Huber if squashes => {
                format!("the model ends with {operator}, which cannot reach every target: end with a linear layer")
            }
            _ => return,
        };
        causes.push(Cause { id: "output_activation", help });
    }

    fn too_high(&self, causes: &mut Vec<Cause>) {
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
                "the outputs have variance {}: initialise the weights smaller, the last layer's first",
                number(self.variance)
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

    fn too_low(&self, causes: &mut Vec<Cause>) {
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

#[cfg(test)]
#[path = "tests/initial_loss.rs"]
mod tests;
