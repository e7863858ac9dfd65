//! Measuring: one file a measurement. A measurer runs the training program and writes down numbers; it never judges.

mod accumulation;
mod initial;
mod loss_function;
mod overfit;
mod trace;
mod value;

use nncheck_core::measurement::{Measurement, Request};
use nncheck_core::spec::Subject;

use crate::bindings::Bindings;
use crate::subject::{Program, SubjectError, Tensors};

/// One job of a worker: a request, and the shorter requests that it answers on the way.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// What covers all parts.
    pub request: &'a Request,
    /// What was asked for, shortest first.
    pub parts: &'a [Request],
    /// The seed of initialisation, batch order and dropout.
    pub seed: u64,
}

/// Takes a measurement in a reset state; hands over each part as soon as it is complete, by its index.
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
    done: &mut dyn FnMut(usize, Measurement),
) -> Result<(), SubjectError> {
    let mut program = Program::build(subject, data, bindings, job.seed)?;
    started();
    // The stream of dropout and the like starts anew, so that it does not depend on how many numbers building drew.
    tch::manual_seed(mix(job.seed).cast_signed());
    match job.request {
        Request::Initial(ask) => {
            let measured = initial::measure(&program, ask)?;
            hand_over(job.parts, &Measurement::Initial(measured), done);
        }
        Request::LossFunction(ask) => {
            let measured = loss_function::measure(&program, ask)?;
            hand_over(job.parts, &Measurement::LossFunction(measured), done);
        }
        Request::Overfit(ask) => {
            let measured = overfit::measure(&mut program, ask)?;
            hand_over(job.parts, &Measurement::Overfit(measured), done);
        }
        Request::Accumulation(_) => {
            let measured = accumulation::measure(&mut program, mix(job.seed).cast_signed())?;
            hand_over(job.parts, &Measurement::Accumulation(measured), done);
        }
        Request::Value(ask) => {
            let value = value::measure(&mut program, ask)?;
            hand_over(job.parts, &Measurement::Value(value, data.facts.clone()), done);
        }
        Request::Trace(ask) => trace::measure(&mut program, ask, job.seed, &mut |so_far, steps| {
            for (index, part) in job.parts.iter().enumerate() {
                if matches!(part, Request::Trace(p) if p.steps == steps) {
                    done(index, Measurement::Trace(so_far.clone()).cut(part));
                }
            }
        })?,
    }
    Ok(())
}

fn hand_over(parts: &[Request], measured: &Measurement, done: &mut dyn FnMut(usize, Measurement)) {
    for index in 0..parts.len() {
        done(index, measured.clone());
    }
}

/// A seed far from `seed` (`SplitMix64`'s finaliser, Steele et al. 2014).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
