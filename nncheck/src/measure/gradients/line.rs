//! The loss along one direction, and whether autograd's derivative is the one that differences show there.

use nncheck_core::measurement::gradients::Answer;
use tch::{Kind, Tensor};

use super::function::Function;
use super::noise::COARSE;
use super::rms;
use crate::subject::SubjectError;

/// Steps become shorter by this, from one rung to the next.
const SHORTER: f64 = 4.0;
/// Rungs at most.
const RUNGS: usize = 8;
/// Rounding errors of the loss that a difference may hold, in standard deviations.
const SURE: f64 = 10.0;
/// Rounding errors of autograd itself, relative.
const ROUNDING: f64 = 2e-8;
/// What the first step aims at: the share of a derivative that rounding errors of the loss may make up.
const AIM: f64 = 2e-8;
/// The relative difference that is told where the loss goes through single precision: what is left of kinks and curvature at
/// such long steps is below.
const BLUNT: f64 = 0.1;
/// An agreement that could not tell less than this apart says nothing.
const TELLING: f64 = 1e-2;

/// A tensor of a function, where its derivatives are taken.
pub(super) struct Point<'f, 'a> {
    pub(super) function: &'f Function<'f, 'a>,
    pub(super) parameter: &'f Tensor,
    /// The tensor's values here.
    pub(super) base: Tensor,
    /// Autograd's gradient, flat.
    pub(super) gradient: Tensor,
    /// The loss here.
    pub(super) loss: f64,
    /// Standard deviation of the loss's rounding errors.
    pub(super) noise: f64,
    /// A derivative that is excused for its smallness.
    pub(super) negligible: f64,
}

/// The loss along a direction, at shorter and shorter steps both ways.
pub(super) struct Line<'l, 'f, 'a> {
    point: &'l Point<'f, 'a>,
    direction: Tensor,
    derivative: f64,
    scale: f64,
    longest: f64,
    /// Whether rounding errors are those of single precision.
    blunt: bool,
    /// Step, loss after it, loss before it.
    rungs: Vec<(f64, f64, f64)>,
}

/// What a line says of a derivative.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) answer: Answer,
    pub(super) autograd: f64,
    pub(super) differences: f64,
    /// The difference of the two over the size of what is differentiated.
    pub(super) relative: f64,
    /// The least such that would have been seen.
    pub(super) resolution: f64,
}

/// A step that did not agree.
#[derive(Clone, Copy)]
struct Last {
    off: f64,
    jump: f64,
}

impl<'l, 'f, 'a> Line<'l, 'f, 'a> {
    /// Along `direction`, which is flat.
    pub(super) fn along(point: &'l Point<'f, 'a>, direction: &Tensor) -> Self {
        let entries = &point.gradient * direction;
        let derivative = entries.sum(Kind::Double).double_value(&[]);
        // Of random signs; the sum itself may be small by chance.
        let scale = entries.norm().double_value(&[]);
        // Single precision somewhere in the loss needs long steps, whose curvature shorter ones take away again.
        let blunt = point.noise > COARSE * point.loss.abs();
        let reach = if blunt { 0.02 } else { 1e-3 };
        let most = reach * rms(&point.base).max(0.01);
        let wanted = SURE * point.noise / (AIM * scale.max(derivative.abs()));
        let longest = if wanted.is_finite() { wanted.min(most) } else { most };
        Self { point, direction: direction.shallow_clone(), derivative, scale, longest, blunt, rungs: Vec::new() }
    }

    /// Autograd's derivative along the line.
    pub(super) fn derivative(&self) -> f64 {
        self.derivative
    }

    /// The size of that derivative, if signs are taken at random.
    pub(super) fn scale(&self) -> f64 {
        self.scale
    }

    /// Holds a derivative against the line's differences.
    ///
    /// A right derivative agrees as soon as steps are short enough. What does not agree at several steps, and does not change
    /// from one to the next, is wrong; unless the two one-sided derivatives differ as lastingly, and the derivative lies
    /// between them: that is a kink. What changes all the time is many kinks.
    pub(super) fn compare(&mut self, autograd: f64) -> Result<Seen, SubjectError> {
        let mut last: Option<Last> = None;
        let mut steady = 0;
        let mut seen =
            Seen { answer: Answer::Kink, autograd, differences: f64::NAN, relative: f64::NAN, resolution: f64::NAN };
        for rung in 0..RUNGS {
            let (step, after, before) = self.rung(rung)?;
            let differences = (after - before) / (2.0 * step);
            if !differences.is_finite() {
                continue;
            }
            let off = differences - autograd;
            let size = self.scale.max(differences.abs());
            let tolerance = SURE * self.point.noise / step + ROUNDING * size;
            let relative = if off == 0.0 { 0.0 } else { off.abs() / size };
            let told_from = if self.blunt { tolerance.max(BLUNT * size) } else { tolerance };
            seen = Seen { differences, relative, resolution: told_from / size, ..seen };
            let told = |answer| {
                let small = size <= self.point.negligible || (answer == Answer::Agrees && tolerance > TELLING * size);
                Ok(Seen { answer: if small { Answer::TooSmall } else { answer }, ..seen })
            };
            let jump = (after - self.point.loss - (self.point.loss - before)) / step;
            if let Some(last) = last {
                if off.abs() <= tolerance && off.abs() <= 0.5 * last.off.abs() {
                    return told(Answer::Agrees);
                }
                steady = if (off - last.off).abs() <= 0.25 * last.off.abs() { steady + 1 } else { 0 };
                // The next step would drown in rounding errors.
                if steady >= 2 || (steady >= 1 && SHORTER * tolerance > off.abs()) {
                    let lasting = jump.abs() >= 0.7 * last.jump.abs() && jump.abs() >= 1.8 * off.abs();
                    let answer = if lasting { Answer::Kink } else { Answer::Differs };
                    return told(if off.abs() < told_from { Answer::TooSmall } else { answer });
                }
            } else if off.abs() <= tolerance {
                return told(Answer::Agrees);
            }
            last = Some(Last { off, jump });
        }
        if seen.differences.is_nan() || self.scale.max(seen.differences.abs()) <= self.point.negligible {
            seen.answer = Answer::TooSmall;
        }
        Ok(seen)
    }

    /// The losses at the ends of a step, evaluated once.
    fn rung(&mut self, at: usize) -> Result<(f64, f64, f64), SubjectError> {
        while self.rungs.len() <= at {
            let step = self.rungs.last().map_or(self.longest, |(step, _, _)| step / SHORTER);
            let after = self.loss_at(step)?;
            let before = self.loss_at(-step)?;
            self.put(0.0);
            self.rungs.push((step, after, before));
        }
        Ok(self.rungs[at])
    }

    fn loss_at(&self, distance: f64) -> Result<f64, SubjectError> {
        self.put(distance);
        self.point.function.value()
    }

    fn put(&self, distance: f64) {
        tch::no_grad(|| {
            let base = &self.point.base;
            let to = if distance == 0.0 {
                base.shallow_clone()
            } else {
                base + (&self.direction * distance).reshape_as(base)
            };
            self.point.parameter.shallow_clone().copy_(&to);
        });
    }
}

/// The difference of two derivatives over the larger.
pub(super) fn relative(autograd: f64, differences: f64) -> f64 {
    let size = autograd.abs().max(differences.abs());
    if size == 0.0 { 0.0 } else { (autograd - differences).abs() / size }
}
