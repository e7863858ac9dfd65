//! Measuring: one file a measurement. A measurer runs the training program and writes down numbers; it never judges.

mod accumulation;
mod activation_gradients;
mod attribution;
mod budget;
mod checkpoint;
mod contract;
mod data;
mod determinism;
mod dropout;
mod forward;
mod gradients;
mod initial;
mod loss_function;
mod loss_task;
mod lr_range;
mod modes;
mod noise_scale;
mod normalisation;
mod optimizer_steps;
mod overfit;
mod padding;
mod parity;
mod regularization;
mod response;
mod rows;
mod score;
mod sequence;
mod term_gradients;
mod trace;
mod trials;
mod units;
mod value;
mod weights;

pub(crate) use trace::train_some;

use nncheck_core::measurement::{Ask, Measurement, Request};
use nncheck_core::spec::Subject;

use crate::bindings::Bindings;
use crate::generator;
use crate::subject::{Program, SubjectError, Tensors};

/// One job of a worker: a request, and the shorter requests that it answers on the way.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// What answers all parts.
    pub request: &'a Request,
    /// What was asked for, shortest first.
    pub parts: &'a [Request],
    /// The seed of initialisation, batch order and dropout.
    pub seed: u64,
}

/// Hears of a part, by its index, as soon as it is complete or cannot be had.
pub type Done<'d> = dyn FnMut(usize, Result<Measurement, SubjectError>) + 'd;

/// Takes a measurement in a reset state.
///
/// # Errors
/// When the training program cannot be built or run, in the user's words. What libtorch or the user's code throws
/// arrives as a panic.
pub fn measure(
    subject: &Subject,
    data: &Tensors,
    bindings: &Bindings,
    job: Job<'_>,
    started: &mut dyn FnMut(),
    done: &mut Done<'_>,
) -> Result<(), SubjectError> {
    let mut program = Program::build(subject, data, bindings, job.seed)?;
    started();
    // The stream of dropout and the like starts anew, so that it does not depend on how many numbers building drew.
    tch::manual_seed(mix(job.seed).cast_signed());
    let Some(run) = job.request.run() else {
        let measured = take(&mut program, job)?;
        for index in 0..job.parts.len() {
            done(index, Ok(measured.clone()));
        }
        return Ok(());
    };
    trace::measure(&mut program, &run, job.seed, &mut |program, so_far, steps| {
        for (index, part) in job.parts.iter().enumerate() {
            match part {
                Request::Trace(ask) if ask.steps == steps => done(index, Ok(so_far.cut(ask).into())),
                // What else is measured on the way must not be felt by the rest of the run.
                part if part.after() == Some(steps) => done(index, generator::undisturbed(|| state(program, part))),
                _ => {}
            }
        }
    })
}

/// Measurements that have the program for themselves.
fn take(program: &mut Program<'_>, job: Job<'_>) -> Result<Measurement, SubjectError> {
    let seed = mix(job.seed).cast_signed();
    Ok(match job.request {
        Request::LossFunction(ask) => loss_function::measure(program, ask)?.into(),
        Request::LossTask(ask) => loss_task::measure(program, ask)?.into(),
        Request::TermGradients(ask) => term_gradients::measure(program, ask)?.into(),
        Request::Regularization(_) => regularization::measure(program, seed)?.into(),
        Request::Overfit(ask) => overfit::measure(program, ask)?.into(),
        Request::Modes(ask) => modes::measure(program, ask)?.into(),
        Request::Checkpoint(ask) => checkpoint::measure(program, ask)?.into(),
        Request::Run(ask) => determinism::measure(program, ask)?.into(),
        Request::Accumulation(_) => accumulation::measure(program, seed)?.into(),
        Request::LrRange(ask) => lr_range::measure(program, ask, seed)?.into(),
        Request::Trials(ask) => trials::measure(program, ask, seed)?.into(),
        // Of epochs or of another network; of steps it is one of the states below.
        Request::Score(ask) if ask.after().is_none() => score::train_and_measure(program, ask)?.into(),
        Request::OptimizerSteps(ask) => optimizer_steps::measure(program, ask)?.into(),
        Request::Budget(ask) => budget::measure(program, ask)?.into(),
        // Of epochs; of steps it is one of the states below.
        Request::Score(ask) if ask.after.steps().is_none() => score::train_and_measure(program, ask)?.into(),
        Request::Gradients(ask) => gradients::measure(program, *ask, seed)?.into(),
        Request::Value(ask) => value::measure(program, ask)?.into(),
        request => state(program, request)?,
    })
}

/// Measurements of a program in the state that it is in, which they leave as it is: parameters, buffers, gradients and
/// modes.
fn state(program: &Program<'_>, request: &Request) -> Result<Measurement, SubjectError> {
    Ok(match request {
        Request::Initial(ask) => initial::measure(program, ask)?.into(),
        Request::Weights(_) => weights::measure(program)?.into(),
        Request::Dropout(ask) => dropout::measure(program, *ask)?.into(),
        Request::Normalisation(ask) => normalisation::measure(program, *ask)?.into(),
        Request::Score(ask) => score::measure(program, ask)?.into(),
        Request::NoiseScale(ask) => noise_scale::measure(program, ask)?.into(),
        Request::Data(ask) => data::measure(program, ask).into(),
        Request::Rows(ask) => rows::measure(program, ask)?.into(),
        Request::Sequence(ask) => sequence::measure(program, ask)?.into(),
        Request::Response(ask) => response::measure(program, ask)?.into(),
        Request::Padding(ask) => padding::measure(program, ask)?.into(),
        Request::Contract(ask) => contract::measure(program, ask)?.into(),
        Request::Parity(ask) => parity::measure(program, ask)?.into(),
        Request::Units(ask) => units::measure(program, ask)?.into(),
        Request::Attribution(ask) => attribution::measure(program, ask)?.into(),
        Request::ActivationGradients(ask) => activation_gradients::measure(program, ask)?.into(),
        _ => {
            return Err(SubjectError::new(format!("nobody measures {} (this is a fault in nncheck)", request.words())));
        }
    })
}

/// A seed far from `seed` (`SplitMix64`'s finaliser, Steele et al. 2014).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
