//! `loss_function`: the loss is what its kind says.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::{LossCase, LossFunction as Seen, LossFunctionAsk, Measurement, Request};
use crate::reference::{Fault, Outputs};
use crate::spec::Subject;
use crate::spec::loss::LossKind;

/// Differences as small as this are the same number, when a mistake is looked for.
const SAME: f64 = 1e-3;

/// The loss is what its kind says, on outputs whose loss is known.
///
/// ## What it measures
/// The loss of the model's own outputs, of zeros, of arbitrary outputs, and of better and better ones up to the right ones,
/// on up to `rows` training rows of one batch. Each is held against a reference of `[loss] kind` in double precision that
/// shares no code with libtorch. What is judged is the difference, as a share of the larger of the reference's values there
/// and at zero outputs. Where the spec names a `step`, the loss that it returns is judged too: it is run with a model that
/// puts these outputs out and an optimizer that moves nothing.
///
/// ## Why it matters
/// A faulty loss looks like a faulty model: training runs, and stops too early. This check tells the two apart, and names
/// the mistake by what each of the usual ones would make of the same outputs.
///
/// ## Usual causes
/// A softmax over the batch instead of the classes; [N, 1] against [N], which broadcasts to [N, N]; a flipped sign; a sum
/// instead of a mean; a softmax before a loss that has its own, or none before one that has not; a constant.
///
/// ## What to try
/// Look at the first cause. Hand logits to `cross_entropy` and `bce_with_logits`. Bring targets into the shape of the
/// outputs before they are subtracted. If the loss is meant to differ, name the kind that it is.
///
/// ## Defaults
/// A difference of at most 1e-3, on up to 64 rows. Single precision differs by about 1e-6, a small constant inside a
/// logarithm by about 1e-4; each of the mistakes that are looked for differs by more than 1e-2 on arbitrary outputs. What a
/// step adds whatever the outputs (a regularisation) is taken off before it is judged.
///
/// ## Sources
/// A. Karpathy, A Recipe for Training Neural Networks (2019): "verify loss @ init"; PyTorch, documentation of
/// `torch.nn.functional`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LossFunction {
    /// On how many of the first training rows, a batch at most.
    pub rows: NonZeroUsize,
    /// The largest difference from the reference that holds, as a share of it.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub tolerance: f64,
}

impl Default for LossFunction {
    fn default() -> Self {
        Self { rows: super::parameter::count(64), tolerance: 1e-3 }
    }
}

impl CheckType for LossFunction {
    const INFO: Info = Info {
        id: "loss_function",
        stage: Stage::Loss,
        rule: Rule::Each,
        takes_band: false,
        trains: false,
        narrows: &[],
        causes: &[
            CauseInfo {
                id: "wrong_axis",
                what: "the softmax runs over another axis than the classes",
                cure: "take it over the class axis, the second",
            },
            CauseInfo {
                id: "broadcast",
                what: "every output is held against every target: [N, 1] and [N] broadcast to [N, N]",
                cure: "bring the targets into the shape of the outputs",
            },
            CauseInfo { id: "sign", what: "the sign is flipped", cure: "take the minus away, or add it" },
            CauseInfo {
                id: "softmax_twice",
                what: "a softmax or a sigmoid stands before a loss that has its own",
                cure: "hand it the logits",
            },
            CauseInfo {
                id: "logits_for_probabilities",
                what: "the softmax or the logarithm is missing before a loss that wants logarithms of probabilities",
                cure: "use `log_softmax`, or `cross_entropy` on logits",
            },
            CauseInfo {
                id: "reduction",
                what: "it is summed or averaged over something else than it should be",
                cure: "average over what counts, and over nothing else",
            },
            CauseInfo {
                id: "other_kind",
                what: "it is another loss than the spec's `kind`",
                cure: "name the kind that it is, or use the one that is named",
            },
            CauseInfo {
                id: "option_ignored",
                what: "class weights, smoothing or an ignored class id have no effect",
                cure: "hand the option to the loss",
            },
            CauseInfo {
                id: "constant",
                what: "it does not depend on the outputs",
                cure: "look for `detach`, or for a loss of the targets alone",
            },
            CauseInfo {
                id: "scaled",
                what: "it is the reference times a constant",
                cure: "remove the factor, or put it into the learning rate",
            },
            CauseInfo {
                id: "offset",
                what: "it is the reference plus a constant",
                cure: "remove what does not depend on the outputs, or declare it as `l2`",
            },
            CauseInfo {
                id: "not_finite",
                what: "it is not finite on outputs that are",
                cure: "use `log_softmax` and losses on logits instead of logarithms of probabilities",
            },
            CauseInfo {
                id: "rises_with_better_outputs",
                what: "it rises as the outputs get better",
                cure: "look at the sign, and at which targets the outputs are held against",
            },
            CauseInfo {
                id: "other_loss",
                what: "it is none of the losses that are known, nor one with a usual mistake",
                cure: "compare it with the formula of its kind",
            },
        ],
    };
}

impl Check for LossFunction {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![Request::LossFunction(LossFunctionAsk { rows: self.rows.get() })]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let Some(seen) = seen(taken) else {
            return Sample::Unanswerable("its measurement is missing (this is a fault in nncheck)".to_owned());
        };
        if let Some(why) = &seen.cannot {
            return Sample::Nothing(why.clone());
        }
        let entries: Vec<Entry> = sides(seen, context)
            .iter()
            .flat_map(|side| {
                side.cases.iter().map(|case| Entry {
                    name: Some(side.name(case.outputs)),
                    value: Some(difference(&side.cases, case)),
                    band: Some(Band { min: None, max: Some(self.tolerance), expect: None }),
                    scale: Scale::Linear,
                })
            })
            .collect();
        if entries.is_empty() {
            Sample::Nothing("there is no row to try the loss on".to_owned())
        } else {
            Sample::Seen(entries)
        }
    }

    fn quantity(&self) -> &'static str {
        "difference of the loss from its reference"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let at = judged.values.iter().position(|&v| v.is_some() && v == judged.value).unwrap_or(0);
        let Some(seen) = taken.get(at).and_then(|seed| seen(seed)) else { return Vec::new() };
        let sides = sides(seen, context);
        let faulty =
            sides.iter().find(|side| side.cases.iter().any(|c| judged.outside.contains(&side.name(c.outputs))));
        faulty.map(|side| side.causes(context, seen)).unwrap_or_default()
    }
}

fn seen(taken: &[Measurement]) -> Option<&Seen> {
    match taken.first() {
        Some(Measurement::LossFunction(seen)) => Some(seen),
        _ => None,
    }
}

/// A loss that is judged: the spec's, or that of the user's own step.
struct Side {
    of_step: bool,
    cases: Vec<LossCase>,
}

/// The losses that are judged, each freed of what is no mistake.
fn sides(seen: &Seen, context: &Context<'_>) -> Vec<Side> {
    let mut step = seen.of_step.clone();
    if let Some(offset) = constant_offset(&step).filter(|offset| *offset > 0.0) {
        for case in &mut step {
            case.value -= offset;
        }
    }
    // A step of several micro-batches may return its share of the mean.
    let parts = context.subject.train.accumulate;
    #[expect(clippy::cast_precision_loss, reason = "a handful of micro-batches")]
    if parts > 1 && scale(&step).is_some_and(|scale| (scale * parts as f64 - 1.0).abs() < SAME) {
        step.iter_mut().for_each(|case| case.value *= parts as f64);
    }
    let side = |of_step, cases: Vec<LossCase>| (!cases.is_empty()).then_some(Side { of_step, cases });
    [side(false, seen.declared.clone()), side(true, step)].into_iter().flatten().collect()
}

/// What a case is compared in units of.
fn unit(cases: &[LossCase], case: &LossCase) -> f64 {
    let zeros = cases.iter().find(|c| c.outputs == Outputs::Zeros).map_or(0.0, |c| c.reference.abs());
    let unit = case.reference.abs().max(zeros);
    if unit > 0.0 { unit } else { 1.0 }
}

fn difference(cases: &[LossCase], case: &LossCase) -> f64 {
    (case.value - case.reference).abs() / unit(cases, case)
}

/// What is added to every case alike.
fn constant_offset(cases: &[LossCase]) -> Option<f64> {
    let first = cases.first()?;
    let offset = first.value - first.reference;
    let constant = cases.iter().all(|c| (c.value - c.reference - offset).abs() <= SAME * unit(cases, c));
    (constant && offset.abs() > SAME * unit(cases, first)).then_some(offset)
}

/// What every case is multiplied with.
fn scale(cases: &[LossCase]) -> Option<f64> {
    let largest = cases.iter().max_by(|a, b| a.reference.abs().total_cmp(&b.reference.abs()))?;
    let scale = largest.value / largest.reference;
    let all = cases.iter().all(|c| (c.value - scale * c.reference).abs() <= SAME * scale.abs() * unit(cases, c));
    (all && scale.is_finite() && (scale - 1.0).abs() > SAME).then_some(scale)
}

impl Side {
    fn name(&self, outputs: Outputs) -> String {
        if self.of_step { format!("{} in the step", outputs.words()) } else { outputs.words().to_owned() }
    }

    fn value(&self, outputs: Outputs) -> Option<&LossCase> {
        self.cases.iter().find(|case| case.outputs == outputs)
    }

    fn causes(&self, context: &Context<'_>, seen: &Seen) -> Vec<Cause> {
        let who = if self.of_step { "the loss that the step returns" } else { "the loss" };
        if let Some(case) = self.cases.iter().find(|case| !case.value.is_finite()) {
            let help = format!(
                "{who} of {} is {}, and should be {}: take logarithms with `log_softmax` or `logsigmoid`, not of probabilities",
                case.outputs.words(),
                number(case.value),
                number(case.reference)
            );
            return vec![Cause { id: "not_finite", help }];
        }
        let mut causes: Vec<Cause> = self
            .matching()
            .into_iter()
            .map(|fault| {
                let (id, help) = explained(fault, seen);
                Cause { id, help: format!("{who} is {help}") }
            })
            .collect();
        causes.dedup_by_key(|cause| cause.id);
        if causes.is_empty() {
            causes.push(self.without_a_name(who, context));
        }
        causes
    }

    /// The mistakes that explain every case.
    fn matching(&self) -> Vec<Fault> {
        let Some(first) = self.cases.first() else { return Vec::new() };
        let explains = |fault: Fault| {
            self.cases.iter().all(|case| {
                let wrong = case.faulty.iter().filter(|(f, _)| *f == fault);
                // A reference of zero has no units of its own: the mistake's size is one.
                wrong
                    .clone()
                    .any(|(_, value)| (case.value - value).abs() <= SAME * unit(&self.cases, case).max(value.abs()))
            })
        };
        let mut all: Vec<Fault> = first.faulty.iter().map(|(fault, _)| *fault).filter(|&f| explains(f)).collect();
        all.dedup();
        all
    }

    fn without_a_name(&self, who: &str, context: &Context<'_>) -> Cause {
        let (low, high) = self
            .cases
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), c| (low.min(c.value), high.max(c.value)));
        if high - low <= 1e-6 * high.abs() {
            let help = format!(
                "{who} is {} whatever the outputs: look for `detach`, or for a loss of the targets alone",
                number(low)
            );
            return Cause { id: "constant", help };
        }
        if let Some(scale) = scale(&self.cases) {
            let help = format!("{who} is {} times what it should be, on all outputs alike", number(scale));
            return Cause { id: "scaled", help };
        }
        if let Some(offset) = constant_offset(&self.cases) {
            let help = format!(
                "{who} is {} more than it should be, on all outputs alike: declare a regularisation as `l2`",
                number(offset)
            );
            return Cause { id: "offset", help };
        }
        if let (Some(zeros), Some(right)) = (self.value(Outputs::Zeros), self.value(Outputs::Right))
            && right.value > zeros.value
        {
            let help = format!(
                "{who} rises from {} for zero outputs to {} for right ones: look at the sign, and at which targets the outputs are held against",
                number(zeros.value),
                number(right.value)
            );
            return Cause { id: "rises_with_better_outputs", help };
        }
        let worst = self.cases.iter().max_by(|a, b| difference(&self.cases, a).total_cmp(&difference(&self.cases, b)));
        let numbers = worst.map_or_else(String::new, |c| {
            format!(": for {} it is {}, and should be {}", c.outputs.words(), number(c.value), number(c.reference))
        });
        Cause {
            id: "other_loss",
            help: format!(
                "{who} is not `{}`, nor that with a usual mistake{numbers}",
                context.subject.loss.kind().map_or("the loss of the spec", LossKind::name)
            ),
        }
    }
}

/// A mistake's cause, and what the loss then is.
fn explained(fault: Fault, seen: &Seen) -> (&'static str, String) {
    let shape = &seen.output_shape;
    match fault {
        Fault::WrongAxis => (
            "wrong_axis",
            format!(
                "what a softmax over another axis than the classes gives on outputs {shape:?}: take it over the class axis"
            ),
        ),
        Fault::Broadcast => (
            "broadcast",
            format!(
                "what every output against every target gives: outputs {shape:?} broadcast against the targets; reshape the targets to {shape:?}"
            ),
        ),
        Fault::Sign => ("sign", "minus what it should be: training it raises the loss; turn the sign".to_owned()),
        Fault::SquashedTwice => (
            "softmax_twice",
            "what probabilities give where logits are wanted: remove the softmax or sigmoid before it".to_owned(),
        ),
        Fault::NoSoftmax => (
            "logits_for_probabilities",
            "what logits give where logarithms of probabilities are wanted: put `log_softmax` before it".to_owned(),
        ),
        Fault::NoLogarithm => (
            "logits_for_probabilities",
            "what probabilities give where their logarithms are wanted: use `log_softmax`".to_owned(),
        ),
        Fault::Summed => ("reduction", format!("a sum over {} rows where a mean is wanted: average it", seen.rows)),
        Fault::Averaged => ("reduction", "a mean where a sum is wanted".to_owned()),
        Fault::OverRows => (
            "reduction",
            "averaged over the rows alone, and summed over what each row has: average over both".to_owned(),
        ),
        Fault::OverClasses => {
            ("reduction", "divided by the number of classes too: average over the rows alone".to_owned())
        }
        Fault::Root => ("other_kind", "the square root of the mean square: take the mean square itself".to_owned()),
        Fault::Kind(other) => {
            ("other_kind", format!("`{}`: name that kind in [loss], or use the one that is named", other.name()))
        }
        Fault::NoClassWeights => ("option_ignored", "what it is without the class weights".to_owned()),
        Fault::NoSmoothing => ("option_ignored", "what it is without label smoothing".to_owned()),
        Fault::NothingIgnored => ("option_ignored", "what it is when the ignored class id counts".to_owned()),
    }
}

#[cfg(test)]
#[path = "tests/loss_function.rs"]
mod tests;
