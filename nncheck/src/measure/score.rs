//! A metric after training, on both shares of the data.

use nncheck_core::measurement::score::{Score, ScoreAsk, ShareScore, Training};
use nncheck_core::metric::Predictions;

use crate::subject::{Program, SubjectError};
use crate::user::Batch;

/// Numbers of predictions that are kept at most: 128 MiB of them.
const MOST: usize = 1 << 24;

/// Trains for so many epochs, then measures.
pub(super) fn train_and_measure(program: &mut Program<'_>, ask: &ScoreAsk) -> Result<Score, SubjectError> {
    program.train(steps(program, ask.after));
    measure(program, ask)
}

/// How many steps a training takes on this data.
pub(super) fn steps(program: &Program<'_>, training: Training) -> usize {
    match training {
        Training::Steps(steps) => steps,
        Training::Epochs(epochs) => {
            epochs * program.batches().per_epoch().max(1) / program.spec.train.accumulate.max(1)
        }
    }
}

/// The metric of the program as it is, in eval mode.
pub(super) fn measure(program: &Program<'_>, ask: &ScoreAsk) -> Result<Score, SubjectError> {
    let mut result = Score { facts: program.facts().clone(), cannot: None, training: None, validation: None };
    if program.loss().is_none() {
        result.cannot = Some(
            "what is right is known to the program alone: write a function of your own (`check = \"value\"`)".into(),
        );
        return Ok(result);
    }
    let data = program.data;
    let training = predictions(program, ask.rows.min(data.train_rows()), |rows| data.train(rows))?;
    let validation = match ask.rows.min(data.validation_rows()) {
        0 => None,
        rows => Some(predictions(program, rows, |rows| data.validation(rows))?),
    };
    let score = |(rows, seen): &(usize, Predictions)| ShareScore {
        rows: *rows,
        value: seen.measure(ask.metric, ask.k),
        baseline: seen.ignorant(&training.1).measure(ask.metric, ask.k),
    };
    result.training = Some(score(&training));
    result.validation = validation.as_ref().map(score);
    Ok(result)
}

/// The predictions for the first rows of a share, and how many rows they are of.
fn predictions(
    program: &Program<'_>,
    rows: usize,
    batch: impl Fn(&[usize]) -> Batch,
) -> Result<(usize, Predictions), SubjectError> {
    let _no_grad = tch::no_grad_guard();
    let Some(loss) = program.loss() else { return Err(SubjectError::new("there is no loss to take predictions by")) };
    let mut all: Option<Predictions> = None;
    let (mut taken, mut numbers) = (0, 0);
    let order: Vec<usize> = (0..rows).collect();
    for chunk in order.chunks(program.spec.data.batch.max(1)) {
        let batch = batch(chunk);
        let outputs = program.outputs(&batch, false)?;
        numbers += outputs.main().numel();
        let seen = loss.predictions(&outputs, &batch)?;
        match &mut all {
            None => all = Some(seen),
            Some(all) => all.join(seen).map_err(SubjectError::new)?,
        }
        taken += chunk.len();
        if numbers > MOST {
            break;
        }
    }
    all.map(|all| (taken, all)).ok_or_else(|| SubjectError::new("the data has no rows to predict"))
}
