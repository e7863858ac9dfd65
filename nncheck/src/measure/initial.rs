//! The loss before any training.

use nncheck_core::measurement::{Initial, InitialAsk, Share};
use tch::{Kind, Tensor};

use crate::observe::Observer;
use crate::subject::{Program, SubjectError, named};
use crate::tensors::shape;
use crate::user::{Batch, Losses};

/// Data loss at initialisation in train mode, batch by batch over the first rows of a share, each batch weighted by its rows.
pub(super) fn measure(program: &Program<'_>, ask: &InitialAsk) -> Result<Initial, SubjectError> {
    let _no_grad = tch::no_grad_guard();
    let (data, validation) = (program.data, ask.share == Share::Validation);
    if validation && data.validation_rows() == 0 {
        return Err(SubjectError::new("the data has no validation share: all rows train"));
    }
    let rows = ask.rows.min(if validation { data.validation_rows() } else { data.train_rows() });
    let mut sums = Sums::default();
    let mut outputs = Outputs::default();
    for (start, count) in chunks(rows, program.spec.data.batch) {
        let batch = if validation {
            data.validation(&(start..start + count).collect::<Vec<_>>())
        } else {
            data.narrow(start, count)
        };
        match program.loss() {
            Some(_) => outputs.batch(program, &batch, &mut sums)?,
            None => sums.add(&program.losses(&batch, true)?, None, count),
        }
    }
    Ok(sums.initial(program, outputs))
}

/// Weighted sums over the batches.
#[derive(Default)]
struct Sums {
    rows: usize,
    loss: f64,
    loss_of_zeros: Option<f64>,
    terms: Vec<(String, f64)>,
    terms_of_zeros: Vec<(String, f64)>,
}

impl Sums {
    fn add(&mut self, losses: &Losses, ignorant: Option<&Losses>, count: usize) {
        let weight = as_number(count);
        self.rows += count;
        self.loss += weight * add_terms(&mut self.terms, losses, weight);
        if let Some(ignorant) = ignorant {
            *self.loss_of_zeros.get_or_insert(0.0) += weight * add_terms(&mut self.terms_of_zeros, ignorant, weight);
        }
    }

    fn initial(self, program: &Program<'_>, outputs: Outputs) -> Initial {
        let total = as_number(self.rows);
        let all = (!outputs.main.is_empty()).then(|| Tensor::cat(&outputs.main, 0).to_kind(Kind::Double));
        Initial {
            facts: program.facts().clone(),
            rows: self.rows,
            loss: self.loss / total,
            terms: self.terms.into_iter().map(|(name, sum)| (name, sum / total)).collect(),
            terms_of_zeros: self.terms_of_zeros.into_iter().map(|(name, sum)| (name, sum / total)).collect(),
            loss_of_zeros: self.loss_of_zeros.map(|sum| sum / total),
            output_shape: all.as_ref().map(|all| shape(all).split_off(1)).unwrap_or_default(),
            output_variance: all.as_ref().map_or(f64::NAN, |all| all.var(false).double_value(&[])),
            output_mean: all.as_ref().map_or(f64::NAN, |all| all.mean(Kind::Double).double_value(&[])),
            last_operator: outputs.last_operator,
        }
    }
}
fn add_terms(sums: &mut Vec<(String, f64)>, losses: &Losses, weight: f64) -> f64 {
    if sums.is_empty() {
        *sums = losses.names().map(|name| (name.to_owned(), 0.0)).collect();
    }
    let (total, values) = losses.numbers();
    for (value, (_, sum)) in values.iter().zip(sums) {
        *sum += weight * value;
    }
    total
}

/// What the model put out.
#[derive(Default)]
struct Outputs {
    observer: Option<Observer>,
    main: Vec<Tensor>,
    last_operator: Option<String>,
}

impl Outputs {
    fn batch(&mut self, program: &Program<'_>, batch: &Batch, sums: &mut Sums) -> Result<(), SubjectError> {
        let observer = self.observer.get_or_insert_with(|| Observer::new(&named(program.parameters())));
        let (outputs, activations) = observer.watch(|| program.outputs(batch, true))?;
        let outputs = outputs?;
        let losses = program.losses_of(&outputs, batch)?;
        let ignorant = match program.loss() {
            Some(loss) => Some(program.losses_of(&loss.know_nothing(&outputs, batch), batch)?),
            None => None,
        };
        sums.add(&losses, ignorant.as_ref(), batch.len());
        self.last_operator = activations.last().map(|a| a.operator.clone());
        self.main.push(outputs.main().shallow_clone());
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 rows")]
fn as_number(count: usize) -> f64 {
    count as f64
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
