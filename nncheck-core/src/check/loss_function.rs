//! `loss_function`: the loss is what its kind says.

mod kindless;
mod side;

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use self::side::{Side, of_step};
use super::entry::worst_seed;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::{Entry, Judged, Rule, Sample};
use crate::measurement::{LossFunction as Seen, LossFunctionAsk, Measurement, Request};
use crate::spec::Subject;

/// The loss is what its kind says, on outputs whose loss is known.
///
/// ## What it measures
/// The loss of the model's own outputs, of zeros, of arbitrary outputs, and of better and better ones up to the right ones,
/// on up to `rows` training rows of one batch. Each is held against a reference of `[loss] kind` in double precision that
/// shares no code with libtorch. What is judged is the difference, as a share of the larger of the reference's values there
/// and at zero outputs; of several terms, each by itself. Where the spec names a `step`, the loss that it returns is judged
/// too: it is run with a model that puts these outputs out and an optimizer that moves nothing.
///
/// A `function` without a `kind` is held against all kinds that its targets suit. If it is one of them, or one with a
/// usual mistake, it is judged as that. If it is none, what holds of any loss is judged: it is lower for right outputs than
/// for zeros, it does not double where each row is there twice, and the targets' shape, [N] or [N, 1], does not matter.
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
/// A difference of at most 3e-5, on up to 64 rows. In single precision PyTorch's own losses differ by 2.6e-7 at most (64
/// sound, unusual and faulty programs, 5 seeds, 32 and 64 rows), losses written by hand with a constant of 1e-8 inside the
/// logarithm by 1.9e-7, of 1e-6 by 1.3e-5. The smallest differences that mistakes made there: the last row left out 6.0e-5,
/// a constant of 1e-5 inside the logarithm 8.7e-5, a Huber loss for a square 5.7e-4, a class left out 8.0e-4, a division by
/// n - 1 for n 0.016, smoothing by 0.01 0.039, a wrong axis 0.55, a softmax too many 0.63; all others more than 0.3. What a
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
        Self { rows: super::parameter::count(64), tolerance: 3e-5 }
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
        let entries: Vec<Entry> =
            judgements(seen, context, self.tolerance).iter().flat_map(|side| side.entries(self.tolerance)).collect();
        if !entries.is_empty() {
            return Sample::Seen(entries);
        }
        let why = seen.terms.iter().find_map(|term| term.cannot.clone());
        Sample::Nothing(why.unwrap_or_else(|| "there is no row to try the loss on".to_owned()))
    }

    fn quantity(&self) -> &'static str {
        "difference of the loss from its reference"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let at = worst_seed(judged);
        let Some(seen) = taken.get(at).and_then(|seed| seen(seed)) else { return Vec::new() };
        let sides = judgements(seen, context, self.tolerance);
        let outside = |entry: &Entry| entry.name.as_ref().is_some_and(|name| judged.outside.contains(name));
        let faulty = sides.iter().find(|side| side.entries(self.tolerance).iter().any(outside));
        faulty.map(|side| side.causes()).unwrap_or_default()
    }

    fn remark(&self, _context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Option<String> {
        let seen = taken.first().and_then(|seed| seen(seed))?;
        let untried = seen.terms.iter().filter_map(|term| {
            Some(format!("term `{}` was not tried: {}", term.name.as_deref()?, term.cannot.as_deref()?))
        });
        let untried: Vec<String> = untried.collect();
        (!untried.is_empty()).then(|| untried.join("; "))
    }
}

fn seen(taken: &[Measurement]) -> Option<&Seen> {
    match taken.first() {
        Some(Measurement::LossFunction(seen)) => Some(seen),
        _ => None,
    }
}

/// Something that is judged by itself: a term of the loss, or the loss that a step returns.
trait Judgement {
    /// Its numbers.
    fn entries(&self, tolerance: f64) -> Vec<Entry>;

    /// What is wrong with it, likeliest first.
    fn causes(&self) -> Vec<Cause>;
}

/// All that is judged.
fn judgements<'a>(seen: &'a Seen, context: &Context<'_>, tolerance: f64) -> Vec<Box<dyn Judgement + 'a>> {
    let mut all: Vec<Box<dyn Judgement>> = Vec::new();
    for term in seen.terms.iter().filter(|term| term.cannot.is_none()) {
        match term.tried.first().filter(|_| term.declared) {
            Some(tried) => all.push(Box::new(Side::of(term, tried, seen.rows))),
            None => all.push(kindless::judgement(term, seen.rows, tolerance)),
        }
    }
    all.extend(of_step(seen, context).map(|side| -> Box<dyn Judgement> { Box::new(side) }));
    all
}

#[cfg(test)]
#[path = "tests/loss_function.rs"]
mod tests;
