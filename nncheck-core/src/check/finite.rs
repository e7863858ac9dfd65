//! `finite`: no NaN and no infinity anywhere.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::{at_most, worst_seed};
use super::evidence::trace;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::{count, number, times};
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::trace::{Inputs, NonFinite, Step};
use crate::measurement::{Measurement, Request, Trace, TraceAsk};
use crate::spec::Subject;

/// Operators that make a NaN or an infinity of ordinary numbers.
const RISKY: [&str; 9] = ["log", "sqrt", "div", "reciprocal", "exp", "pow", "acos", "asin", "norm"];

/// The share of steps that were skipped.
const SKIPPED: &str = "skipped, of all steps";
/// Loss scaling skips a step or two until its factor is small enough.
const SKIPPED_AT_MOST: f64 = 0.05;

/// No NaN and no infinity appears in training.
///
/// ## What it measures
/// In how many of the first `steps` training steps a NaN or an infinity stands in the model's output, the loss, a gradient
/// or a parameter. There must be none, with any seed. The report names the first step, and the first layer and operator
/// whose output held one. An infinity that is taken away again before the output, as a mask of attention is by the softmax
/// behind it, is meant. A step that meets an infinite gradient and moves nothing was skipped on purpose, as loss scaling does;
/// up to 5 % may be.
///
/// ## Why it matters
/// One NaN reaches every parameter within a step or two, and training goes on as if nothing had happened: the loss is NaN, the
/// model is gone, and the place where it began is no longer to be seen.
///
/// ## Usual causes
/// NaN in the data; a learning rate that makes weights explode; log, square root or division at zero; exp of something
/// large; a gradient of sqrt(0) or of a norm of zeros.
///
/// ## What to try
/// Clean the data. Lower the learning rate or clip gradients. Add an epsilon inside log, sqrt and division; use
/// `cross_entropy` on logits instead of the logarithm of a softmax.
///
/// ## Defaults
/// 50 steps, and none of them may hold one: the count is exact, so there is no margin to choose. 5 % of skipped steps are two
/// of these, in which loss scaling comes down by four.
///
/// ## Sources
/// I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), sections 4.1 and 8.2.4: overflow, underflow, exploding
/// gradients.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Finite {
    /// How many training steps are watched.
    pub steps: NonZeroUsize,
}

impl Default for Finite {
    fn default() -> Self {
        Self { steps: super::parameter::count(50) }
    }
}

impl CheckType for Finite {
    const INFO: Info = Info {
        id: "finite",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: true,
        causes: &[
            CauseInfo {
                id: "nan_in_data",
                what: "the data itself holds a NaN or an infinity",
                cure: "clean the rows, or drop them",
            },
            CauseInfo {
                id: "exploding",
                what: "training diverges until numbers overflow",
                cure: "lower the learning rate, or clip gradients",
            },
            CauseInfo {
                id: "operator",
                what: "an operator is used where it has no finite value: log, sqrt, division at zero, exp of something large",
                cure: "add an epsilon inside it, or use the fused, stable form",
            },
            CauseInfo {
                id: "loss",
                what: "the loss has no finite value for these outputs",
                cure: "hand it logits and use its stable form",
            },
            CauseInfo {
                id: "gradient",
                what: "a gradient is not finite though the loss is: sqrt, norm or division at zero",
                cure: "add an epsilon inside the operator whose derivative is infinite at zero",
            },
            CauseInfo {
                id: "overflow",
                what: "numbers grow beyond the number format in the forward pass",
                cure: "normalise the inputs, initialise the weights smaller",
            },
        ],
    };
}

impl Check for Finite {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        let steps = self.steps.get();
        vec![Request::Trace(TraceAsk { inputs: Inputs::Real, steps, watched: steps })]
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let trace = match trace(taken, 0) {
            Ok(trace) => trace,
            Err(why) => return Sample::Unanswerable(why),
        };
        if trace.steps.is_empty() {
            return Sample::Nothing("no training step was taken".to_owned());
        }
        let steps = |wanted: fn(&Step) -> bool| count(self.steps_of(trace).filter(|(_, step)| wanted(step)).count());
        let skipped = steps(is_skipped);
        let band = Some(Band { min: None, max: Some(0.0), expect: None });
        let mut entries = vec![Entry { name: None, value: Some(steps(is_bad) - skipped), band, scale: Scale::Linear }];
        if skipped > 0.0 {
            entries.push(at_most(SKIPPED, skipped / count(self.steps_of(trace).count()), SKIPPED_AT_MOST));
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "steps with a NaN or an infinity"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let at = worst_seed(judged);
        let Some(trace) = taken.get(at).and_then(|seed| trace(seed, 0).ok()) else { return Vec::new() };
        let first = |wanted: &dyn Fn(&Step) -> bool| self.steps_of(trace).find(|(_, step)| wanted(step));
        let Some((index, step)) = first(&|step| is_bad(step) && !is_skipped(step)).or_else(|| first(&is_skipped))
        else {
            return Vec::new();
        };
        let place = step.watched.as_ref().and_then(|w| w.non_finite.as_ref()).unwrap_or(&NonFinite::Loss);
        let mut causes = Vec::new();
        if *place != NonFinite::Input {
            causes.extend(exploding(context, trace, index));
        }
        let first = format!("step {index}: the first NaN or infinity is ");
        causes.push(match place {
            NonFinite::Input => Cause {
                id: "nan_in_data",
                help: format!("{first}in the batch that the model was given: clean the rows of the data, or drop them"),
            },
            NonFinite::Activation { layer, operator } if RISKY.iter().any(|risky| operator.contains(risky)) => Cause {
                id: "operator",
                help: format!("{first}in the output of {operator} in {layer}: keep its input away from where it is not finite (an epsilon), or use a stable form"),
            },
            NonFinite::Activation { layer, operator } => Cause {
                id: "overflow",
                help: format!(
                    "{first}in the output of {operator} in {layer}: the inputs reach {}; normalise them, or initialise the weights smaller",
                    trace.facts.input_max_abs.map_or_else(|| "finite numbers".to_owned(), number)
                ),
            },
            NonFinite::Loss => Cause {
                id: "loss",
                help: format!("{first}in the loss, while the model's outputs are finite: hand it what it wants (logits), and use its stable form"),
            },
            NonFinite::Gradient(parameter) => Cause {
                id: "gradient",
                help: format!("{first}in the gradient of {parameter}, while the loss is finite: look for sqrt, norm or a division at zero on the way to it"),
            },
            NonFinite::Parameter(parameter) => Cause {
                id: "exploding",
                help: format!("{first}in {parameter} after the step, while its gradient is finite: {}", context.try_lr(0.1)),
            },
        });
        // What both say, only once.
        if causes.len() == 2 && causes[0].id == causes[1].id {
            causes.remove(0);
        }
        causes
    }
}

impl Finite {
    fn steps_of<'a>(&self, trace: &'a Trace) -> impl Iterator<Item = (usize, &'a Step)> {
        trace.steps.iter().enumerate().take(self.steps.get())
    }
}

fn is_bad(step: &Step) -> bool {
    !step.loss.is_finite() || step.watched.as_ref().is_some_and(|w| w.non_finite.is_some())
}

/// An infinite gradient, which the step saw and took nothing from: loss scaling tries its way down like this.
fn is_skipped(step: &Step) -> bool {
    let Some(watched) = step.watched.as_ref().filter(|_| step.loss.is_finite()) else { return false };
    matches!(watched.non_finite, Some(NonFinite::Gradient(_))) && watched.update_norm.iter().all(|&norm| norm == 0.0)
}

/// The loss grew before it broke.
fn exploding(context: &Context<'_>, trace: &Trace, at: usize) -> Option<Cause> {
    let first = trace.steps.first()?.loss;
    let highest = trace.steps[..at].iter().map(|s| s.loss).filter(|l| l.is_finite()).fold(first, f64::max);
    (at > 0 && first > 0.0 && highest > 3.0 * first).then(|| Cause {
        id: "exploding",
        help: format!(
            "the loss grew from {} to {} ({} times) before step {at}, where it breaks: {}, or set `[optimizer] clip = {{ norm = 1.0 }}`",
            number(first),
            number(highest),
            times(highest / first),
            context.try_lr(0.1)
        ),
    })
}

#[cfg(test)]
#[path = "tests/finite.rs"]
mod tests;
