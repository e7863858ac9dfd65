//! The loss before any training.

use nncheck_core::judge::number;
use nncheck_core::measurement::{Initial, InitialAsk, Share};
use tch::{Kind, Tensor};

use super::forward::last_operator;
use crate::observe::Observer;
use crate::subject::{Program, SubjectError, named};
use crate::user::{Batch, Losses, Named};

/// Data loss at initialisation in train mode, batch by batch over the first rows of a share, each batch weighted by its rows.
pub(super) fn measure(program: &Program<'_>, ask: &InitialAsk) -> Result<Initial, SubjectError> {
    let _no_grad = tch::no_grad_guard();
    let (data, validation) = (program.data, ask.share == Share::Validation);
    if validation && data.validation_rows() == 0 {
        return Err(SubjectError::new("the data has no validation share: all rows train"));
    }
    let rows = ask.rows.min(if validation { data.validation_rows() } else { data.train_rows() });
    let batch_at = |(start, count): (usize, usize)| {
        let rows: Vec<usize> = (start..start + count).collect();
        if validation { data.validation(&rows) } else { data.train(&rows) }
    };
    let chunks = chunks(rows, program.spec.data.batch);
    let targets: Vec<Batch> =
        chunks.iter().map(|&chunk| Batch::of(Named::default(), batch_at(chunk).targets().clone())).collect();
    let targets = Batch::cat(&targets)?;
    let mut sums = Sums::default();
    let mut outputs = Outputs::default();
    for (start, count) in chunks {
        let batch = batch_at((start, count));
        match program.loss() {
            Some(_) => outputs.batch(program, &batch, &targets, &mut sums)?,
            None => sums.add(&program.losses(&batch, true)?, None, count),
        }
    }
    Ok(sums.initial(program, outputs))
}

/// Weighted sums over the batches.
#[derive(Default)]
struct Sums {
    rows: usize,
    of_model: Sum,
    of_zeros: Option<Sum>,
    of_prior: Option<Sum>,
}

/// The sum of a loss and of its terms, each batch counted by its rows.
#[derive(Default)]
struct Sum {
    loss: f64,
    terms: Vec<(String, f64)>,
}

impl Sum {
    fn add(&mut self, losses: &Losses, weight: f64) {
        if self.terms.is_empty() {
            self.terms = losses.names().map(|name| (name.to_owned(), 0.0)).collect();
        }
        let (total, values) = losses.numbers();
        self.loss += weight * total;
        for (value, (_, sum)) in values.iter().zip(&mut self.terms) {
            *sum += weight * value;
        }
    }

    fn over(mut self, total: f64) -> Self {
        self.loss /= total;
        self.terms.iter_mut().for_each(|(_, sum)| *sum /= total);
        self
    }
}

impl Sums {
    /// `guesses`: the losses of outputs that know nothing, and of such as know the distribution of the targets.
    fn add(&mut self, losses: &Losses, guesses: Option<[&Losses; 2]>, count: usize) {
        let weight = number::count(count);
        self.rows += count;
        self.of_model.add(losses, weight);
        if let Some([zeros, prior]) = guesses {
            self.of_zeros.get_or_insert_default().add(zeros, weight);
            self.of_prior.get_or_insert_default().add(prior, weight);
        }
    }

    fn initial(self, program: &Program<'_>, outputs: Outputs) -> Initial {
        let total = number::count(self.rows);
        let all = (!outputs.main.is_empty()).then(|| Tensor::cat(&outputs.main, 0).to_kind(Kind::Double));
        let mean = |sum: Option<Sum>| sum.map(|sum| sum.over(total));
        let (model, zeros, prior) = (self.of_model.over(total), mean(self.of_zeros), mean(self.of_prior));
        Initial {
            facts: program.facts().clone(),
            rows: self.rows,
            loss: model.loss,
            terms: model.terms,
            loss_of_zeros: zeros.as_ref().map(|zeros| zeros.loss),
            terms_of_zeros: zeros.map(|zeros| zeros.terms).unwrap_or_default(),
            loss_of_prior: prior.as_ref().map(|prior| prior.loss),
            terms_of_prior: prior.map(|prior| prior.terms).unwrap_or_default(),
            width: outputs.width,
            output_variance: all.as_ref().map_or(f64::NAN, |all| all.var(false).double_value(&[])),
            output_mean: all.as_ref().map_or(f64::NAN, |all| all.mean(Kind::Double).double_value(&[])),
            last_operator: outputs.last_operator,
        }
    }
}

/// What the model put out.
#[derive(Default)]
struct Outputs {
    observer: Option<Observer>,
    main: Vec<Tensor>,
    last_operator: Option<String>,
    width: Option<usize>,
}

impl Outputs {
    /// `targets` are those of all rows.
    fn batch(
        &mut self,
        program: &Program<'_>,
        batch: &Batch,
        targets: &Batch,
        sums: &mut Sums,
    ) -> Result<(), SubjectError> {
        let observer = self.observer.get_or_insert_with(|| Observer::new(&named(program.parameters())));
        let (outputs, activations) = observer.watch(|| program.outputs(batch, true))?;
        let outputs = outputs?;
        let losses = program.losses_of(&outputs, batch)?;
        match program.loss() {
            Some(loss) => {
                let zeros = program.losses_of(&loss.know_nothing(&outputs, batch), batch)?;
                let prior = program.losses_of(&loss.know_the_targets(&outputs, batch, targets), batch)?;
                sums.add(&losses, Some([&zeros, &prior]), batch.len());
            }
            None => sums.add(&losses, None, batch.len()),
        }
        self.last_operator = last_operator(&outputs, &activations);
        self.width = program.loss().and_then(|loss| loss.width(&outputs, batch));
        self.main.push(outputs.main().shallow_clone());
        Ok(())
    }
}

/// Batches as in training; rows that are left over join the last batch, since batch norm takes no single row.
pub(super) fn chunks(rows: usize, batch: usize) -> Vec<(usize, usize)> {
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
