//! What the optimizer is asked to do, step by step.

use nncheck_core::measurement::optimizer_steps::{Moment, OptimizerSteps, OptimizerStepsAsk};

use crate::subject::{Program, SubjectError};
use crate::user::Mode;

/// Trains, and writes down the rate and the gradients of each step of the optimizer.
pub(super) fn measure(program: &mut Program<'_>, ask: &OptimizerStepsAsk) -> Result<OptimizerSteps, SubjectError> {
    let mut result = OptimizerSteps { facts: program.facts().clone(), cannot: None, steps: Vec::new() };
    if program.network().is_none() {
        result.cannot = Some("the program keeps its optimizers to itself".to_owned());
        return Ok(result);
    }
    let mut batches = program.batches();
    let data = program.data;
    let mut next = || data.train(&batches.next().unwrap_or_default());
    let mut trainer = program.trainer()?;
    for _ in 0..ask.steps {
        let step = trainer.step(&mut next, Mode::Metered)?;
        let metered = trainer.seen().metered();
        result.steps.push(Moment {
            loss: step.loss,
            count: trainer.seen().counts().1,
            rate: metered.rate,
            given: metered.given,
            used: metered.used,
        });
        if !step.loss.is_finite() {
            break;
        }
    }
    Ok(result)
}
