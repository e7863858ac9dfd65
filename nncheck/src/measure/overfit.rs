//! Training on a handful of examples until they are learnt.

use nncheck_core::measurement::{Overfit, OverfitAsk};
use nncheck_core::spec::loss::Task;

use super::forward::last_operator;
use crate::subject::error::attempt;
use crate::subject::{Limit, Program, SubjectError};
use crate::user::{Batch, Mode, Outputs};

/// Points on the curve at most.
const CURVE: usize = 64;

/// Trains on `ask.points` examples with targets as different as can be, all in one batch, until the loss in train
/// mode is below `ask.loss` and every example is right in both modes, or the steps are used up.
pub(super) fn measure(program: &mut Program<'_>, ask: &OverfitAsk) -> Result<Overfit, SubjectError> {
    let picked = program.data.points(ask.points);
    let rows = program.data.train(&picked);
    let mut result = blank(program, rows.len(), distinct(&rows));
    if let Some(reason) = batch_norm_refuses(program, &rows) {
        result.cannot = Some(reason);
        return Ok(result);
    }
    result.constant_loss = constant_loss(program, &rows)?;
    let limit = program.loss().map_or(Limit::NONE, |loss| loss.limit(&rows, program.facts().classes));
    (result.least_loss, result.best_accuracy) = (limit.loss, limit.accuracy);
    let goal = limit.loss + ask.loss * result.constant_loss.unwrap_or(1.0);
    let right = |accuracy: Option<f64>| accuracy.is_none_or(|a| a >= limit.accuracy);
    let mut trainer = program.trainer()?;
    trainer.seen().keep_outputs();
    let stride = (ask.max_steps / CURVE).max(1);
    for step in 0..=ask.max_steps {
        // What a step returns was there before its update: so many updates have been made.
        let taken = trainer.step(&mut || rows.clone(), if step == 0 { Mode::Watched } else { Mode::Bare })?;
        if step == 0 {
            let activations = trainer.seen().activations()?;
            result.last_operator = match &taken.outputs {
                Some((_, outputs)) => last_operator(outputs, &activations),
                // A program of the user's own, whose outputs are its own affair.
                None => activations.last().map(|last| last.operator.clone()),
            };
            (result.first_loss, result.peak) = (taken.loss, taken.loss);
        }
        result.peak = result.peak.max(taken.loss);
        if step % stride == 0 {
            result.curve.push(taken.loss);
        }
        result.steps = step;
        result.train_loss = taken.loss;
        result.train_accuracy = taken.outputs.as_ref().and_then(|(batch, o)| accuracy(trainer.program(), o, batch));
        let learnt = taken.loss <= goal && right(result.train_accuracy);
        let last = step == ask.max_steps || !taken.loss.is_finite();
        if learnt || last {
            (result.eval_loss, result.eval_accuracy) = eval_reading(trainer.program(), &rows)?;
            if last || right(result.eval_accuracy) {
                break;
            }
        }
    }
    Ok(result)
}

fn blank(program: &Program<'_>, points: usize, distinct: usize) -> Overfit {
    Overfit {
        facts: program.facts().clone(),
        cannot: None,
        points,
        distinct,
        steps: 0,
        train_accuracy: None,
        eval_accuracy: None,
        train_loss: 0.0,
        eval_loss: 0.0,
        first_loss: 0.0,
        peak: 0.0,
        constant_loss: None,
        least_loss: 0.0,
        best_accuracy: 1.0,
        curve: Vec::new(),
        last_operator: None,
    }
}

fn accuracy(program: &Program<'_>, outputs: &Outputs, batch: &Batch) -> Option<f64> {
    tch::no_grad(|| program.loss().and_then(|loss| loss.accuracy(outputs, batch)))
}

/// Loss and accuracy in eval mode.
fn eval_reading(program: &Program<'_>, rows: &Batch) -> Result<(f64, Option<f64>), SubjectError> {
    let _no_grad = tch::no_grad_guard();
    if program.loss().is_none() {
        return Ok((program.losses(rows, false)?.total().double_value(&[]), None));
    }
    let outputs = program.outputs(rows, false)?;
    let loss = program.losses_of(&outputs, rows)?.total().double_value(&[]);
    Ok((loss, accuracy(program, &outputs, rows)))
}

/// For regression, the data loss of the points' best constant outputs, such as their mean target: the yardstick of "learnt".
fn constant_loss(program: &Program<'_>, rows: &Batch) -> Result<Option<f64>, SubjectError> {
    let Some(loss) = program.loss().filter(|_| program.facts().classes.is_none()) else { return Ok(None) };
    let single = (rows.targets().len() == 1).then(|| {
        let y = rows.y();
        loss.only_output(y.mean_dim(0_i64, true, y.kind()).expand_as(y))
    });
    let outputs = match single.flatten() {
        Some(outputs) => outputs,
        // Several outputs or targets, each with a kind of loss that tells what is best.
        None if program.spec.loss.terms.iter().all(|term| term.kind.is_some_and(|k| k.task() == Task::Regression)) => {
            let given = tch::no_grad(|| program.outputs(rows, false))?;
            loss.know_the_targets(&given, rows, rows)
        }
        None => return Ok(None),
    };
    Ok(Some(program.losses_of(&outputs, rows)?.total().double_value(&[])))
}

/// How many different targets there are.
fn distinct(rows: &Batch) -> usize {
    let Some(y) = rows.targets().first() else { return 0 };
    let (unique, _, _) = y.unique_dim(0, true, false, false);
    usize::try_from(unique.size()[0]).unwrap_or(0)
}

/// Batch norm over a single value a channel is refused by libtorch: then there is nothing to learn from so few.
fn batch_norm_refuses(program: &Program<'_>, rows: &Batch) -> Option<String> {
    if rows.len() > 1 {
        return None;
    }
    let words = attempt(|| tch::no_grad(|| drop(program.losses(rows, true)))).err()?;
    words
        .contains("Expected more than 1 value per channel")
        .then(|| "batch norm takes no single example: at least 2 points are needed".to_owned())
}
