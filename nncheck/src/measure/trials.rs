//! Several short trainings from one beginning, with other optimizers or other rates.

use nncheck_core::measurement::{Trial, Trials, TrialsAsk};
use nncheck_core::spec::Subject as Spec;
use nncheck_core::spec::optimizer::Optimizer;

use super::lr_range::{loss_of, refusal};
use crate::subject::{Program, SubjectError};
use crate::user::{Batch, Mode};

/// Trains anew for each trial: the same parameters to begin with, the same batches, the same random numbers.
pub(super) fn measure(program: &Program<'_>, ask: &TrialsAsk, seed: i64) -> Result<Trials, SubjectError> {
    let rows = program.first_rows(ask.rows);
    let mut result =
        Trials { facts: program.facts().clone(), cannot: refusal(program), start: f64::NAN, losses: Vec::new() };
    if result.cannot.is_some() {
        return Ok(result);
    }
    result.start = loss_of(&program.anew(program.spec)?, &rows)?;
    for trial in &ask.trials {
        match train(program, trial, ask.steps, &rows, seed)? {
            Some(loss) => result.losses.push(loss),
            None => {
                result.cannot = Some("the optimizer does not tell its learning rate".to_owned());
                break;
            }
        }
    }
    Ok(result)
}

/// The loss after one training; `None` where the rate to begin with is unknown.
fn train(
    program: &Program<'_>,
    trial: &Trial,
    steps: usize,
    rows: &Batch,
    seed: i64,
) -> Result<Option<f64>, SubjectError> {
    let mut spec: Spec = program.spec.clone();
    if let Trial::Other(kind) = trial {
        spec.optimizer = Some(Optimizer::of(kind.clone()));
    }
    let mut program = program.anew(&spec)?;
    tch::manual_seed(seed);
    let mut batches = program.batches();
    let data = program.data;
    let mut next = || data.train(&batches.next().unwrap_or_default());
    let mut trainer = program.trainer()?;
    if let Trial::Own(factor) = trial {
        let full = spec.optimizer.as_ref().and_then(Optimizer::lr).or_else(|| trainer.lr());
        let Some(full) = full else { return Ok(None) };
        trainer.set_lr(full * factor);
    }
    for _ in 0..steps {
        if !trainer.step(&mut next, Mode::Bare)?.loss.is_finite() {
            return Ok(Some(f64::NAN));
        }
    }
    loss_of(trainer.program(), rows).map(Some)
}
