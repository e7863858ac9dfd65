//! From a schedule to the rate of each step.

use std::f64::consts::PI;

use super::{Anneal, OneCycle, Plateau, Schedule, ScheduleKind, ThresholdMode};

/// The learning rate on its way through training: what it is now, and what the step that was just taken makes of it.
#[derive(Clone, Debug)]
pub struct Course {
    schedule: Option<Schedule>,
    base: f64,
    step: u64,
    plateau: Falls,
}

/// What `plateau` remembers.
#[derive(Clone, Debug)]
struct Falls {
    lr: f64,
    best: f64,
    bad: u64,
    cooldown: u64,
}

impl Course {
    /// The beginning: `lr` is the rate that the optimizer states; no schedule is a constant one.
    #[must_use]
    pub fn new(schedule: Option<&Schedule>, lr: f64) -> Self {
        let plateau = Falls { lr, best: f64::INFINITY, bad: 0, cooldown: 0 };
        Self { schedule: schedule.cloned(), base: lr, step: 0, plateau }
    }

    /// The rate of the step that comes next.
    #[must_use]
    pub fn lr(&self) -> f64 {
        match &self.schedule {
            Some(Schedule { kind: ScheduleKind::Plateau(_), warmup }) if self.step >= *warmup => self.plateau.lr,
            Some(schedule) => schedule.lr_at(self.base, self.step),
            None => self.base,
        }
    }

    /// The momentum (of Adam, the first beta) of the step that comes next; `None`: the optimizer's own.
    #[must_use]
    pub fn momentum(&self) -> Option<f64> {
        match &self.schedule.as_ref()?.kind {
            ScheduleKind::OneCycle(cycle) if cycle.cycle_momentum => Some(cycle.at(self.base, self.step).1),
            _ => None,
        }
    }

    /// A step was taken.
    pub fn advance(&mut self) {
        self.step += 1;
    }

    /// The loss of the step that was taken last, which `plateau` follows; not while it warms up.
    pub fn see(&mut self, loss: f64) {
        if let Some(Schedule { kind: ScheduleKind::Plateau(settings), warmup }) = &self.schedule
            && self.step > *warmup
        {
            self.plateau.see(settings, loss);
        }
    }

    /// From now on this is the full rate.
    pub fn set_base(&mut self, lr: f64) {
        self.base = lr;
        if let Some(Schedule { kind: ScheduleKind::OneCycle(cycle), .. }) = &mut self.schedule {
            cycle.max_lr = None;
        }
        self.plateau.lr = lr;
    }
}

impl Schedule {
    /// The rate of a step (from 0) under a full rate of `base`; of `plateau`, which needs the losses, before any fall.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "steps stay far below 2^53")]
    pub fn lr_at(&self, base: f64, step: u64) -> f64 {
        if step < self.warmup {
            return base * (step + 1) as f64 / (self.warmup + 1) as f64;
        }
        let step = step - self.warmup;
        let t = step as f64;
        match &self.kind {
            ScheduleKind::Constant | ScheduleKind::Plateau(_) => base,
            ScheduleKind::Step(s) => base * s.gamma.powf((step / s.step_size) as f64),
            ScheduleKind::Exponential(s) => base * s.gamma.powf(t),
            ScheduleKind::Cosine(s) => {
                // Twice the steps are a period: small numbers keep the cosine exact.
                let t = (step % (2 * s.steps.get())) as f64;
                s.eta_min + (base - s.eta_min) * f64::midpoint(1.0, (PI * t / s.steps.get() as f64).cos())
            }
            ScheduleKind::Linear(s) => {
                let done = step.min(s.steps.get()) as f64 / s.steps.get() as f64;
                base * (s.start_factor + (s.end_factor - s.start_factor) * done)
            }
            ScheduleKind::OneCycle(s) => s.at(base, step).0,
        }
    }
}

/// A part of a cycle: the step that it ends with, its rates and its momenta.
struct Phase {
    end: f64,
    lr: (f64, f64),
    momentum: (f64, f64),
}

impl OneCycle {
    /// The rate and the momentum of a step.
    #[expect(clippy::cast_precision_loss, reason = "steps stay far below 2^53")]
    fn at(&self, base: f64, step: u64) -> (f64, f64) {
        let (total, t) = (self.steps.get() as f64, step as f64);
        let max = self.max_lr.unwrap_or(base);
        let first = max / self.div_factor;
        let last = first / self.final_div_factor;
        let (low, high) = (self.base_momentum, self.max_momentum);
        let up = Phase { end: self.pct_start * total - 1.0, lr: (first, max), momentum: (high, low) };
        let phases = if self.three_phase {
            let back = Phase { end: 2.0 * self.pct_start * total - 2.0, lr: (max, first), momentum: (low, high) };
            vec![up, back, Phase { end: total - 1.0, lr: (first, last), momentum: (high, high) }]
        } else {
            vec![up, Phase { end: total - 1.0, lr: (max, last), momentum: (low, high) }]
        };
        let mut start = 0.0;
        for phase in &phases {
            if t <= phase.end {
                let done = if phase.end > start { (t - start) / (phase.end - start) } else { 1.0 };
                return (self.between(phase.lr, done), self.between(phase.momentum, done));
            }
            start = phase.end;
        }
        phases.last().map_or((last, high), |phase| (phase.lr.1, phase.momentum.1))
    }

    fn between(&self, (start, end): (f64, f64), done: f64) -> f64 {
        match self.anneal_strategy {
            Anneal::Cos => end + (start - end) / 2.0 * (1.0 + (PI * done).cos()),
            Anneal::Linear => start + (end - start) * done,
        }
    }
}

impl Falls {
    fn see(&mut self, settings: &Plateau, loss: f64) {
        let needed = match settings.threshold_mode {
            ThresholdMode::Rel => self.best * (1.0 - settings.threshold),
            ThresholdMode::Abs => self.best - settings.threshold,
        };
        if loss < needed {
            self.best = loss;
            self.bad = 0;
        } else {
            self.bad += 1;
        }
        if self.cooldown > 0 {
            self.cooldown -= 1;
            self.bad = 0;
        }
        if self.bad > settings.patience {
            let lower = (self.lr * settings.factor).max(settings.min_lr);
            if self.lr - lower > settings.eps {
                self.lr = lower;
            }
            self.cooldown = settings.cooldown;
            self.bad = 0;
        }
    }
}
