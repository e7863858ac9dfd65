//! `weight_scale`: weights stay of the size that they begin with.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::worst_seed;
use super::evidence::{answer, trace};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::{number, times};
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::trace::Inputs;
use crate::measurement::weights::{WeightTensor, Weights, WeightsAsk};
use crate::measurement::{Measurement, Request, TraceAsk};
use crate::spec::Subject;

/// Steps in which updates are looked at, to tell the causes.
const WATCHED: usize = 10;
/// An early step that moves all weights by this share is a large one.
const LARGE: f64 = 0.1;
/// Weights that begin this much narrower than 1/sqrt(fan in) begin small.
const SMALL: f64 = 0.1;

/// No weight grows out of proportion.
///
/// ## What it measures
/// For every trainable tensor of two or more dimensions: its L2 norm after `steps` training steps over its norm at the
/// beginning. Biases and vectors are listed and not judged; a tensor that begins at zero has no ratio. Judged on a log scale.
///
/// ## Why it matters
/// Weights that grow without end are the slow form of divergence: outputs saturate, gradients lose their meaning, and
/// single precision its digits, long before the loss is infinite.
///
/// ## Usual causes
/// A learning rate that is far too high; a loss that is maximised; weights that begin tiny.
///
/// ## What to try
/// Lower the learning rate, or clip; see that the sign of the loss is right; add weight decay where weights drift while
/// the loss falls.
///
/// ## Defaults
/// A factor of 10 within 200 steps: no alarm on sound programs, whose weights grow by a factor of 2 or less. Warm-up, weight decay and
/// normalisation layers keep it lower still.
///
/// ## Sources
/// Goodfellow et al., Deep Learning, section 8.2; `TensorBoard`'s histograms of weights, looked at for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WeightScale {
    /// After how many training steps.
    pub steps: NonZeroUsize,
}

impl Default for WeightScale {
    fn default() -> Self {
        Self { steps: super::parameter::count(200) }
    }
}

impl CheckType for WeightScale {
    const INFO: Info = Info {
        id: "weight_scale",
        stage: Stage::Connections,
        rule: Rule::Mean,
        takes_band: true,
        narrows: &[crate::spec::property::Narrow::Layers],
        trains: true,
        causes: &[
            CauseInfo {
                id: "ascent",
                what: "training raises the loss: it climbs instead of descending",
                cure: "look at the sign of the loss and of the update",
            },
            CauseInfo {
                id: "learning_rate_high",
                what: "the learning rate is too high",
                cure: "lower it, or clip gradients",
            },
            CauseInfo {
                id: "small_start",
                what: "the weights begin far smaller than their layer needs",
                cure: "use PyTorch's initialiser, or one of `init`",
            },
            CauseInfo {
                id: "drift",
                what: "the weights grow while the loss falls",
                cure: "add weight decay, or stop earlier",
            },
        ],
    };
}

impl Check for WeightScale {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        let steps = self.steps.get();
        vec![
            WeightsAsk { after: 0 }.into(),
            WeightsAsk { after: steps }.into(),
            Request::Trace(TraceAsk { inputs: Inputs::Real, steps, watched: WATCHED.min(steps) }),
        ]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let (before, after): (&Weights, &Weights) = match (answer(taken, 0), answer(taken, 1)) {
            (Ok(before), Ok(after)) => (before, after),
            (Err(why), _) | (_, Err(why)) => return Sample::Unanswerable(why),
        };
        let facts = match trace(taken, 2) {
            Ok(trace) => &trace.facts,
            Err(why) => return Sample::Unanswerable(why),
        };
        let band = match context.band(facts, Band { min: None, max: Some(10.0), expect: None }) {
            Ok(band) => band,
            Err(why) => return Sample::Unanswerable(why),
        };
        let entries: Vec<Entry> = growths(before, after)
            .map(|(tensor, growth)| {
                let judged = tensor.trainable
                    && tensor.shape.len() >= 2
                    && growth.is_some()
                    && !context.allows_parameter(&tensor.parameter);
                Entry {
                    name: Some(tensor.parameter.clone()),
                    value: growth,
                    band: judged.then_some(band),
                    scale: Scale::Log,
                }
            })
            .collect();
        if entries.iter().all(|entry| entry.band.is_none()) {
            return Sample::Nothing(
                "there is no trainable tensor of two or more dimensions that does not begin at zero".to_owned(),
            );
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "growth of a weight's norm"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let seed = worst_seed(judged);
        let Some(seed) = taken.get(seed).or_else(|| taken.first()) else { return Vec::new() };
        let (Ok(before), Ok(trace)) = (answer::<Weights>(seed, 0), trace(seed, 2)) else { return Vec::new() };
        let at = judged.at.as_deref().unwrap_or_default();
        let Some(tensor) = before.tensors.iter().find(|t| t.parameter == at) else { return Vec::new() };
        if judged.value.is_some_and(|value| judged.band.min.is_some_and(|min| value < min)) {
            // It shrinks, by a band of the user's own: no cause is known.
            return Vec::new();
        }
        let growth = judged.value.map_or_else(|| "countless".to_owned(), times);
        let grew = format!("the norm of {at} is {growth} times what it was {} steps before", self.steps);
        let losses: Vec<f64> = trace.steps.iter().map(|step| step.loss).collect();
        let mean = |losses: &[f64]| super::evidence::average(losses).unwrap_or(f64::NAN);
        let few = losses.len().div_ceil(10);
        let (first, last) =
            (mean(&losses[..few.min(losses.len())]), mean(&losses[losses.len() - few.min(losses.len())..]));
        let largest = trace
            .steps
            .iter()
            .filter_map(|step| step.watched.as_ref()?.whole_update_ratio)
            .fold(0.0, |most: f64, ratio| if ratio.is_finite() { most.max(ratio) } else { f64::INFINITY });
        // A first step is too short to overshoot; what raises the loss from there on climbs.
        let climbs =
            losses.windows(2).take(WATCHED).filter(|pair| pair[1] > pair[0]).count() * 2 > WATCHED && largest <= LARGE;
        let usual = 1.0 / fan_in(tensor).sqrt();
        if largest > LARGE {
            return vec![Cause {
                id: "learning_rate_high",
                help: format!(
                    "{grew}, and one of the first {WATCHED} steps moves all weights by {} of their size: {}",
                    number(largest),
                    context.try_lr(1e-2 / largest)
                ),
            }];
        }
        let mut causes = Vec::new();
        if tensor.std < SMALL * usual {
            causes.push(Cause {
                id: "small_start",
                help: format!(
                    "{grew}: it begins with a standard deviation of {}, where 1/sqrt(fan_in) is {}: use PyTorch's initialiser",
                    number(tensor.std),
                    number(usual)
                ),
            });
        }
        if climbs || last.is_nan() || last > first {
            causes.insert(
                0,
                Cause {
                    id: "ascent",
                    help: format!(
                        "{grew}, while the loss rises from {} to {}: look at the sign of the loss, and of the update",
                        number(first),
                        number(last)
                    ),
                },
            );
        }
        if causes.is_empty() {
            causes.push(Cause {
                id: "drift",
                help: format!(
                    "{grew}, while the loss falls from {} to {}: add weight decay, or {}",
                    number(first),
                    number(last),
                    context.try_lr(0.1)
                ),
            });
        }
        causes
    }
}

/// Each tensor as it begins, and how many times its norm then it comes to; `None` where it begins at zero.
fn growths<'w>(before: &'w Weights, after: &'w Weights) -> impl Iterator<Item = (&'w WeightTensor, Option<f64>)> {
    before.tensors.iter().filter_map(|tensor| {
        let then = after.tensors.iter().find(|t| t.parameter == tensor.parameter)?;
        Some((tensor, (tensor.norm > 0.0).then(|| then.norm / tensor.norm)))
    })
}

fn fan_in(tensor: &WeightTensor) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 entries")]
    let fan = tensor.shape.iter().skip(1).product::<usize>().max(1) as f64;
    fan
}

#[cfg(test)]
#[path = "tests/weight_scale.rs"]
mod tests;
