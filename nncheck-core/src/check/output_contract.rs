//! `output_contract`: a model puts out what it promises, for batches of any size.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::{at_most, seen, worst};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Entry, Judged, Rule, Sample};
use crate::measurement::contract::{Contract, OfBatch, Output};
use crate::measurement::{ContractAsk, Measurement, Request};
use crate::spec::Subject;
use crate::spec::loss::LossKind;

/// What rounding makes of a bound.
const ROUNDING: f64 = 1e-6;
/// What float32 makes of a sum of probabilities.
const OF_A_SUM: f64 = 1e-4;

/// A model puts out one row for each it is given, in shape, range and finite, whatever the size of the batch.
///
/// ## What it measures
/// In eval mode, at initialisation, on a batch as large as in training and on batches of 1 and 7 rows: whether the model runs,
/// whether there is one row of outputs for each row of inputs, always of the same shape (0 if so, else 1); the share of
/// entries that are not finite; how far entries lie outside `low` and `high`; and how far probabilities are from adding up to
/// one, where `probabilities` or the loss (`nll`) says that there are any. All of them have to be 0, but for rounding.
///
/// ## Why it matters
/// A model is trained on batches and used on single rows. One that loses the axis of the rows when there is only one, or
/// that knows its batch size by heart, fails on the day on which it is used.
///
/// ## Usual causes
/// `squeeze()` without an axis; a batch size written into `view` or `reshape`; a sigmoid or a log-softmax that the loss wants
/// and the model lacks.
///
/// ## What to try
/// `squeeze_dim(-1)` names its axis; -1 in `view` leaves the number of rows open. Put the last activation where the loss wants it.
///
/// ## Defaults
/// Batches of 1 and of 7 rows. `bce` wants numbers from 0 to 1, `nll` log-probabilities; nothing else is expected of the range
/// unless `low`, `high`, `probabilities` or `shape` (of one row of the first output) say so. Rounding: 1e-6 of a range,
/// 1e-4 of a sum.
///
/// ## Sources
/// The shapes in PyTorch's documentation of its losses.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OutputContract {
    /// The sizes of the batches beside that of training.
    pub batches: Vec<NonZeroUsize>,
    /// The shape of one row of the first output.
    pub shape: Option<Vec<usize>>,
    /// The least that the first output may be.
    #[serde(deserialize_with = "super::parameter::finite_if_any")]
    pub low: Option<f64>,
    /// The most that the first output may be.
    #[serde(deserialize_with = "super::parameter::finite_if_any")]
    pub high: Option<f64>,
    /// Whether the first output is made of probabilities: from 0 to 1, and adding up to 1 over the classes.
    pub probabilities: bool,
}

impl Default for OutputContract {
    fn default() -> Self {
        let batches = vec![super::parameter::count(1), super::parameter::count(7)];
        Self { batches, shape: None, low: None, high: None, probabilities: false }
    }
}

impl CheckType for OutputContract {
    const INFO: Info = Info {
        id: "output_contract",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "squeezed",
                what: "the axis of the rows is lost where there is one row",
                cure: "name the axis: `squeeze_dim(-1)` instead of `squeeze()`",
            },
            CauseInfo {
                id: "fixed_batch",
                what: "the model runs on batches of one size alone",
                cure: "leave the number of rows open: -1 in `view`, or the input's own size",
            },
            CauseInfo {
                id: "not_finite",
                what: "an output is not finite",
                cure: "look at `finite`, which names the place where it begins",
            },
            CauseInfo {
                id: "range",
                what: "an output lies outside its range",
                cure: "put a sigmoid at the end, or use the loss that takes logits",
            },
            CauseInfo {
                id: "not_normalised",
                what: "probabilities do not add up to one",
                cure: "put a softmax or a log-softmax over the classes at the end, or use the loss that takes logits",
            },
            CauseInfo {
                id: "shape",
                what: "the first output is not of the shape that the property states",
                cure: "look at the last layer",
            },
        ],
    };
}

impl Check for OutputContract {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![ContractAsk { batches: self.batches.iter().map(|rows| rows.get()).collect() }.into()]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &Contract| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        let Some((usual, first)) = seen.usual() else {
            return Sample::Nothing("the first output has no axis of rows".to_owned());
        };
        let mut entries: Vec<Entry> = seen
            .batches
            .iter()
            .map(|batch| at_most(name(batch), if fits(usual, batch).is_ok() { 0.0 } else { 1.0 }, 0.0))
            .collect();
        let all = || seen.batches.iter().filter_map(|batch| batch.outputs.as_ref().ok()).flatten();
        let first = |of: &dyn Fn(&Output) -> f64| all().filter(|o| o.name == first.name).map(of).fold(0.0, worse);
        entries.push(at_most("not finite", all().map(|output| 1.0 - output.finite).fold(0.0, worse), 0.0));
        if let Some(shape) = &self.shape {
            let other = usual.outputs.iter().flatten().next().is_none_or(|o| o.shape.get(1..) != Some(shape));
            entries.push(at_most("shape", f64::from(u8::from(other)), 0.0));
        }
        let (low, high) = self.range(context);
        if low.is_some() || high.is_some() {
            let beyond = |o: &Output| {
                let below = low.map_or(0.0, |low| low - o.min);
                let above = high.map_or(0.0, |high| o.max - high);
                worse(worse(below, above), 0.0)
            };
            entries.push(at_most("outside its range", first(&beyond), ROUNDING));
        }
        match self.sums(context) {
            Some(Of::Entries) => {
                let off = first(&|o: &Output| o.sums.map_or(0.0, |sums| sums.of_entries));
                entries.push(at_most("sum of probabilities", off, OF_A_SUM));
            }
            Some(Of::Exponentials) => {
                let off = first(&|o: &Output| o.sums.map_or(0.0, |sums| sums.of_exponentials));
                entries.push(at_most("sum of probabilities", off, OF_A_SUM));
            }
            None => {}
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "broken promise"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = worst::<Contract>(judged, taken) else { return Vec::new() };
        let Some((usual, first)) = seen.usual() else { return Vec::new() };
        let mut causes = Vec::new();
        if let Some(Err((id, help))) = seen.batches.iter().map(|batch| fits(usual, batch)).find(Result::is_err) {
            causes.push(Cause { id, help });
        }
        for name in &judged.outside {
            let by = judged.by.iter().find(|(n, _)| n == name).and_then(|(_, v)| *v).map_or("some".to_owned(), number);
            let (id, help) = match name.as_str() {
                "not finite" => (
                    "not_finite",
                    format!("a share of {by} of an output is not finite: `finite` finds where it begins"),
                ),
                "shape" => (
                    "shape",
                    format!(
                        "a row of `{}` is of shape {:?}, not {:?}: look at the last layer",
                        first.name,
                        &first.shape[1..],
                        self.shape.as_deref().unwrap_or_default()
                    ),
                ),
                "outside its range" => {
                    let (low, high) = self.range(context);
                    let edge = |edge: Option<f64>| edge.map_or("any".to_owned(), number);
                    (
                        "range",
                        format!(
                            "`{}` goes from {} to {}, where {} to {} is meant: put a sigmoid at the end, or use the loss that takes logits",
                            first.name,
                            number(first.min),
                            number(first.max),
                            edge(low),
                            edge(high)
                        ),
                    )
                }
                "sum of probabilities" => (
                    "not_normalised",
                    format!(
                        "the probabilities of `{}` add up to 1 with an error of {by}: put a softmax (for `nll` a log-softmax) over the classes at the end, or use the loss that takes logits",
                        first.name
                    ),
                ),
                _ => continue,
            };
            causes.push(Cause { id, help });
        }
        causes
    }
}

/// What adds up to one.
enum Of {
    Entries,
    Exponentials,
}

impl OutputContract {
    fn range(&self, context: &Context<'_>) -> (Option<f64>, Option<f64>) {
        let unit = self.probabilities || context.subject.loss.kind() == Some(LossKind::Bce);
        let log = context.subject.loss.kind() == Some(LossKind::Nll);
        let low = self.low.or(unit.then_some(0.0));
        (low, self.high.or(unit.then_some(1.0)).or(log.then_some(0.0)))
    }

    fn sums(&self, context: &Context<'_>) -> Option<Of> {
        if self.probabilities {
            return Some(Of::Entries);
        }
        (context.subject.loss.kind() == Some(LossKind::Nll)).then_some(Of::Exponentials)
    }
}

impl Contract {
    /// The batch as large as in training, and its first output, where that has an axis of rows.
    fn usual(&self) -> Option<(&OfBatch, &Output)> {
        let usual = self.batches.first()?;
        let first = usual.outputs.as_ref().ok()?.first()?;
        (first.shape.first() == Some(&usual.rows)).then_some((usual, first))
    }
}

fn name(batch: &OfBatch) -> String {
    format!("batch of {}", batch.rows)
}

/// Whether outputs that have a row for each in the usual batch have one for each in this one; if not, why.
fn fits(usual: &OfBatch, batch: &OfBatch) -> Result<(), (&'static str, String)> {
    let rows = batch.rows;
    let outputs = match &batch.outputs {
        Ok(outputs) => outputs,
        Err(words) => {
            let words = words.lines().next().unwrap_or_default();
            return Err((
                "fixed_batch",
                format!(
                    "the model runs on {} rows and not on {rows} ({words}): leave the number of rows open, as by -1 in `view`",
                    usual.rows
                ),
            ));
        }
    };
    for output in usual.outputs.iter().flatten().filter(|output| output.shape.first() == Some(&usual.rows)) {
        let row = &output.shape[1..];
        let Some(here) = outputs.iter().find(|o| o.name == output.name) else { continue };
        if here.shape.first() == Some(&rows) && here.shape.get(1..) == Some(row) {
            continue;
        }
        let what = format!(
            "`{}` is of shape {:?} for {} rows and {:?} for {rows}",
            output.name, output.shape, usual.rows, here.shape
        );
        return Err(if rows == 1 && here.shape.len() < output.shape.len() {
            ("squeezed", format!("{what}: the axis of the rows is lost; name the axis, as in `squeeze_dim(-1)`"))
        } else {
            ("fixed_batch", format!("{what}: leave the number of rows open, as by -1 in `view`"))
        });
    }
    Ok(())
}

/// The larger, and a NaN of any.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

#[cfg(test)]
#[path = "tests/output_contract.rs"]
mod tests;
