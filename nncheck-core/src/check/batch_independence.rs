//! `batch_independence`: what a model puts out for a row does not depend on the rows beside it.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::{at_most, seen, worst};
use super::evidence::some_names;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Judged, Rule, Sample};
use crate::measurement::{Measurement, Request, Rows, RowsAsk};
use crate::spec::Subject;

/// What a model puts out for a row does not depend on the other rows of its batch.
///
/// ## What it measures
/// In eval mode, for the first, the middle and the last row of a batch: all other rows are swapped for other rows of the
/// data, the number of rows stays. The value is the largest change in the row's own output over the spread of the outputs,
/// max |f(x, others) - f(x, other others)| / sqrt(mean variance over the rows), with libtorch's generator in the same state
/// both times. It is taken in float64 where the model runs in it, and of a copy of the model in which parameters that
/// are constant (zeros, ones) are moved a little, so that a head that starts at zero hides nothing. The batch is never as
/// long as another axis of the inputs.
///
/// ## Why it matters
/// A model that sees its neighbours learns from them: it does well in training and in a validation of shuffled batches, and
/// fails on single rows. The loss looks as it should.
///
/// ## Usual causes
/// A mean, a softmax, an attention or the training statistics of batch norm over the axis of the rows; a recurrence that runs
/// along the rows, because its input is not time first; `view` or `reshape` in the place of a transpose.
///
/// ## What to try
/// Hand `train` on to batch norm and dropout. Check the axis of every mean, softmax and attention: rows are the first. Say
/// `batch_first` where the rows come first. Swap axes with `transpose` or `permute`, never with `view`.
///
/// ## Defaults
/// 8 rows, and a change of at most 1e-5 of the spread: sound models have exactly 0, leaks 0.28 and more.
///
/// ## Sources
/// A. Karpathy, A Recipe for Training Neural Networks (2019), "use backprop to chart dependencies".
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BatchIndependence {
    /// Rows in a batch.
    pub rows: NonZeroUsize,
    /// The largest change that holds, over the spread of the outputs.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub tolerance: f64,
}

impl Default for BatchIndependence {
    fn default() -> Self {
        Self { rows: super::parameter::count(8), tolerance: 1e-5 }
    }
}

impl CheckType for BatchIndependence {
    const INFO: Info = Info {
        id: "batch_independence",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "batch_statistics",
                what: "something is averaged or normalised over the rows: a mean, a softmax, an attention, or batch norm's training statistics",
                cure: "hand `train` on to batch norm; check the axis of every mean, softmax and attention",
            },
            CauseInfo {
                id: "batch_as_time",
                what: "a recurrence or a causal attention runs along the rows",
                cure: "put time where the layer expects it: `batch_first`, or a transpose",
            },
            CauseInfo {
                id: "rows_mixed",
                what: "entries of different rows are mixed, as by `view` or `reshape` in the place of a transpose",
                cure: "swap axes with `transpose` or `permute`",
            },
        ],
    };
}

impl Check for BatchIndependence {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![RowsAsk { rows: self.rows.get() }.into()]
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &Rows| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        Sample::Seen(seen.swapped.iter().map(|s| at_most(row(s.row), s.difference, self.tolerance)).collect())
    }

    fn quantity(&self) -> &'static str {
        "change in a row's output when the other rows change"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = worst::<Rows>(judged, taken) else { return Vec::new() };
        let (at, by) = (judged.at.as_deref().unwrap_or("a row"), judged.value.unwrap_or(f64::NAN));
        let what = format!("{at} of {} changes by {} of the spread when only the other rows do", seen.rows, number(by));
        let reordered = seen.reordered.is_some_and(|change| change > self.tolerance);
        let cause = if let Some(side) = seen.one_sided(self.tolerance) {
            Cause {
                id: "batch_as_time",
                help: format!(
                    "{what}, and each row depends on those {side} it alone: the axis of the rows is taken for time; put time where the layer expects it (`batch_first`, or a transpose)"
                ),
            }
        } else if reordered {
            Cause {
                id: "rows_mixed",
                help: format!(
                    "{what}; it depends on {}, and on their order: look for `view` or `reshape` where `transpose` is meant",
                    seen.sources(at, self.tolerance)
                ),
            }
        } else {
            let where_to_look = if seen.batch_norms.is_empty() {
                "check the axis of every mean, softmax and attention: the rows are axis 0".to_owned()
            } else {
                format!(
                    "hand `train` on to {}, or check the axis of every mean and softmax",
                    some_names(&seen.batch_norms)
                )
            };
            Cause {
                id: "batch_statistics",
                help: format!("{what}, whatever their order: something is averaged over the rows; {where_to_look}"),
            }
        };
        vec![cause]
    }
}

fn row(row: usize) -> String {
    format!("row {row}")
}

impl Rows {
    /// On which side the rows stand that a row depends on, where they all stand on one.
    fn one_sided(&self, tolerance: f64) -> Option<&'static str> {
        let pairs = || {
            self.influence.iter().enumerate().flat_map(|(from, to)| {
                to.iter()
                    .enumerate()
                    .filter(move |&(to, &by)| to != from && by > tolerance)
                    .map(move |(to, _)| (from, to))
            })
        };
        // Two rows beside each other may have been mixed by accident; a recurrence reaches all that follow.
        let many = pairs().count() >= self.rows.saturating_sub(1).max(2);
        if many && pairs().all(|(from, to)| from < to) {
            Some("before")
        } else if many && pairs().all(|(from, to)| from > to) {
            Some("after")
        } else {
            None
        }
    }

    /// The rows that the row of this name depends on.
    fn sources(&self, name: &str, tolerance: f64) -> String {
        let Some(to) = self.swapped.iter().map(|s| s.row).find(|&r| row(r) == name) else {
            return "other rows".to_owned();
        };
        let on = |from: &usize| *from != to && self.influence[*from].get(to).is_some_and(|&by| by > tolerance);
        let names: Vec<String> = (0..self.influence.len()).filter(on).map(row).collect();
        if names.is_empty() { "other rows".to_owned() } else { some_names(&names) }
    }
}

#[cfg(test)]
#[path = "tests/batch_independence.rs"]
mod tests;
