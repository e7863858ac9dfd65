//! The course of the loss, and what it says of the training.

use super::super::evidence::{average, slope, trace, typical};
use super::{Cause, Context, Learns, Losses};
use crate::judge::number::number;
use crate::measurement::Measurement;

/// The losses of all seeds, in tenths of the steps.
pub(super) struct Curve {
    pub(super) start: f64,
    pub(super) end: f64,
    blank: f64,
    /// Means over the seeds, in which the noise of the batches is less than in any one of them.
    tenths: Vec<f64>,
    /// By how much they are above those on blank inputs: the batches hold the same rows, so that what some batches have
    /// harder targets than others cancels.
    above_blank: Vec<f64>,
    /// The largest loss of any step of the first seed.
    pub(super) peak: f64,
}

impl Curve {
    pub(super) fn new(check: &Learns, context: &Context<'_>, taken: &[Vec<Measurement>]) -> Option<Self> {
        let of = |f: fn(&Losses) -> f64| {
            let all = taken.iter().filter_map(|seed| check.losses(context, seed).ok().flatten());
            all.map(|l| f(&l))
                .find(|v| !v.is_finite())
                .or_else(|| typical(taken, |seed| check.losses(context, seed).ok().flatten().map(|l| f(&l))))
        };
        let losses = context.losses(trace(taken.first()?, 0).ok()?).ok()?;
        let size = losses.len().div_ceil(10).max(1);
        let tenths = |at: usize| {
            let of_seed = |seed: &Vec<Measurement>| -> Option<Vec<f64>> {
                Some(context.losses(trace(seed, at).ok()?).ok()?.chunks(size).filter_map(average).collect())
            };
            let all: Vec<Vec<f64>> = taken.iter().filter_map(of_seed).collect();
            let tenth = |at| average(&all.iter().filter_map(|seed| seed.get(at).copied()).collect::<Vec<_>>());
            (0..10).map_while(tenth).collect::<Vec<f64>>()
        };
        let (tenths, blank) = (tenths(0), tenths(1));
        let above_blank = tenths.iter().zip(&blank).map(|(real, blank)| real - blank).collect();
        let peak = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(Self {
            start: of(|l| l.initial)?,
            end: of(|l| l.real)?,
            blank: of(|l| l.blank)?,
            tenths,
            above_blank,
            peak,
        })
    }

    pub(super) fn is_flat(&self) -> bool {
        self.is_level() && !self.still_falling() && !self.steadily_up()
    }

    /// It ended below its beginning by this share of it.
    pub(super) fn fell_by(&self, share: f64) -> bool {
        self.end < self.start - share * self.start.abs()
    }

    /// No tenth is further than 2 % from another.
    pub(super) fn is_level(&self) -> bool {
        let (low, high) =
            self.tenths.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &t| (low.min(t), high.max(t)));
        self.end.is_finite() && high - low <= 0.02 * self.start.abs()
    }

    pub(super) fn rises(&self) -> bool {
        !self.end.is_finite() || self.end > self.start + 0.05 * self.start.abs()
    }

    /// It was at more than twice its beginning on the way.
    pub(super) fn jumps(&self) -> bool {
        self.start > 0.0 && self.peak > 2.0 * self.start
    }

    pub(super) fn steadily_up(&self) -> bool {
        let up = self.tenths.windows(2).filter(|pair| pair[1] > pair[0]).count();
        self.tenths.iter().all(|t| t.is_finite())
            && up * 10 >= self.tenths.len().saturating_sub(1) * 9
            && self.end > self.start
    }

    /// The second half goes on falling.
    pub(super) fn still_falling(&self) -> bool {
        let half = &self.tenths[self.tenths.len() / 2..];
        let down = half.windows(2).filter(|pair| pair[1] < pair[0]).count();
        half.len() >= 2 && down * 4 >= (half.len() - 1) * 3 && half[half.len() - 1] < half[0] - 1e-4 * half[0].abs()
    }

    /// The inputs are worth more and more, however little.
    pub(super) fn gains_on_blank(&self) -> bool {
        slope(&self.above_blank).is_some_and(|(slope, fit)| slope < 0.0 && fit < -0.85)
    }

    /// It began above where blank inputs lead, and has not come down to that yet: what the inputs are worth, nobody can tell.
    pub(super) fn is_on_its_way_down(&self) -> bool {
        self.still_falling() && self.start > self.end && self.end > self.blank + 0.1 * self.blank.abs()
    }

    /// The share of the fall that is not there on blank inputs.
    pub(super) fn share_of_the_inputs(&self) -> f64 {
        let fall = self.start - self.end;
        if fall > 0.0 { (self.blank - self.end) / fall } else { 0.0 }
    }

    pub(super) fn as_blank(&self) -> Cause {
        let matter = if self.share_of_the_inputs() < 0.5 { "hardly matter" } else { "matter less than they could" };
        Cause {
            id: "labels_do_not_belong",
            help: format!(
                "the loss goes from {} to {}, and to {} on blank inputs: the inputs {matter}; see that labels belong to their inputs and that the inputs reach the outputs",
                number(self.start),
                number(self.end),
                number(self.blank)
            ),
        }
    }
}
