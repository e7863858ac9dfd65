//! The loss before any training.

use nncheck_core::measurement::{Initial, InitialAsk};
use tch::{Kind, Tensor};

use crate::observe::Observer;
use crate::subject::{Program, SubjectError};

/// Data loss at initialisation in train mode, batch by batch over the first rows, each batch weighted by its rows.
pub(super) fn measure(program: &Program<'_>, ask: &InitialAsk) -> Result<Initial, SubjectError> {
    let _no_grad = tch::no_grad_guard();
    let rows = ask.rows.min(program.data.train.len());
    let classes = program.data.facts.classes;
    let mut observer = Observer::new(&program.network.named_parameters());
    let (mut loss, mut loss_of_zeros, mut seen) = (0.0, 0.0, 0);
    let mut outputs = Vec::new();
    let mut last_operator = None;
    for (start, count) in chunks(rows, program.subject.data.batch) {
        let batch = program.data.train.narrow(start, count);
        let (output, activations) = observer.watch(|| program.network.forward(&batch.x, true))?;
        let data_loss = program.loss.data_loss(&output, &batch.y, classes)?;
        let ignorant = program.loss.data_loss(&program.loss.know_nothing(&output), &batch.y, classes)?;
        #[expect(clippy::cast_precision_loss, reason = "batches are far smaller than 2^53 rows")]
        let weight = count as f64;
        loss += weight * data_loss.double_value(&[]);
        loss_of_zeros += weight * ignorant.double_value(&[]);
        seen += count;
        last_operator = activations.last().map(|a| a.operator.clone());
        outputs.push(output);
    }
    let output = Tensor::cat(&outputs, 0).to_kind(Kind::Double);
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 rows")]
    let total = seen as f64;
    Ok(Initial {
        facts: program.data.facts.clone(),
        rows: seen,
        loss: loss / total,
        loss_of_zeros: loss_of_zeros / total,
        output_shape: output.size()[1..].iter().map(|&d| usize::try_from(d).unwrap_or(0)).collect(),
        output_variance: output.var(false).double_value(&[]),
        output_mean: output.mean(Kind::Double).double_value(&[]),
        last_operator,
    })
}

/// Batches as in training; rows that are left over join the last batch, since batch norm takes no single row.
fn chunks(rows: usize, batch: usize) -> Vec<(usize, usize)> {
    let whole = (rows / batch).max(1);
    (0..whole)
        .map(|i| {
            let start = i * batch;
            (start, if i + 1 == whole { rows - start } else { batch })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_all_rows_once_and_leave_no_single_row() {
        assert_eq!(chunks(64, 64), [(0, 64)]);
        assert_eq!(chunks(129, 64), [(0, 64), (64, 65)]);
        assert_eq!(chunks(10, 64), [(0, 10)]);
    }
}
