//! `initial_loss`: the loss before any training.

mod diagnosis;

use crate::judge::number::count;
use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use self::diagnosis::Seen;
use super::evidence::initial;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::{Initial, InitialAsk, Measurement, Request, Share};
use crate::spec::Subject;
use crate::spec::loss::Task;
use crate::spec::model::ModelSource;
use crate::spec::property::Narrow;

/// The name of the entry that appears where the model's width is not the number of classes.
const WIDTH: &str = "output width";

/// The loss before training is what a model that knows nothing has.
///
/// ## What it measures
/// The mean data loss of the freshly initialised model over the first `rows` training rows, in train mode, with
/// regularisation off. It is held against the loss of all-zero outputs on the same targets, under the same loss: for k
/// balanced classes that is -ln(1/k) = ln k, for binary cross-entropy ln 2, for mean squared error mean(y^2). `nll` and `bce`,
/// which take (log-)probabilities, are held against those of even odds, ln k and ln 2. Judged on a log scale. With `term`, the same of one term
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
/// admits a last bias that was initialised to the prior: it is x0.9 of the loss of the best constant outputs, which is the
/// entropy of the labels, or the targets' variance under `mse`; of a sum of terms, the sum of theirs. Where a Rust builder
/// predicts numbers, up to x4.5: tch's own `nn::linear` starts 2.4 times as wide as PyTorch's, which on standardised targets is
/// x3 (measured on one to four layers: x2.5 to x3).
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
        let k = Some(count(classes));
        let band = (!context.allows_cause("output_width")).then_some(Band { min: k, max: k, expect: k });
        entries.push(Entry { name: Some(WIDTH.to_owned()), value: Some(count(width)), band, scale: Scale::Linear });
    }
    Ok(Ok(entries))
}

/// The model's width and the number of classes, where a class has one output each and they differ.
fn wrong_width(context: &Context<'_>, initial: &Initial) -> Option<(usize, usize)> {
    if context.task() != Task::Multiclass || !context.is_of_the_first_target() {
        return None;
    }
    let (width, classes) = (initial.width?, initial.facts.classes?);
    (width != classes).then_some((width, classes))
}

/// The loss of a model that knows nothing.
fn knows_nothing(context: &Context<'_>, initial: &Initial) -> f64 {
    context.loss_of_zeros(initial).unwrap_or(f64::NAN)
}

/// The band where the spec states none; open where the loss of zeros tells nothing.
fn default_band(context: &Context<'_>, initial: &Initial) -> Band {
    let expect = knows_nothing(context, initial);
    if !expect.is_finite() || expect <= 0.0 {
        return Band::default();
    }
    // A last bias that starts at the prior reaches this.
    let prior = context.loss_of_prior(initial).filter(|prior| prior.is_finite());
    let least = prior.map_or(expect, |prior| prior.min(expect));
    Band { min: Some(0.9 * least), max: Some(most(context) * expect), expect: Some(expect) }
}

/// How far above the loss of zero outputs a sound start may lie, as a factor.
///
/// tch's own `nn::linear` draws weights of variance 2/fan-in, so that on normalised inputs the outputs have variance 2 (with
/// `PyTorch`'s defaults 1/3). Between classes that is about a nat, but beside standardised targets it is the threefold loss.
fn most(context: &Context<'_>) -> f64 {
    let initialised_by_tch = matches!(context.subject.model.source, ModelSource::Builder { .. });
    if initialised_by_tch && context.task() == Task::Regression { 4.5 } else { 1.9 }
}

#[cfg(test)]
#[path = "tests/initial_loss.rs"]
mod tests;
