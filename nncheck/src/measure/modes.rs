//! What train and eval mode do to a model, and which one training runs in.

use nncheck_core::measurement::modes::{Losses, Modes, ModesAsk};
use tch::Tensor;

use super::forward::{self, Forward, Stop, difference, difference_of, nothing, one_row, or_nothing};
use crate::subject::error::attempt;
use crate::subject::{Program, SubjectError};
use crate::user::Mode;

/// Rows that the modes are compared on.
const ROWS: usize = 16;
/// At most so many rows tell the losses of the modes.
const LOSS_ROWS: usize = 256;

/// Looks at both modes, trains for a while, and looks at what that did.
pub(super) fn measure(program: &mut Program<'_>, ask: &ModesAsk) -> Result<Modes, SubjectError> {
    let looked = at_modes(program);
    let mut result = match looked {
        Ok(result) => result,
        Err(stop) => return or_nothing(Err(stop), |cannot| Modes { cannot, ..Modes::default() }),
    };
    if ask.steps == 0 {
        return Ok(result);
    }
    let seed = program.seed().cast_signed();
    let loss = |program: &Program<'_>, train: bool| -> Result<f64, SubjectError> {
        tch::manual_seed(seed);
        let rows = program.spec.data.batch.clamp(ROWS, LOSS_ROWS);
        let losses = tch::no_grad(|| program.losses(&program.first_rows(rows), train))?;
        Ok(losses.numbers().0)
    };
    // The loss in train mode moves running statistics: it is that of the training to come, once more.
    let before = loss(program, true)?;
    let buffers = buffers(program);
    let declared = program.network().is_some();
    let data = program.data;
    let mut batches = program.batches();
    let mut next = || data.train(&batches.next().unwrap_or_default());
    let mut trainer = program.trainer()?;
    let (mut right, mut wrong) = (0, 0);
    for _ in 0..ask.steps {
        trainer.step(&mut next, Mode::Bare)?;
        match trainer.seen().modes() {
            (0, 0) => {}
            (0, _) => wrong += 1,
            _ => right += 1,
        }
    }
    result.steps = declared.then_some((right, wrong));
    drop(trainer);
    let now = self::buffers(program);
    result.statistics = buffers
        .iter()
        .zip(&now)
        // A layer that is frozen may rest altogether: it is then run in eval mode.
        .filter(|((name, _), _)| name.contains("running_") && !rests(program, name))
        .map(|((name, before), (_, now))| (name.clone(), !before.equal(now)))
        .collect();
    let eval = loss(program, false)?;
    result.losses = Some(Losses { before, train: loss(program, true)?, eval });
    Ok(result)
}

/// Whether the weights of the layer that has these statistics are frozen.
fn rests(program: &Program<'_>, statistics: &str) -> bool {
    statistics.rsplit_once('.').is_some_and(|(layer, _)| program.is_frozen(&format!("{layer}.weight")))
}

/// What the modes do before training.
fn at_modes(program: &Program<'_>) -> Result<Modes, Stop> {
    let there = program.data.train_rows();
    if there == 0 {
        return nothing("the program brings its own data: there are no rows to show it");
    }
    let model = Forward::new(program);
    let batch = model.rows(&(0..ROWS.min(there)).collect::<Vec<_>>());
    let before = buffers(program);
    let outputs = model.by_row(&batch)?;
    let spreads: Vec<f64> = outputs.iter().map(|(_, output)| forward::spread(output)).collect();
    // The generator goes on.
    let repeated = difference(&outputs, &model.run_on(&batch, false)?, &spreads);
    let dropouts = model.layers(&batch)?.into_iter().filter(|a| a.operator.contains("dropout"));
    let dropouts = dropouts.map(|a| a.layer).collect();
    let now = buffers(program);
    let moved = before.iter().zip(&now).filter(|((_, a), (_, b))| !a.equal(b)).map(|((name, _), _)| name.clone());
    let moved_by_eval: Vec<String> = moved.collect();
    let alone = alone(program)?;
    // Of a copy, since a pass in train mode moves running statistics.
    let differ = forward::connected(program, |copy| {
        let batch = copy.rows(&(0..ROWS.min(there)).collect::<Vec<_>>());
        let outputs = copy.by_row(&batch)?;
        let spreads: Vec<f64> = outputs.iter().map(|(_, output)| forward::spread(output)).collect();
        tch::manual_seed(program.seed().cast_signed());
        Ok(difference(&outputs, &copy.run_on(&batch, true)?, &spreads) > 1e-9)
    });
    let differ = match differ {
        Ok(differ) => differ,
        Err(Stop::Nothing(_)) => false,
        Err(stop) => return Err(stop),
    };
    Ok(Modes { repeated, dropouts, alone, moved_by_eval, differ, ..Modes::default() })
}

/// What differs between a row in a batch and the same row alone. Other sums are taken of one row than of many, which in
/// double precision is nothing.
fn alone(program: &Program<'_>) -> Result<Option<f64>, Stop> {
    let looked = forward::connected(program, |model| {
        let rows = model.row_count(ROWS, 1)?;
        let batch = model.rows(&(0..rows).collect::<Vec<_>>());
        let outputs = model.by_row(&batch)?;
        let spreads = Forward::spreads(&outputs)?;
        // Where there is another shape, `output_contract` says so.
        let Ok(Ok(one)) = attempt(|| model.by_row(&model.rows(&[0]))) else { return Ok(None) };
        let of_one = outputs.map(|output| one_row(0)(output).unsqueeze(0));
        if of_one.iter().any(|(name, a)| one.get(name).is_none_or(|b| a.size() != b.size())) {
            return Ok(None);
        }
        let by = difference_of(&of_one, &one, &spreads, Tensor::shallow_clone);
        // In single precision, other sums make a difference of their own.
        Ok(Some(if model.is_precise() || by > 1e-3 { by } else { 0.0 }))
    });
    match looked {
        Ok(alone) => Ok(alone),
        Err(Stop::Nothing(_)) => Ok(None),
        Err(stop) => Err(stop),
    }
}

/// Copies of everything in the store that is no parameter.
fn buffers(program: &Program<'_>) -> Vec<(String, Tensor)> {
    let parameters = program.parameters();
    let is_parameter = |name: &str| parameters.iter().any(|(known, _)| known == name);
    program
        .variables()
        .into_iter()
        .filter(|(name, _)| !is_parameter(name))
        .map(|(name, tensor)| (name, tensor.detach().copy()))
        .collect()
}
