//! Whether what a model puts out for a row depends on the rows beside it.

use nncheck_core::measurement::rows::{Rows, RowsAsk, Swapped};

use super::forward::{self, Forward, Stop, difference_of, nothing, one_row, or_nothing};
use crate::subject::{Program, SubjectError};
use crate::user::Named;

/// Below this, nothing changed.
const CHANGED: f64 = 1e-9;

/// Puts rows beside other rows, and compares what is put out for them.
pub(super) fn measure(program: &Program<'_>, ask: &RowsAsk) -> Result<Rows, SubjectError> {
    let measured = forward::connected(program, |model| look(model, ask.rows));
    or_nothing(measured, |cannot| Rows { cannot, ..Rows::default() })
}

fn look(model: &Forward<'_, '_>, wanted: usize) -> Result<Rows, Stop> {
    let rows = model.row_count(wanted, 2)?;
    // Rows of one batch by their places in it, and those that stand in for them.
    let own: Vec<usize> = (0..rows).collect();
    let other = |row: usize| row + rows;
    let batch = model.rows(&own);
    let swap = |keep: &dyn Fn(usize) -> bool| -> Vec<usize> {
        own.iter().map(|&row| if keep(row) { row } else { other(row) }).collect()
    };
    let alike = batch.inputs().iter().zip(model.rows(&swap(&|_| false)).inputs().iter()).all(|((_, a), (_, b))| a == b);
    if alike {
        return nothing("all rows of the data are alike");
    }
    let outputs = model.by_row(&batch)?;
    let spreads = Forward::spreads(&outputs)?;
    model.is_repeatable(&batch, &outputs, &spreads)?;
    let change = |places: &[usize], row: usize| -> Result<f64, Stop> {
        let changed: Named = model.by_row(&model.rows(places))?;
        Ok(difference_of(&outputs, &changed, &spreads, one_row(row)))
    };
    let mut places = vec![0, rows / 2, rows - 1];
    places.dedup();
    let swapped = places
        .into_iter()
        .map(|row| Ok(Swapped { row, difference: change(&swap(&|r| r == row), row)? }))
        .collect::<Result<Vec<_>, Stop>>()?;
    let mut result = Rows { rows, swapped, ..Rows::default() };
    if result.swapped.iter().all(|s| s.difference <= CHANGED) {
        return Ok(result);
    }
    let reordered: Vec<usize> = std::iter::once(0).chain((1..rows).rev()).collect();
    result.reordered = Some(change(&reordered, 0)?);
    for from in 0..rows {
        let changed = model.by_row(&model.rows(&swap(&|row| row != from)))?;
        let to = (0..rows).map(|row| difference_of(&outputs, &changed, &spreads, one_row(row)));
        result.influence.push(to.collect());
    }
    let norms = model.layers(&batch)?.into_iter().filter(|a| a.operator.contains("batch_norm"));
    result.batch_norms = norms.map(|a| a.layer).collect();
    Ok(result)
}
