//! `determinism`: the same seed gives the same numbers.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::{at_most, worst_seed};
use super::evidence::{answer, some_names};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Judged, Rule, Sample};
use crate::measurement::determinism::{Run, RunAsk};
use crate::measurement::{Measurement, Request};
use crate::spec::Subject;
use crate::spec::model::ModelSource;

const DATA: &str = "data";
const BEFORE: &str = "parameters before training";
const LOSSES: &str = "losses of the steps";
const AFTER: &str = "parameters after training";

/// Two fresh processes with one seed give the same numbers, bit for bit.
///
/// ## What it measures
/// Two processes, each started for this alone, build the program with the same seed and train it for `steps` steps. The values
/// are the shares of what differs in any bit: the first batch, the tensors before training, the losses of the steps, the
/// tensors after training. All have to be 0.
///
/// ## Why it matters
/// Without it no result can be repeated, no failure looked into, and no change told from chance.
///
/// ## Usual causes
/// Random numbers of another generator (`rand`, the clock) that no seed reaches; the order of a `HashMap` or of a folder; a
/// sum of several threads.
///
/// ## What to try
/// Draw from libtorch's generator, or seed your own with a constant. Sort what comes from a map or a folder. Set
/// `[run] threads = 1`.
///
/// ## Defaults
/// 10 steps; exact equality.
///
/// ## Sources
/// PyTorch's notes on reproducibility.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Determinism {
    /// How many training steps are taken.
    pub steps: NonZeroUsize,
}

impl Default for Determinism {
    fn default() -> Self {
        Self { steps: super::parameter::count(10) }
    }
}

impl CheckType for Determinism {
    const INFO: Info = Info {
        id: "determinism",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "data_differs",
                what: "the data is not the same in two processes",
                cure: "seed what is drawn, and sort what comes from a map or a folder",
            },
            CauseInfo {
                id: "unseeded_initialisation",
                what: "parameters start from random numbers that no seed reaches",
                cure: "draw them from libtorch's generator",
            },
            CauseInfo {
                id: "unseeded_training",
                what: "training draws random numbers that no seed reaches, or sums in another order",
                cure: "draw them from libtorch's generator; set `[run] threads = 1`",
            },
        ],
    };
}

impl Check for Determinism {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, subject: &Subject) -> Vec<Request> {
        let trains = subject.optimizer.is_some() || matches!(subject.model.source, ModelSource::Subject { .. });
        let steps = if trains { self.steps.get() } else { 0 };
        (0..2).map(|run| RunAsk { run, steps }.into()).collect()
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let (a, b) = match runs(taken) {
            Ok(runs) => runs,
            Err(why) => return Sample::Unanswerable(why),
        };
        let mut entries = vec![
            at_most(DATA, if a.data == b.data { 0.0 } else { 1.0 }, 0.0),
            at_most(BEFORE, share(&a.before, &b.before, |a, b| a == b), 0.0),
        ];
        if !a.losses.is_empty() {
            entries.push(at_most(LOSSES, share(&a.losses, &b.losses, |a, b| a.to_bits() == b.to_bits()), 0.0));
            entries.push(at_most(AFTER, share(&a.after, &b.after, |a, b| a == b), 0.0));
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "share that differs between two processes"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(Ok((a, b))) = taken.get(worst_seed(judged)).map(|seed| runs(seed)) else { return Vec::new() };
        let differ = |a: &[(String, u64)], b: &[(String, u64)]| -> Vec<String> {
            a.iter().zip(b).filter(|(a, b)| a != b).map(|(a, _)| a.0.clone()).collect()
        };
        let mut causes = Vec::new();
        if a.data != b.data {
            let help = "the first batch is not the same in two processes: seed what is drawn, and sort what comes from a map or a folder";
            causes.push(Cause { id: "data_differs", help: help.to_owned() });
        }
        let before = differ(&a.before, &b.before);
        if !before.is_empty() || a.before.len() != b.before.len() {
            let help = format!(
                "with one seed, two processes start from different values of {}: draw them from libtorch's generator",
                if before.is_empty() { "other tensors".to_owned() } else { some_names(&before) }
            );
            causes.push(Cause { id: "unseeded_initialisation", help });
        }
        if causes.is_empty() {
            let at = a.losses.iter().zip(&b.losses).position(|(a, b)| a.to_bits() != b.to_bits());
            let what = match at {
                Some(step) => format!(
                    "the loss of step {step} is {} in one process and {} in the other",
                    number(a.losses[step]),
                    number(b.losses[step])
                ),
                None => format!("{} differ after training", some_names(&differ(&a.after, &b.after))),
            };
            let help = format!(
                "{what}, from the same parameters and the same data: something draws random numbers that no seed reaches, or keeps an order that changes (a `HashMap`); with several threads, set `[run] threads = 1`"
            );
            causes.push(Cause { id: "unseeded_training", help });
        }
        causes
    }
}

fn runs(taken: &[Measurement]) -> Result<(&Run, &Run), String> {
    Ok((answer(taken, 0)?, answer(taken, 1)?))
}

/// The share of what is not equal, place by place; all of it where there is another number of places.
fn share<T>(a: &[T], b: &[T], equal: impl Fn(&T, &T) -> bool) -> f64 {
    if a.len() != b.len() {
        return 1.0;
    }
    let differ = a.iter().zip(b).filter(|(a, b)| !equal(a, b)).count();
    #[expect(clippy::cast_precision_loss, reason = "tensors and steps are few")]
    let share = differ as f64 / a.len().max(1) as f64;
    share
}

#[cfg(test)]
#[path = "tests/determinism.rs"]
mod tests;
