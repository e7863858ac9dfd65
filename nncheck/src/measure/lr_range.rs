//! A learning rate range test (Smith 2017).

use nncheck_core::measurement::{LrRange, LrRangeAsk};
use nncheck_core::spec::Subject as Spec;
use nncheck_core::spec::optimizer::{Optimizer, OptimizerSource};

use crate::generator;
use crate::subject::{Program, SubjectError};
use crate::user::{Batch, Mode};

/// A loss this many times its size above the start ends the test: what comes after says no more.
const FAR: f64 = 4.0;

/// Trains with a rate that rises by one factor a step, and reads the loss of the same rows after each.
pub(super) fn measure(program: &Program<'_>, ask: &LrRangeAsk, seed: i64) -> Result<LrRange, SubjectError> {
    let rows = program.first_rows(ask.rows);
    let mut result = LrRange {
        facts: program.facts().clone(),
        cannot: refusal(program),
        lr: None,
        start: f64::NAN,
        rates: Vec::new(),
        losses: Vec::new(),
    };
    if result.cannot.is_some() {
        return Ok(result);
    }
    let full = program.anew(program.spec)?.trainer()?.lr();
    let declared = program.spec.optimizer.as_ref().and_then(Optimizer::lr);
    let spec = without_schedule(program.spec);
    let mut program = program.anew(&spec)?;
    // Of a schedule, the full rate; a user's own optimizer has none that could be taken away.
    result.lr = declared.or(full);
    tch::manual_seed(seed);
    let mut batches = program.batches();
    let data = program.data;
    let mut next = || data.train(&batches.next().unwrap_or_default());
    result.start = loss_of(&program, &rows)?;
    let mut trainer = program.trainer()?;
    for step in 0..ask.steps {
        let rate = ask.rate(step);
        trainer.set_lr(rate);
        trainer.step(&mut next, Mode::Bare)?;
        if trainer.lr().is_some_and(|now| (now / rate - 1.0).abs() > 1e-6) {
            result.cannot = Some("the program sets the learning rate itself, in each step".to_owned());
            break;
        }
        let loss = loss_of(trainer.program(), &rows)?;
        result.rates.push(rate);
        result.losses.push(loss);
        if !loss.is_finite() || loss > result.start + FAR * result.start.abs() {
            break;
        }
    }
    Ok(result)
}

/// Why no other rate can be tried.
pub(super) fn refusal(program: &Program<'_>) -> Option<String> {
    if program.network().is_none() {
        return Some("the program keeps its optimizers to itself, and with them their learning rates".to_owned());
    }
    let groups = program.spec.optimizer.as_ref().map(Optimizer::groups).unwrap_or_default();
    let differs = groups.windows(2).any(|pair| pair[0].kind.lr().to_bits() != pair[1].kind.lr().to_bits());
    differs.then(|| "its parameter groups have learning rates of their own, and the test moves one".to_owned())
}

/// The mean data loss of some rows in train mode, as a step reads it; the stream of random numbers goes on untouched.
pub(super) fn loss_of(program: &Program<'_>, rows: &Batch) -> Result<f64, SubjectError> {
    generator::undisturbed(|| tch::no_grad(|| Ok(program.losses(rows, true)?.numbers().0)))
}

/// The same program at a constant rate.
fn without_schedule(spec: &Spec) -> Spec {
    let mut spec = spec.clone();
    if let Some(OptimizerSource::Groups(groups)) = spec.optimizer.as_mut().map(|optimizer| &mut optimizer.source) {
        groups.iter_mut().for_each(|group| group.schedule = None);
    }
    spec
}
