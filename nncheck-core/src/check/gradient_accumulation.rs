//! `gradient_accumulation`: gradients are cleared between optimizer steps.

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::worst_seed;
use super::evidence::some_names;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::{Accumulation, AccumulationAsk, Measurement, Request};
use crate::spec::Subject;
use crate::spec::run::Dtype;

/// The entry of the accumulated gradient against that of one batch.
const ONE_BATCH: &str = "(against one batch)";
/// A gradient that was not cleared is doubled by the second step; sums of other seeds come this near.
const DOUBLED: std::ops::Range<f64> = 0.9..1.1;

/// Gradients are cleared between optimizer steps, and micro-batches add up to one batch.
///
/// ## What it measures
/// From one state, with the generator reset, the training step runs twice on the same batches (`accumulate` of them)
/// with an optimizer whose step is seen but moves nothing. For each parameter: ||g2 - g1|| / ||g1||, where g1 and g2 are
/// the gradients that the optimizer was given. It is 0 where gradients are cleared, and 1 where they are not (g2 = 2 g1).
/// Under `accumulate`, the gradient is also held against that of one batch of all those rows, where the two must agree (no
/// dropout, no batch norm).
///
/// ## Why it matters
/// Without clearing, every step repeats all gradients before it: like momentum 1. It trains, badly, and the usual cure, a
/// lower rate, hides it.
///
/// ## Usual causes
/// `zero_grad` is missing, stands between `backward` and `step`, or belongs to another optimizer; the losses of micro-batches
/// are summed instead of averaged.
///
/// ## What to try
/// Call `optimizer.zero_grad()` before `backward`, once each optimizer step; divide the loss by the number of micro-batches.
///
/// ## Defaults
/// A relative difference of 1e-4 in float32 (1e-9 in float64) for clearing, where sound programs have exactly 0; 1e-3 against
/// one batch, whose sums have another order.
///
/// ## Sources
/// PyTorch's documentation of `Optimizer.zero_grad` and of gradient accumulation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GradientAccumulation {}

impl CheckType for GradientAccumulation {
    const INFO: Info = Info {
        id: "gradient_accumulation",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: true,
        causes: &[
            CauseInfo {
                id: "not_cleared",
                what: "gradients are not cleared between optimizer steps: they add up",
                cure: "call `zero_grad` before `backward`, once each optimizer step",
            },
            CauseInfo {
                id: "cleared_in_part",
                what: "some parameters' gradients are not cleared: another optimizer, or nobody, clears them",
                cure: "clear the gradients of every parameter that trains",
            },
            CauseInfo {
                id: "not_averaged",
                what: "the losses of the micro-batches are summed instead of averaged",
                cure: "divide each loss by the number of micro-batches",
            },
            CauseInfo {
                id: "not_repeatable",
                what: "the same step from the same state gives another gradient",
                cure: "draw random numbers from libtorch's generator, and keep no state between steps",
            },
        ],
    };
}

impl Check for GradientAccumulation {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![Request::Accumulation(AccumulationAsk)]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let Some(seen) = seen(taken) else {
            return Sample::Unanswerable("its measurement is missing (this is a fault in nncheck)".to_owned());
        };
        if seen.steps == 0 {
            return Sample::Nothing("no optimizer stepped in a whole training step".to_owned());
        }
        if seen.gradients.is_empty() {
            return Sample::Nothing("no parameter was given a gradient".to_owned());
        }
        let tolerance = if context.subject.dtype == Dtype::Float64 { 1e-9 } else { 1e-4 };
        let band = |max| Some(Band { min: None, max: Some(max), expect: None });
        let mut entries: Vec<Entry> = seen
            .gradients
            .iter()
            .map(|gradient| Entry {
                name: Some(gradient.parameter.clone()),
                value: Some(gradient.change),
                band: if context.allows_parameter(&gradient.parameter) { None } else { band(tolerance) },
                scale: Scale::Linear,
            })
            .collect();
        if let Some(against) = seen.against_one_batch {
            let band = if context.allows_cause("not_averaged") { None } else { band(1e-3) };
            let (name, value) = (Some(ONE_BATCH.to_owned()), Some(against.difference));
            entries.push(Entry { name, value, band, scale: Scale::Linear });
        }
        if entries.iter().all(|entry| entry.band.is_none()) {
            return Sample::Nothing("every parameter is allowed to be as it is".to_owned());
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "what is left of a gradient at the next step"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let at = worst_seed(judged);
        let Some(seen) = taken.get(at).and_then(|seed| seen(seed)) else { return Vec::new() };
        let mut causes = Vec::new();
        let (doubled, other): (Vec<_>, Vec<_>) = seen
            .gradients
            .iter()
            .filter(|g| judged.outside.contains(&g.parameter))
            .partition(|g| DOUBLED.contains(&g.change));
        let names: Vec<&str> = doubled.iter().map(|g| g.parameter.as_str()).collect();
        if doubled.len() == seen.gradients.len() {
            let cleared = if seen.clears == 0 {
                "`zero_grad` is never called".to_owned()
            } else {
                format!("`zero_grad` is called {} times a step, and not on these", seen.clears)
            };
            causes.push(Cause {
                id: "not_cleared",
                help: format!(
                    "a second step on the same batch doubles every gradient: {cleared}; call it before `backward`"
                ),
            });
        } else if !doubled.is_empty() {
            causes.push(Cause {
                id: "cleared_in_part",
                help: format!(
                    "a second step on the same batch doubles the gradient of {}: clear it before `backward`",
                    some_names(&names)
                ),
            });
        }
        if let Some(worst) = other.iter().max_by(|a, b| a.change.total_cmp(&b.change)) {
            causes.push(Cause {
                id: "not_repeatable",
                help: format!(
                    "the same step from the same state gives {} a gradient that differs by {} of its length: something beside libtorch's generator is random, or the step keeps a state",
                    worst.parameter,
                    number(worst.change)
                ),
            });
        }
        if let Some(against) = seen.against_one_batch.filter(|_| judged.outside.iter().any(|name| name == ONE_BATCH)) {
            causes.push(Cause {
                id: "not_averaged",
                help: format!(
                    "the gradient of {} micro-batches is {} times that of one batch of the same rows: divide each loss by {}",
                    seen.micro_batches,
                    number(against.ratio),
                    seen.micro_batches
                ),
            });
        }
        causes
    }
}

fn seen(taken: &[Measurement]) -> Option<&Accumulation> {
    match taken.first() {
        Some(Measurement::Accumulation(seen)) => Some(seen),
        _ => None,
    }
}

#[cfg(test)]
#[path = "tests/gradient_accumulation.rs"]
mod tests;
