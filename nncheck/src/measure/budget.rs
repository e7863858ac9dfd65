//! What a program costs.

use std::time::{Duration, Instant};

use nncheck_core::measurement::budget::{Budget, BudgetAsk};

use crate::subject::{Program, SubjectError};
use crate::user::{Batch, Mode};

/// Counts parameters; trains, and takes time and memory of it.
pub(super) fn measure(program: &mut Program<'_>, ask: &BudgetAsk) -> Result<Budget, SubjectError> {
    let count = |trains: bool| -> usize {
        program.parameters().iter().filter(|(_, p)| !trains || p.requires_grad()).map(|(_, p)| p.numel()).sum()
    };
    let (parameters, trainable) = (count(false), count(true));
    let facts = program.facts().clone();
    if ask.steps == 0 {
        return Ok(Budget { facts, parameters, trainable, step_time: None, memory: None });
    }
    let batch = program.data.first(program.spec.data.batch);
    let before = memory::reset().then(memory::now).flatten();
    train(&mut program.anew(program.spec)?, &batch, ask.steps)?;
    let memory = before.zip(memory::most()).map(|(before, most)| (most - before).max(0.0));
    let bare = {
        let mut spec = program.spec.clone();
        spec.train.step = None;
        spec
    };
    let mut step_time = None;
    if program.network().is_some() {
        // Turn about, and the best of each: whatever else the machine does takes time of both.
        let (mut own, mut alone) = (program.anew(program.spec)?, program.anew(&bare)?);
        let (mut of_own, mut of_alone) = (Duration::MAX, Duration::MAX);
        for _ in 0..3 {
            of_own = of_own.min(train(&mut own, &batch, ask.steps)?);
            of_alone = of_alone.min(train(&mut alone, &batch, ask.steps)?);
        }
        step_time = (!of_alone.is_zero()).then(|| of_own.as_secs_f64() / of_alone.as_secs_f64());
    }
    Ok(Budget { facts, parameters, trainable, step_time, memory })
}

/// Trains, and takes the time of the quickest step after the first.
fn train(program: &mut Program<'_>, batch: &Batch, steps: usize) -> Result<Duration, SubjectError> {
    let mut trainer = program.trainer()?;
    let mut quickest = Duration::MAX;
    for step in 0..=steps {
        let start = Instant::now();
        trainer.step(&mut || batch.clone(), Mode::Bare)?;
        if step > 0 {
            quickest = quickest.min(start.elapsed());
        }
    }
    Ok(quickest)
}

/// What the process holds of memory, as Linux tells.
mod memory {
    use std::fs;

    /// Lets the most that was held begin anew at what is held now.
    pub(super) fn reset() -> bool {
        fs::write("/proc/self/clear_refs", "5").is_ok()
    }

    /// Bytes held now.
    pub(super) fn now() -> Option<f64> {
        line("VmRSS:")
    }

    /// Bytes held at most since the reset.
    pub(super) fn most() -> Option<f64> {
        line("VmHWM:")
    }

    fn line(key: &str) -> Option<f64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let rest = status.lines().find_map(|line| line.strip_prefix(key))?;
        let kib: f64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024.0)
    }
}
