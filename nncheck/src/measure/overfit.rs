//! Training on a handful of examples until they are learnt.

use nncheck_core::data::pick_points;
use nncheck_core::measurement::{Overfit, OverfitAsk};
use tch::Tensor;

use crate::observe::Observer;
use crate::subject::{LossFunction, Program, Rows, SubjectError};

/// Points on the curve at most.
const CURVE: usize = 64;

/// What a mode of the model makes of the points.
struct Reading {
    loss: f64,
    accuracy: Option<f64>,
}

/// Trains on `ask.points` examples with targets as different as can be, all in one batch, until the loss in train
/// mode is below `ask.loss` and every example is right in both modes, or the steps are used up.
pub(super) fn measure(program: &Program<'_>, ask: &OverfitAsk) -> Result<Overfit, SubjectError> {
    let picked = pick_points(&program.data.train_share, ask.points);
    let rows = program.data.train.select(&picked);
    let mut result = blank(program, rows.len(), distinct(&rows.y));
    if let Some(reason) = batch_norm_refuses(program, &rows) {
        result.cannot = Some(reason);
        return Ok(result);
    }
    let classes = program.data.facts.classes;
    result.constant_loss = constant_loss(program, &rows)?;
    let goal = ask.loss * result.constant_loss.unwrap_or(1.0);
    let mut optimizer = program.optimizer()?;
    let mut observer = Observer::new(&program.network.named_parameters());
    let stride = (ask.max_steps / CURVE).max(1);
    for step in 0..=ask.max_steps {
        let output = if step == 0 {
            let (output, activations) = observer.watch(|| program.network.forward(&rows.x, true))?;
            result.last_operator = activations.last().map(|a| a.operator.clone());
            output
        } else {
            program.network.forward(&rows.x, true)
        };
        let loss = program.loss.data_loss(&output, &rows.y, classes)?;
        let train = reading(&program.loss, &output, &loss, &rows);
        if step == 0 {
            result.first_loss = train.loss;
        }
        if step % stride == 0 {
            result.curve.push(train.loss);
        }
        result.steps = step;
        result.train_loss = train.loss;
        result.train_accuracy = train.accuracy;
        let learnt = train.loss <= goal && train.accuracy.is_none_or(|a| a >= 1.0);
        let last = step == ask.max_steps || !train.loss.is_finite();
        if learnt || last {
            let eval = eval_reading(program, &rows)?;
            result.eval_loss = eval.loss;
            result.eval_accuracy = eval.accuracy;
            if last || eval.accuracy.is_none_or(|a| a >= 1.0) {
                break;
            }
        }
        optimizer.minimise(&program.loss.with_regularisation(&loss, &program.network));
    }
    Ok(result)
}

fn blank(program: &Program<'_>, points: usize, distinct: usize) -> Overfit {
    Overfit {
        facts: program.data.facts.clone(),
        cannot: None,
        points,
        distinct,
        steps: 0,
        train_accuracy: None,
        eval_accuracy: None,
        train_loss: 0.0,
        eval_loss: 0.0,
        first_loss: 0.0,
        constant_loss: None,
        curve: Vec::new(),
        last_operator: None,
    }
}

fn reading(loss_function: &LossFunction, output: &Tensor, loss: &Tensor, rows: &Rows) -> Reading {
    Reading { loss: loss.double_value(&[]), accuracy: tch::no_grad(|| loss_function.accuracy(output, &rows.y)) }
}

fn eval_reading(program: &Program<'_>, rows: &Rows) -> Result<Reading, SubjectError> {
    let _no_grad = tch::no_grad_guard();
    let output = program.network.forward(&rows.x, false);
    let loss = program.loss.data_loss(&output, &rows.y, program.data.facts.classes)?;
    Ok(reading(&program.loss, &output, &loss, rows))
}

/// For regression, the data loss of the points' mean target: the yardstick of "learnt".
fn constant_loss(program: &Program<'_>, rows: &Rows) -> Result<Option<f64>, SubjectError> {
    if program.data.facts.classes.is_some() {
        return Ok(None);
    }
    let mean = rows.y.mean_dim(0_i64, true, rows.y.kind()).expand_as(&rows.y);
    Ok(Some(program.loss.data_loss(&mean, &rows.y, None)?.double_value(&[])))
}

fn distinct(targets: &Tensor) -> usize {
    let (unique, _, _) = targets.unique_dim(0, true, false, false);
    usize::try_from(unique.size()[0]).unwrap_or(0)
}

/// Batch norm over a single value a channel is refused by libtorch: then there is nothing to learn from so few.
fn batch_norm_refuses(program: &Program<'_>, rows: &Rows) -> Option<String> {
    if rows.len() > 1 {
        return None;
    }
    let attempt = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        tch::no_grad(|| drop(program.network.forward(&rows.x, true)));
    }));
    let panic = attempt.err()?;
    let words = crate::worker::panic_words(panic.as_ref());
    words
        .contains("Expected more than 1 value per channel")
        .then(|| "batch norm takes no single example: at least 2 points are needed".to_owned())
}
