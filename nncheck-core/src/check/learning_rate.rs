//! `learning_rate`: the rate lies where a range test's loss falls.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::seen;
use super::evidence::{answer, median};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::diagnostic::Span;
use crate::judge::exhibit::{Curve, Exhibit};
use crate::judge::number::{number, rough, times};
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::lr_range::Landmarks;
use crate::measurement::{LrRange, LrRangeAsk, Measurement, Request, Trial, Trials, TrialsAsk};
use crate::spec::Subject;
use crate::spec::optimizer::Optimizer;

const OF_FALL: &str = "of where the loss begins to fall";
const OF_RISE: &str = "of where the loss has risen again";
const HALF: &str = "loss at half the rate";
const TWICE: &str = "loss at twice the rate";

/// The learning rate lies where the loss of a range test falls; the test suggests one.
///
/// ## What it measures
/// A range test: the program trains while its rate rises by one factor a step, from `low` to `high` in `steps` steps, without
/// its schedule, and after each step the mean loss of the first `rows` training rows is read, so that no noise of batches is in
/// it. Three rates are read off the curve: where a twentieth of the whole fall is reached, where the loss is lowest, and where
/// beyond that it is back at its start. Judged is the program's full rate over the first of them (at least `of_fall`) and over
/// the last (at most `of_rise`), on a log scale. With `sensitivity`, two trainings of `sensitivity_steps` steps at half and at
/// twice the rate as well: the loss that they reach over that at the rate itself is at most `sensitivity`.
///
/// ## Why it matters
/// The learning rate is the one number to set if only one is set. Too low a rate looks like a model that cannot learn; too high
/// a one like a model that is broken.
///
/// ## Usual causes
/// A rate taken over from another optimizer (0.1 is usual for SGD and a hundred times too high for Adam); a loss that is summed
/// over the batch; an epsilon, a clipping or a schedule that takes most of the step away.
///
/// ## What to try
/// The suggested rate, which lies half way (in factors) between the beginning of the fall and the lowest loss.
///
/// ## Defaults
/// 140 steps from 1e-6 to 10, widened so that ten times the program's rate and a tenth of it are tried; at least 0.05 of where the fall begins
/// and at most 1 of where the loss has risen again. Over 12 sound and 7 unusual programs with three seeds each the rate was 0.27
/// to 28 times the former and 0.0005 to 0.18 times the latter; of programs with a rate of 5 for SGD, 0.5 or 1e-7 for Adam, a
/// summed loss, gradients that add up and an epsilon of 1 all were outside. Where the loss falls by less than a twentieth at any rate, it is
/// skipped: what is wrong is not the rate.
///
/// ## Sources
/// L. N. Smith, Cyclical Learning Rates for Training Neural Networks (2017).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LearningRate {
    /// The lowest rate that is tried.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub low: f64,
    /// The highest rate that is tried.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub high: f64,
    /// How many steps the test takes.
    pub steps: NonZeroUsize,
    /// On how many of the first training rows the loss is read.
    pub rows: NonZeroUsize,
    /// The least that the rate may be of the one at which the loss begins to fall.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub of_fall: f64,
    /// The most that the rate may be of the one at which the loss has risen again.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub of_rise: f64,
    /// The most that the loss at half and at twice the rate may be of that at the rate; not looked at without.
    #[serde(deserialize_with = "super::parameter::positive_if_any")]
    pub sensitivity: Option<f64>,
    /// How many steps each training for `sensitivity` takes.
    pub sensitivity_steps: NonZeroUsize,
}

impl Default for LearningRate {
    fn default() -> Self {
        let count = super::parameter::count;
        Self {
            low: 1e-6,
            high: 10.0,
            steps: count(140),
            rows: count(256),
            of_fall: 0.05,
            of_rise: 1.0,
            sensitivity: None,
            sensitivity_steps: count(200),
        }
    }
}

impl CheckType for LearningRate {
    const INFO: Info = Info {
        id: "learning_rate",
        stage: Stage::Parameters,
        rule: Rule::Mean,
        takes_band: false,
        narrows: &[],
        trains: true,
        causes: &[
            CauseInfo {
                id: "learning_rate_high",
                what: "the rate is so high that the loss rises",
                cure: "train with the suggested rate",
            },
            CauseInfo {
                id: "learning_rate_low",
                what: "the rate is so low that the loss hardly moves",
                cure: "train with the suggested rate",
            },
            CauseInfo {
                id: "sensitive",
                what: "half or twice the rate trains much worse: the rate is at an edge",
                cure: "move away from the edge, or warm up",
            },
        ],
    };
}

impl Check for LearningRate {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, subject: &Subject) -> Vec<Request> {
        let rate = subject.optimizer.as_ref().and_then(Optimizer::lr);
        let (low, high) =
            rate.map_or((self.low, self.high), |rate| (self.low.min(rate / 10.0), self.high.max(rate * 10.0)));
        let range = LrRangeAsk { low, high: high.max(low), steps: self.steps.get(), rows: self.rows.get() };
        let trials = self.sensitivity.map(|_| TrialsAsk {
            trials: [0.5, 1.0, 2.0].map(Trial::Own).to_vec(),
            steps: self.sensitivity_steps.get(),
            rows: self.rows.get(),
        });
        std::iter::once(range.into()).chain(trials.map(Request::from)).collect()
    }

    fn refusal(&self, _context: &Context<'_>) -> Option<(Option<Span>, String)> {
        (self.low >= self.high).then(|| {
            let (low, high) = (number(self.low), number(self.high));
            (None, format!("the rate is to rise from `low`, {low}, to `high`, {high}, which is not above it"))
        })
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &LrRange| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        let Some(marks) = seen.landmarks() else {
            return Sample::Nothing(format!(
                "the loss of {} falls at no rate: something else is wrong, see `learns` and `overfit`",
                number(seen.start)
            ));
        };
        let Some(lr) = seen.lr else {
            return Sample::Nothing(format!(
                "the optimizer does not tell its learning rate (`lr` of `nncheck::Optimize`); the range test suggests {}",
                rough(marks.suggestion())
            ));
        };
        let entry = |name: &str, value, min, max| Entry {
            name: Some(name.to_owned()),
            value,
            band: Some(Band { min, max, expect: None }),
            scale: Scale::Log,
        };
        let mut entries = vec![
            entry(OF_FALL, Some(lr / marks.falls), Some(self.of_fall), None),
            entry(OF_RISE, marks.rises.map(|rises| lr / rises), None, Some(self.of_rise)),
        ];
        if let (Some(most), Ok(trials)) = (self.sensitivity, answer::<Trials>(taken, 1))
            && let [half, own, twice] = trials.losses[..]
        {
            let losses = [(HALF, half), (TWICE, twice)];
            entries.extend(losses.map(|(name, loss)| entry(name, Some(loss / own), None, Some(most))));
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "learning rate"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some((lr, marks)) = typical(taken) else { return Vec::new() };
        let outside = |name: &str| judged.outside.iter().any(|o| o == name);
        let try_it = format!("try lr = {} instead of {}", rough(marks.suggestion()), number(lr));
        let mut causes = Vec::new();
        if let (true, Some(rises)) = (outside(OF_RISE), marks.rises) {
            causes.push(Cause {
                id: "learning_rate_high",
                help: format!(
                    "in a range test the loss is lowest at a rate of {} and back at its start at {}; {} is {} times that: {try_it}",
                    number(marks.best),
                    number(rises),
                    number(lr),
                    times(lr / rises)
                ),
            });
        }
        if outside(OF_FALL) {
            causes.push(Cause {
                id: "learning_rate_low",
                help: format!(
                    "in a range test the loss begins to fall at a rate of {}; {} is {} times lower: {try_it}, and look at whatever shortens the steps (epsilon, clipping)",
                    number(marks.falls),
                    number(lr),
                    times(marks.falls / lr)
                ),
            });
        }
        let edges: Vec<&str> = [HALF, TWICE].into_iter().filter(|name| outside(name)).collect();
        if !edges.is_empty() {
            let help = format!(
                "{} is far above that at {}: the rate is at an edge; {try_it}, or warm up",
                edges.join(" and "),
                number(lr)
            );
            causes.push(Cause { id: "sensitive", help });
        }
        causes
    }

    fn exhibits(&self, _context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Exhibit> {
        let Some(seen) = taken.iter().find_map(|seed| ranged(seed)) else { return Vec::new() };
        let nearest = |rate: f64| {
            let distance = |&(_, r): &(usize, &f64)| (r / rate).ln().abs();
            let found = seen.rates.iter().enumerate().min_by(|a, b| distance(a).total_cmp(&distance(b)));
            found.map(|(i, _)| i)
        };
        let mut marks = Vec::new();
        if let Some(found) = seen.landmarks() {
            marks.extend(nearest(found.suggestion()).map(|i| (i, "suggested".to_owned())));
        }
        if let Some(lr) = seen.lr.filter(|lr| seen.rates.last().is_some_and(|last| lr <= last)) {
            marks.extend(nearest(lr).map(|i| (i, "now".to_owned())));
        }
        let y = seen.losses.iter().map(|v| Some(*v).filter(|v| v.is_finite())).collect();
        vec![Exhibit::Curve(Curve { title: "loss by learning rate".to_owned(), x: seen.rates.clone(), y, marks })]
    }

    fn suggestion(&self, _context: &Context<'_>, taken: &[Vec<Measurement>]) -> Option<String> {
        Some(format!("lr = {}", rough(typical(taken)?.1.suggestion())))
    }

    fn remark(&self, _context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Option<String> {
        let (lr, marks) = typical(taken)?;
        let (low, high) = (marks.falls, marks.best);
        Some(format!(
            "the rate is {}; in a range test the loss falls from {} to {}, which suggests {}",
            number(lr),
            rough(low),
            rough(high),
            rough(marks.suggestion())
        ))
    }
}

fn ranged(seed: &[Measurement]) -> Option<&LrRange> {
    answer(seed, 0).ok()
}

/// The rate and the landmarks, in the median over the seeds.
fn typical(taken: &[Vec<Measurement>]) -> Option<(f64, Landmarks)> {
    let lr = taken.iter().find_map(|seed| ranged(seed)?.lr)?;
    let all: Vec<Landmarks> = taken.iter().filter_map(|seed| ranged(seed)?.landmarks()).collect();
    let of = |f: fn(&Landmarks) -> f64| median(&all.iter().map(f).collect::<Vec<_>>());
    let rises: Vec<f64> = all.iter().filter_map(|marks| marks.rises).collect();
    let marks =
        Landmarks { falls: of(|m| m.falls)?, best: of(|m| m.best)?, rises: median(&rises), lowest: of(|m| m.lowest)? };
    Some((lr, marks))
}

#[cfg(test)]
#[path = "tests/learning_rate.rs"]
mod tests;
