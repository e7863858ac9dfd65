//! Targets as what the loss wants: class ids, 0 and 1, or numbers.

use std::collections::BTreeSet;

use super::error::{DataError, Place};
use super::{Array, Values};
use crate::diagnostic::Span;
use crate::spec::data::Data;
use crate::spec::loss::Task;
use crate::spec::run::Dtype;

/// More classes than any data set has; beyond it a label is a mistake, not an id.
const MOST_CLASSES: f64 = 1e9;

/// Where the targets came from, for the words about what is wrong with them.
pub(super) struct Origin<'a> {
    /// The key of the spec that names them.
    pub(super) span: Span,
    /// Where a row's target stands in a text file.
    pub(super) place: &'a dyn Fn(usize) -> Option<Place>,
}

/// The first target made into what the loss wants, in place; how many classes there are.
pub(super) fn settle(
    target: &mut Array,
    data: &Data,
    task: Task,
    dtype: Dtype,
    origin: &Origin<'_>,
) -> Result<Option<usize>, DataError> {
    let stated = data.classes.as_ref().map(|c| c.value);
    let classes = match task {
        Task::Regression => None,
        Task::Binary => {
            let faults = Faults { target, data, origin };
            let (mut ones, n) = (0, target.values.len());
            for index in 0..n {
                match target.values.at(index) {
                    0.0 => {}
                    1.0 => ones += 1,
                    _ => return Err(faults.not_binary(index)),
                }
            }
            if stated.is_none() && (ones == 0 || ones == n) {
                return Err(faults.one_class(usize::from(ones > 0)));
            }
            Some(2)
        }
        Task::Multiclass => {
            let faults = Faults { target, data, origin };
            let ids = ids(target, stated, &faults)?;
            let distinct: BTreeSet<i64> = ids.iter().copied().collect();
            let k = stated.unwrap_or(distinct.len());
            if k < 2 {
                return Err(faults.one_class(distinct.first().copied().unwrap_or(0)));
            }
            // Without `classes` in the spec, the ids themselves must be 0 to k - 1.
            if let Some(index) = ids.iter().position(|&id| usize::try_from(id).is_ok_and(|id| id >= k)) {
                return Err(faults.not_numbered(index, ids[index], &distinct));
            }
            target.values = Values::I64(ids);
            if target.shape == [1] {
                target.shape.clear();
            }
            return Ok(Some(k));
        }
    };
    settle_numbers(target, dtype);
    Ok(classes)
}

/// Quantities, at least one axis a row: what losses for numbers compare with `[n, outputs]`.
pub(super) fn settle_numbers(target: &mut Array, dtype: Dtype) {
    let values = std::mem::replace(&mut target.values, Values::I64(Vec::new()));
    target.values = values.into_floats(dtype);
    if target.shape.is_empty() {
        target.shape.push(1);
    }
}

/// The class of each row, by which a split is stratified; `None` where rows have none.
pub(super) fn strata(target: &Array, task: Task) -> Option<Vec<i64>> {
    if task == Task::Regression || target.row_len() != 1 {
        return None;
    }
    match &target.values {
        Values::I64(ids) => Some(ids.clone()),
        values => Some((0..values.len()).map(|row| i64::from(values.at(row) > 0.5)).collect()),
    }
}

fn ids(target: &Array, stated: Option<usize>, faults: &Faults<'_>) -> Result<Vec<i64>, DataError> {
    let most = stated.map_or(MOST_CLASSES, |k| k as f64);
    let id = |index: usize| {
        let value = target.values.at(index);
        if value.fract() != 0.0 {
            Err(faults.not_an_integer(index, value))
        } else if value < 0.0 {
            Err(faults.negative(index, value))
        } else if value >= most {
            Err(faults.out_of_range(index, value, most))
        } else {
            Ok(value as i64)
        }
    };
    (0..target.values.len()).map(id).collect()
}

/// The words for labels that do not suit.
struct Faults<'a> {
    target: &'a Array,
    data: &'a Data,
    origin: &'a Origin<'a>,
}

impl Faults<'_> {
    /// About the number at `index` of the array.
    fn error(&self, code: &'static str, index: usize, message: String) -> DataError {
        let row = index / self.target.row_len().max(1);
        let place = (self.origin.place)(row);
        let message = match place {
            Some(_) => message,
            None => format!("{message}, in row {row} of `{}` (rows count from 0)", self.target.name),
        };
        DataError::new(code, message).about(self.origin.span).at(place)
    }

    fn not_an_integer(&self, index: usize, value: f64) -> DataError {
        self.error("data-label", index, format!("the label {value} is not an integer"))
            .help("class ids are whole numbers from 0; for real-valued targets use a loss such as `mse`")
    }

    fn negative(&self, index: usize, value: f64) -> DataError {
        self.error("data-label", index, format!("the label {value} is negative"))
            .help("class ids are whole numbers from 0")
    }

    fn out_of_range(&self, index: usize, value: f64, classes: f64) -> DataError {
        let error = self.error(
            "data-label",
            index,
            format!("the label {value} is out of range: with {classes} classes labels are 0 to {}", classes - 1.0),
        );
        match &self.data.classes {
            Some(stated) => error.about(stated.span).help("raise `classes`, or correct the label"),
            None => error.help("for real-valued targets use a loss such as `mse`"),
        }
    }

    fn not_numbered(&self, index: usize, id: i64, distinct: &BTreeSet<i64>) -> DataError {
        let k = distinct.len();
        let error = self.error(
            "data-label",
            index,
            format!(
                "the label {id} is out of range: the data has {k} distinct labels, so they have to be 0 to {}",
                k - 1
            ),
        );
        if distinct.first() == Some(&1) && distinct.last() == i64::try_from(k).ok().as_ref() {
            return error.help("the labels begin with 1: subtract 1 from each");
        }
        let error = error.help("state the number of classes (`classes = ...` in [data]) if some have no rows here");
        match self.data.take {
            Some(take) => {
                error.help(format!("`take = {take}` may have cut classes off: rows of a file are often sorted"))
            }
            None => error.help("or number the labels without gaps"),
        }
    }

    fn not_binary(&self, index: usize) -> DataError {
        let value = self.target.values.at(index);
        self.error("data-label", index, format!("the label {value} is neither 0 nor 1, which the loss wants"))
            .help("use `cross_entropy` for class ids, or a loss such as `mse` for real numbers")
    }

    fn one_class(&self, label: impl std::fmt::Display) -> DataError {
        let rows = self.target.values.len();
        let place = (self.origin.place)(0);
        let error =
            DataError::new("data-classes", format!("all {rows} labels are {label}: there is nothing to tell apart"))
                .about(self.origin.span)
                .at(place)
                .help("a classifier needs rows of at least two classes");
        match self.data.take {
            Some(take) => {
                error.help(format!("`take = {take}` may have cut the others off: rows of a file are often sorted"))
            }
            None => error,
        }
    }
}
