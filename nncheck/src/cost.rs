//! What watching costs: for `benches/monitor.rs` alone.

use std::time::Duration;

use crate::measure::train_some;
use crate::subject::{Program, SubjectError};

/// Trains a program on one batch, its first `rows` rows, in blocks of so many steps, each block watched at every so-manieth
/// step (0: never); returns how long each block took.
///
/// # Errors
/// When it cannot be trained.
pub fn blocks(
    program: &mut Program<'_>,
    rows: usize,
    blocks: &[(usize, usize)],
) -> Result<Vec<Duration>, SubjectError> {
    let batch = program.first_rows(rows);
    let mut next = || batch.clone();
    let mut taken = Vec::with_capacity(blocks.len());
    let mut started = now();
    train_some(program, &mut next, blocks, &mut || {
        let ended = now();
        taken.push(ended - started);
        started = ended;
    })?;
    Ok(taken)
}

/// What this thread has had of the processor: unlike the clock on the wall, it does not count what other programs took.
#[cfg(unix)]
#[must_use]
pub fn now() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists on every Unix, and `time` is ours to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The clock on the wall.
#[cfg(not(unix))]
#[must_use]
pub fn now() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}
