//! Whether gradients are cleared between optimizer steps.

use nncheck_core::measurement::accumulation::{Accumulation, Against, Gradient};
use tch::Tensor;

use crate::subject::{Program, SubjectError, backward};
use crate::tensors::{self, norm};
use crate::user::{Batch, Mode};

/// Takes the same step twice with an optimizer that moves nothing, and compares what it was given.
pub(super) fn measure(program: &mut Program<'_>, seed: i64) -> Result<Accumulation, SubjectError> {
    let micro_batches = program.spec.train.accumulate;
    let size = program.spec.data.batch;
    let rows = program.data.train_rows();
    let batches: Vec<Batch> = (0..micro_batches)
        .map(|i| {
            // Small data is used more than once.
            let start = if (i + 1) * size <= rows { i * size } else { 0 };
            program.data.narrow(start, size.min(rows))
        })
        .collect();
    let mut trainer = program.trainer()?;
    let mut given = Vec::new();
    let mut counts = (0, 0);
    for _ in 0..2 {
        tch::manual_seed(seed);
        let mut next = batches.iter().cycle().cloned();
        trainer.step(&mut || next.next().unwrap_or_default(), Mode::Dry)?;
        counts = trainer.seen().counts();
        given.push(trainer.seen().given());
    }
    let names: Vec<String> = trainer.seen().parameters().iter().map(|(name, _)| name.clone()).collect();
    drop(trainer);
    let (Some(second), Some(first)) = (given.pop(), given.pop()) else {
        return Err(SubjectError::new("two steps were taken and not seen (this is a fault in nncheck)"));
    };
    let mut gradients = Vec::new();
    for ((parameter, first), second) in names.into_iter().zip(&first).zip(&second) {
        let (Some(first), Some(second)) = (first, second) else { continue };
        let length = norm(first);
        if length > 0.0 {
            gradients.push(Gradient { parameter, norm: length, change: norm(&(second - first)) / length });
        }
    }
    let against_one_batch = if micro_batches > 1 { against(program, &batches, &first, seed)? } else { None };
    Ok(Accumulation { micro_batches, steps: counts.1, clears: counts.0, gradients, against_one_batch })
}

/// The accumulated gradient against that of one batch of all rows; `None` where the model itself makes the two differ.
fn against(
    program: &Program<'_>,
    batches: &[Batch],
    given: &[Option<Tensor>],
    seed: i64,
) -> Result<Option<Against>, SubjectError> {
    if program.loss().is_none() {
        return Ok(None);
    }
    let whole = gradient(program, &[Batch::cat(batches)?], seed)?;
    let parts = gradient(program, batches, seed)?;
    let length = norm_of(&whole);
    if length == 0.0 || distance(&whole, &parts) / length > 1e-4 {
        return Ok(None);
    }
    Ok(Some(Against { difference: distance(&whole, given) / length, ratio: norm_of(given) / length }))
}

/// The gradient of the mean loss over these batches, as nncheck's own step has it.
fn gradient(program: &Program<'_>, batches: &[Batch], seed: i64) -> Result<Vec<Option<Tensor>>, SubjectError> {
    let parameters: Vec<&Tensor> = program.parameters().iter().map(|(_, p)| p).collect();
    let clear = || {
        for parameter in &parameters {
            parameter.shallow_clone().zero_grad();
        }
    };
    clear();
    tch::manual_seed(seed);
    let parts = i64::try_from(batches.len()).unwrap_or(1);
    for batch in batches {
        let losses = program.losses(batch, true)?;
        backward(&(program.regularised(&losses.total()) / parts))?;
    }
    let taken = parameters.iter().map(|p| tensors::gradient(p).map(|gradient| gradient.detach().copy())).collect();
    clear();
    Ok(taken)
}

fn norm_of(gradients: &[Option<Tensor>]) -> f64 {
    gradients.iter().flatten().map(|g| norm(g).powi(2)).sum::<f64>().sqrt()
}

/// L2 distance; an absent gradient is zero.
fn distance(a: &[Option<Tensor>], b: &[Option<Tensor>]) -> f64 {
    let square = |pair: (&Option<Tensor>, &Option<Tensor>)| match pair {
        (Some(a), Some(b)) => norm(&(a - b)).powi(2),
        (Some(a), None) | (None, Some(a)) => norm(a).powi(2),
        (None, None) => 0.0,
    };
    a.iter().zip(b).map(square).sum::<f64>().sqrt()
}
