//! `lr_schedule`: the rate goes the way that the spec declares.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::answer;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::exhibit::{Curve, Exhibit};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::optimizer_steps::{OptimizerSteps, OptimizerStepsAsk};
use crate::measurement::{Measurement, Request};
use crate::spec::Subject;
use crate::spec::optimizer::{Group, Optimizer};
use crate::spec::schedule::{Course, ScheduleKind};

const APART: &str = "distance from the declared rate";
const LEFT: &str = "share of the rate that is left";

/// The learning rate follows the declared schedule, step by step, and does not fall to nothing.
///
/// ## What it measures
/// The rate with which the optimizer takes its first step in each of `steps` training steps, against that of the declared
/// schedule for that step: the largest difference over the full rate. And, of schedules without an end (`step`, `exponential`), the share of the
/// full rate that is left after `left_after` steps. Of several parameter groups it is the first one's.
///
/// ## Why it matters
/// A schedule that runs once a step where once an epoch was meant stops training long before anybody looks; one that runs too
/// late warms up for the whole run. The loss curve shows neither plainly.
///
/// ## Usual causes
/// A step function that sets the rate itself, or steps more than once for each batch; a decay made for epochs.
///
/// ## What to try
/// Declare the schedule in `[optimizer]` and leave the rate alone in the step; count the schedule's steps in optimizer steps.
///
/// ## Defaults
/// 200 steps; the rates agree to 1e-6 of the full rate; after 100 steps at least a thousandth of it is left.
///
/// ## Sources
/// PyTorch, `torch.optim.lr_scheduler`: the schedules.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LrSchedule {
    /// How many training steps.
    pub steps: NonZeroUsize,
    /// How far the rate may be from the declared one, as a share of the full rate.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub apart: f64,
    /// After how many steps something has to be left of the rate.
    pub left_after: NonZeroUsize,
    /// How much of the full rate that is.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub left: f64,
}

impl Default for LrSchedule {
    fn default() -> Self {
        let count = super::parameter::count;
        Self { steps: count(200), apart: 1e-6, left_after: count(100), left: 1e-3 }
    }
}

impl CheckType for LrSchedule {
    const INFO: Info = Info {
        id: "lr_schedule",
        stage: Stage::Parameters,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: true,
        causes: &[
            CauseInfo {
                id: "steps_twice",
                what: "the optimizer, and with it the schedule, steps more or less than once for each training step",
                cure: "step once for each call, or declare `accumulate` in [train]",
            },
            CauseInfo {
                id: "set_by_step",
                what: "the step sets the rate itself",
                cure: "leave the rate to the declared schedule",
            },
            CauseInfo {
                id: "decays_too_fast",
                what: "the schedule takes the rate to nothing within a hundred steps",
                cure: "count in optimizer steps: a decay for each epoch has to wait for as many steps",
            },
        ],
    };
}

/// The first group, where it has a schedule.
fn scheduled(subject: &Subject) -> Option<&Group> {
    subject.optimizer.as_ref()?.groups().first().filter(|group| group.schedule.is_some())
}

/// Why there is no schedule to follow.
fn unscheduled(subject: &Subject) -> String {
    let groups = subject.optimizer.as_ref().map(Optimizer::groups).unwrap_or_default();
    if groups.iter().any(|group| group.schedule.is_some()) {
        "the first parameter group has no schedule, and an optimizer tells the rate of that group alone".to_owned()
    } else {
        "the spec declares no schedule of the learning rate".to_owned()
    }
}

/// The declared rate of each step; the losses are for `plateau`.
fn declared(group: &Group, losses: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut course = Course::new(group.schedule.as_ref(), group.kind.lr());
    losses
        .map(|loss| {
            let rate = course.lr();
            course.advance();
            course.see(loss);
            rate
        })
        .collect()
}

impl Check for LrSchedule {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![OptimizerStepsAsk { steps: self.steps.get() }.into()]
    }

    fn moot(&self, context: &Context<'_>) -> Option<String> {
        scheduled(context.subject).is_none().then(|| unscheduled(context.subject))
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen: &OptimizerSteps = match answer(taken, 0) {
            Ok(seen) => seen,
            Err(why) => return Sample::Unanswerable(why),
        };
        let Some(group) = scheduled(context.subject) else {
            return Sample::Nothing(unscheduled(context.subject));
        };
        if let Some(why) = &seen.cannot {
            return Sample::Nothing(why.clone());
        }
        if seen.steps.iter().all(|step| step.rate.is_none()) {
            return Sample::Nothing("the optimizer never steps: look at `parameters_update`".to_owned());
        }
        let expected = declared(group, seen.steps.iter().map(|step| step.loss));
        let full = group.full_rate();
        let rates = seen.steps.iter().zip(&expected);
        let apart = rates.filter_map(|(step, expected)| Some((step.rate? - expected).abs() / full)).fold(0.0, f64::max);
        let endless = matches!(
            group.schedule.as_ref().map(|schedule| &schedule.kind),
            Some(ScheduleKind::Step(_) | ScheduleKind::Exponential(_))
        );
        let warmup = group.schedule.as_ref().map_or(0, |schedule| schedule.warmup);
        let at = u64::try_from(self.left_after.get()).unwrap_or(u64::MAX).saturating_add(warmup);
        let left = group.schedule.as_ref().map(|schedule| schedule.lr_at(group.kind.lr(), at) / full);
        let entry = |name: &str, value, min, max, scale| Entry {
            name: Some(name.to_owned()),
            value,
            band: Some(Band { min, max, expect: None }),
            scale,
        };
        Sample::Seen(vec![
            entry(APART, Some(apart), None, Some(self.apart), Scale::Linear),
            entry(LEFT, left.filter(|_| endless), Some(self.left), None, Scale::Log),
        ])
    }

    fn quantity(&self) -> &'static str {
        "learning rate schedule"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(group) = scheduled(context.subject) else { return Vec::new() };
        let outside = |name: &str| judged.outside.iter().any(|o| o == name);
        let mut causes = Vec::new();
        if let (true, Some(seen)) =
            (outside(APART), taken.iter().find_map(|seed| answer::<OptimizerSteps>(seed, 0).ok()))
        {
            let expected = declared(group, seen.steps.iter().map(|step| step.loss));
            let differs = |(step, expected): (&crate::measurement::optimizer_steps::Moment, &f64)| {
                step.rate
                    .filter(|rate| (rate - expected).abs() > self.apart * group.full_rate())
                    .map(|rate| (rate, *expected))
            };
            let mut pairs = seen.steps.iter().zip(&expected).map(differs).enumerate();
            let first = pairs.find_map(|(index, pair)| Some((index, pair?)));
            let numbers = first.map_or_else(String::new, |(index, (rate, expected))| {
                format!("in step {} the rate is {} where {} is declared", index + 1, number(rate), number(expected))
            });
            let odd = seen.steps.iter().find(|step| step.count != 1).map(|step| step.count);
            let by_step = Cause {
                id: "set_by_step",
                help: format!("{numbers}: leave the rate to the declared schedule, and set it nowhere else"),
            };
            match odd {
                Some(count) => {
                    let help = format!(
                        "{numbers}: the optimizer steps {count} times in one training step, and the schedule with it; step once, or declare `accumulate` in [train]"
                    );
                    causes.extend([Cause { id: "steps_twice", help }, by_step]);
                }
                None => causes.push(by_step),
            }
        }
        if outside(LEFT) {
            causes.push(Cause {
                id: "decays_too_fast",
                help: format!(
                    "after {} steps {} of the full rate is left: a decay for each epoch has to wait for as many steps (`step_size`), or be as much slower (`gamma`)",
                    self.left_after,
                    number(judged.by.iter().find(|(name, _)| name == LEFT).and_then(|(_, v)| *v).unwrap_or(0.0))
                ),
            });
        }
        causes
    }

    fn exhibits(&self, _context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Exhibit> {
        let Some(seen) = taken.iter().find_map(|seed| answer::<OptimizerSteps>(seed, 0).ok()) else {
            return Vec::new();
        };
        let rates: Vec<f64> = seen.steps.iter().map(|step| step.rate.unwrap_or(f64::NAN)).collect();
        vec![Exhibit::Curve(Curve::by_step("learning rate", &rates))]
    }
}

#[cfg(test)]
#[path = "tests/lr_schedule.rs"]
mod tests;
