//! What each term of the loss is given: outputs at initialisation, and targets.

use nncheck_core::measurement::loss_task::{Given, LossTask, LossTaskAsk};
use nncheck_core::reference::class_axis;
use tch::{Kind, Tensor};

use super::forward::last_operator;
use crate::observe::Observer;
use crate::subject::{OneTerm, Program, SubjectError, named};
use crate::tensors::shape;
use crate::user::{Batch, Named, Outputs};

/// More different values than this are no classes.
const MANY: usize = 256;
/// How near to one probabilities sum.
const NEAR: f64 = 1e-3;

/// Runs the model on one batch; computes no loss, which may refuse what it is given.
pub(super) fn measure(program: &Program<'_>, ask: &LossTaskAsk) -> Result<LossTask, SubjectError> {
    let mut result = LossTask { facts: program.facts().clone(), terms: Vec::new(), last_operator: None };
    let Some(loss) = program.loss() else { return Ok(result) };
    let (size, rows) = (program.spec.data.batch, ask.rows.min(program.data.train_rows()));
    let batch = program.first_rows(size.min(rows));
    let mut observer = Observer::new(&named(program.parameters()));
    let (outputs, activations) = tch::no_grad(|| observer.watch(|| program.outputs(&batch, true)))?;
    let outputs = outputs?;
    result.last_operator = last_operator(&outputs, &activations);
    // Batch by batch, so that no more inputs than a batch's are copied.
    let targets: Vec<Batch> = (0..rows)
        .step_by(size.max(1))
        .map(|start| Batch::of(Named::default(), program.data.narrow(start, size.min(rows - start)).targets().clone()))
        .collect();
    let targets = Batch::cat(&targets)?;
    for term in loss.each() {
        result.terms.push(given(term, &outputs, &batch, &targets)?);
    }
    Ok(result)
}

fn given(term: OneTerm<'_>, outputs: &Outputs, batch: &Batch, all: &Batch) -> Result<Given, SubjectError> {
    let (output, target, all) = (term.output(outputs)?, term.target(batch)?, term.target(all)?);
    let ids = target.kind() == Kind::Int64;
    let axis = class_axis(&shape(output), &shape(target), term.spec().class_axis).filter(|_| ids);
    let axis = i64::try_from(axis.unwrap_or(1)).unwrap_or(1).min(i64::try_from(output.dim()).unwrap_or(1) - 1);
    let double = output.to_kind(Kind::Double);
    let sums_to = |probabilities: &Tensor| {
        let sums = probabilities.sum_dim_intlist(axis, false, Kind::Double);
        (sums - 1.0).abs().max().double_value(&[]) < NEAR
    };
    let (output_min, output_max) = range(&double);
    let values = all.to_kind(Kind::Double).reshape([-1]);
    let (target_min, target_max) = range(&values);
    Ok(Given {
        output_shape: shape(output),
        output_min,
        output_max,
        sums_to_one: output_min >= 0.0 && output_max <= 1.0 + NEAR && sums_to(&double),
        logarithms_of_ones: output_max <= NEAR && sums_to(&double.exp()),
        target_shape: shape(target),
        ids,
        values: shares(&values),
        target_min,
        target_max,
    })
}

fn range(values: &Tensor) -> (f64, f64) {
    if values.numel() == 0 {
        return (f64::NAN, f64::NAN);
    }
    (values.min().double_value(&[]), values.max().double_value(&[]))
}

fn shares(values: &Tensor) -> Vec<(f64, f64)> {
    let (distinct, _, counts) = values.unique_dim(0, true, false, true);
    if distinct.numel() > MANY {
        return Vec::new();
    }
    let total = values.numel() as f64;
    let (distinct, counts): (Result<Vec<f64>, _>, Result<Vec<f64>, _>) =
        (Vec::try_from(&distinct), Vec::try_from(&counts.to_kind(Kind::Double)));
    distinct.unwrap_or_default().into_iter().zip(counts.unwrap_or_default().iter().map(|n| n / total)).collect()
}
