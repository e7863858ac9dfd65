//! `budget`: the program costs no more than was agreed.

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::{answer, typical};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::budget::{Budget as Seen, BudgetAsk};
use crate::measurement::{Measurement, Request};
use crate::spec::Subject;

const PARAMETERS: &str = "parameters";
const STEP_TIME: &str = "time of a step over a bare one";
const MEMORY: &str = "memory in MiB";

/// Parameters, time and memory stay within what was agreed.
///
/// ## What it measures
/// The numbers in all parameters; the time of a training step over that of forward, backward and update alone on the same batch (turn about,
/// the quickest of each); and what building the program and training it for `steps` steps takes of the process's memory at most, beyond what it
/// had before. Only what a limit is stated for is judged.
///
/// ## Why it matters
/// What a model costs grows unseen, a layer and a log line at a time; a limit in a spec is where somebody is asked.
///
/// ## Usual causes
/// A layer wider than meant; a step that waits for numbers to be copied to be printed; tensors that are kept from step to step, with their graphs.
///
/// ## What to try
/// Look at the largest layers; detach what is kept for later; print every hundredth step.
///
/// ## Defaults
/// No limits: they are yours to state. Time is taken over 20 steps. Memory is told on Linux alone.
///
/// ## Sources
/// Performance budgets, as builds and web pages have them.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// The most numbers in all parameters.
    pub parameters: Option<usize>,
    /// The most that a step may take of a bare step's time, such as 1.5.
    #[serde(deserialize_with = "super::parameter::positive_if_any")]
    pub step_time: Option<f64>,
    /// The most memory, in MiB.
    #[serde(deserialize_with = "super::parameter::positive_if_any")]
    pub memory: Option<f64>,
    /// Over how many training steps time and memory are taken.
    pub steps: std::num::NonZeroUsize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { parameters: None, step_time: None, memory: None, steps: super::parameter::count(20) }
    }
}

impl CheckType for Budget {
    const INFO: Info = Info {
        id: "budget",
        stage: Stage::Control,
        rule: Rule::Mean,
        takes_band: false,
        narrows: &[],
        trains: true,
        causes: &[
            CauseInfo {
                id: "too_many_parameters",
                what: "the model is larger than agreed",
                cure: "look at its largest layers, or raise the limit",
            },
            CauseInfo {
                id: "slow_step",
                what: "a step does more than train",
                cure: "look at what is copied, printed or computed beside forward, backward and update",
            },
            CauseInfo {
                id: "memory",
                what: "training takes more memory than agreed",
                cure: "look at what is kept from step to step, and at the batch",
            },
        ],
    };
}

impl Check for Budget {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        let trains = self.step_time.is_some() || self.memory.is_some();
        vec![BudgetAsk { steps: if trains { self.steps.get() } else { 0 } }.into()]
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen: &Seen = match answer(taken, 0) {
            Ok(seen) => seen,
            Err(why) => return Sample::Unanswerable(why),
        };
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 parameters")]
        let (parameters, limit) = (seen.parameters as f64, self.parameters.map(|n| n as f64));
        if limit.is_none() && self.step_time.is_none() && self.memory.is_none() {
            return Sample::Nothing(format!(
                "the model has {} parameters; state `parameters`, `step_time` or `memory` to hold it to a limit",
                seen.parameters
            ));
        }
        let entry = |name: &str, value: Option<f64>, max: Option<f64>| Entry {
            name: Some(name.to_owned()),
            value,
            band: max.map(|max| Band { min: None, max: Some(max), expect: None }),
            scale: Scale::Linear,
        };
        let entries = vec![
            entry(PARAMETERS, Some(parameters), limit),
            entry(STEP_TIME, seen.step_time, self.step_time),
            entry(MEMORY, seen.memory.map(|bytes| bytes / f64::from(1 << 20)), self.memory),
        ];
        if entries.iter().all(|entry| entry.band.is_none() || entry.value.is_none()) {
            return Sample::Nothing(
                "what a limit is stated for is not told here: memory on Linux alone, time of programs that have a bare step".to_owned(),
            );
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "budget"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let of = |f: &dyn Fn(&Seen) -> Option<f64>| {
            typical(taken, |seed| f(answer(seed, 0).ok()?)).map_or_else(|| "unknown".to_owned(), number)
        };
        let outside = judged.outside.iter().map(String::as_str);
        outside
            .filter_map(|name| match name {
                PARAMETERS => {
                    let seen: &Seen = answer(taken.first()?, 0).ok()?;
                    let help = format!(
                        "the model has {} parameters, {} of which train: look at its largest layers, or raise the limit",
                        seen.parameters, seen.trainable
                    );
                    Some(Cause { id: "too_many_parameters", help })
                }
                STEP_TIME => {
                    let ratio = of(&|seen| seen.step_time);
                    let help = format!(
                        "a step takes {ratio} times as long as forward, backward and update alone: look at what it copies, prints or computes beside"
                    );
                    Some(Cause { id: "slow_step", help })
                }
                MEMORY => {
                    let mib = of(&|seen| Some(seen.memory? / f64::from(1 << 20)));
                    let help = format!("training takes {mib} MiB: look at what is kept from step to step, and at the batch");
                    Some(Cause { id: "memory", help })
                }
                _ => None,
            })
            .collect()
    }
}

#[cfg(test)]
#[path = "tests/budget.rs"]
mod tests;
