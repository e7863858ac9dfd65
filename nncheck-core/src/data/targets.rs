//! Target columns as what the loss wants: class ids, 0 and 1, or numbers.

use std::collections::BTreeSet;

use ndarray::Array2;

use super::error::DataError;
use super::{Table, Targets, source_span};
use crate::diagnostic::Span;
use crate::spec::data::{Data, DataSource};
use crate::spec::loss::Task;

/// More classes than any data set has; beyond it a label is a mistake, not an id.
const MOST_CLASSES: f64 = 1e9;

/// The targets of a table, and how many classes there are.
pub(super) fn targets(table: &Table, data: &Data, task: Task) -> Result<(Targets, Option<usize>), DataError> {
    let stated = data.classes.as_ref().map(|c| c.value);
    match task {
        Task::Regression => Ok((Targets::Values(table.y.clone()), None)),
        Task::Binary => {
            let faults = Faults { table, data };
            if let Some(row) = table.y.iter().position(|&v| v != 0.0 && v != 1.0) {
                return Err(faults.not_binary(row));
            }
            let ones = table.y.iter().filter(|&&v| v == 1.0).count();
            if stated.is_none() && (ones == 0 || ones == table.y.len()) {
                return Err(faults.one_class(usize::from(ones > 0)));
            }
            Ok((Targets::Values(table.y.clone()), Some(2)))
        }
        Task::Multiclass => {
            let faults = Faults { table, data };
            let ids = ids(&table.y, stated, &faults)?;
            let distinct: BTreeSet<i64> = ids.iter().copied().collect();
            let k = stated.unwrap_or(distinct.len());
            if k < 2 {
                return Err(faults.one_class(distinct.first().copied().unwrap_or(0)));
            }
            // Without `classes` in the spec, the ids themselves must be 0 to k - 1.
            if let Some(row) = ids.iter().position(|&id| usize::try_from(id).is_ok_and(|id| id >= k)) {
                return Err(faults.not_numbered(row, ids[row], &distinct));
            }
            Ok((Targets::Classes(ids), Some(k)))
        }
    }
}

/// The class of each row, by which a split is stratified; `None` for regression.
pub(super) fn strata(y: &Targets, task: Task) -> Option<Vec<i64>> {
    match (y, task) {
        (_, Task::Regression) => None,
        (Targets::Classes(ids), _) => Some(ids.clone()),
        (Targets::Values(values), _) => Some(values.iter().map(|&v| i64::from(v > 0.5)).collect()),
    }
}

fn ids(y: &Array2<f64>, stated: Option<usize>, faults: &Faults<'_>) -> Result<Vec<i64>, DataError> {
    let most = stated.map_or(MOST_CLASSES, |k| k as f64);
    let id = |(row, &value): (usize, &f64)| {
        if value.fract() != 0.0 {
            Err(faults.not_an_integer(row, value))
        } else if value < 0.0 {
            Err(faults.negative(row, value))
        } else if value >= most {
            Err(faults.out_of_range(row, value, most))
        } else {
            Ok(value as i64)
        }
    };
    y.iter().enumerate().map(id).collect()
}

/// The words for labels that do not suit.
struct Faults<'a> {
    table: &'a Table,
    data: &'a Data,
}

impl Faults<'_> {
    fn error(&self, code: &'static str, row: usize, message: String) -> DataError {
        let place = self.table.origin.as_ref().map(|origin| origin.target_place(row, 0));
        DataError::new(code, message).about(self.span()).at(place)
    }

    fn span(&self) -> Span {
        match &self.data.source {
            DataSource::Csv { target, .. } => target.span,
            source @ DataSource::Synthetic(_) => source_span(source),
        }
    }

    fn not_an_integer(&self, row: usize, value: f64) -> DataError {
        self.error("data-label", row, format!("the label {value} is not an integer"))
            .help("class ids are whole numbers from 0; for real-valued targets use a loss such as `mse`")
    }

    fn negative(&self, row: usize, value: f64) -> DataError {
        self.error("data-label", row, format!("the label {value} is negative"))
            .help("class ids are whole numbers from 0")
    }

    fn out_of_range(&self, row: usize, value: f64, classes: f64) -> DataError {
        let error = self.error(
            "data-label",
            row,
            format!("the label {value} is out of range: with {classes} classes labels are 0 to {}", classes - 1.0),
        );
        match &self.data.classes {
            Some(stated) => error.about(stated.span).help("raise `classes`, or correct the label"),
            None => error.help("for real-valued targets use a loss such as `mse`"),
        }
    }

    fn not_numbered(&self, row: usize, id: i64, distinct: &BTreeSet<i64>) -> DataError {
        let k = distinct.len();
        let error = self.error(
            "data-label",
            row,
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

    fn not_binary(&self, row: usize) -> DataError {
        let value = self.table.y.iter().nth(row).copied().unwrap_or_default();
        self.error("data-label", row, format!("the label {value} is neither 0 nor 1, which the loss wants"))
            .help("use `cross_entropy` for class ids, or a loss such as `mse` for real numbers")
    }

    fn one_class(&self, label: impl std::fmt::Display) -> DataError {
        let rows = self.table.y.len();
        let error = self
            .error("data-classes", 0, format!("all {rows} labels are {label}: there is nothing to tell apart"))
            .help("a classifier needs rows of at least two classes");
        match self.data.take {
            Some(take) => {
                error.help(format!("`take = {take}` may have cut the others off: rows of a file are often sorted"))
            }
            None => error,
        }
    }
}
