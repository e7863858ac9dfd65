//! Progress of long work, on standard error: a bar on a terminal, a few plain lines elsewhere.

use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Somebody who wants to know how long work comes along.
pub trait Progress: Sync {
    /// A thing worth a line of its own that stays.
    fn say(&self, line: &str);

    /// `done` of `total` bytes of `what` are there.
    fn bytes(&self, what: &str, done: u64, total: Option<u64>);

    /// The work that `bytes` spoke of is over.
    fn finish(&self);
}

/// The progress report that fits standard error and how talkative we are to be.
pub fn on_stderr(quiet: bool) -> Box<dyn Progress> {
    if quiet {
        Box::new(Silent)
    } else if stderr().is_terminal() {
        Box::new(Bar::default())
    } else {
        Box::new(Lines::default())
    }
}

/// Says nothing.
#[derive(Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn say(&self, _: &str) {}
    fn bytes(&self, _: &str, _: u64, _: Option<u64>) {}
    fn finish(&self) {}
}

/// A bar that is redrawn in place.
#[derive(Debug, Default)]
struct Bar {
    bar: Mutex<Option<ProgressBar>>,
}

impl Progress for Bar {
    fn say(&self, line: &str) {
        match &*self.bar.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(bar) => bar.suspend(|| anstream::eprintln!("{line}")),
            None => anstream::eprintln!("{line}"),
        }
    }

    fn bytes(&self, what: &str, done: u64, total: Option<u64>) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::no_length();
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        if bar.length() != total || bar.message() != what {
            let template = match total {
                Some(_) => "  {msg} [{bar:24}] {decimal_bytes}/{decimal_total_bytes}, {eta} left",
                None => "  {msg} {spinner} {decimal_bytes}",
            };
            bar.reset();
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_message(what.to_owned());
            match total {
                Some(total) => bar.set_length(total),
                None => bar.unset_length(),
            }
        }
        bar.set_position(total.map_or(done, |total| done.min(total)));
    }

    fn finish(&self) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

/// A line at every half of what is large enough to take a while.
#[derive(Debug, Default)]
struct Lines {
    told: Mutex<Told>,
}

/// The number of bytes from which on work is worth a plain line.
const LARGE: u64 = 50_000_000;

#[derive(Debug, Default)]
struct Told {
    what: String,
    halves: u64,
}

impl Told {
    /// The half that was just reached, if it was not told yet.
    fn reach(&mut self, what: &str, done: u64, total: u64) -> Option<u64> {
        if self.what != what {
            *self = Self { what: what.to_owned(), halves: 0 };
        }
        let halves = (done.min(total).saturating_mul(2)).checked_div(total)?;
        (halves > self.halves).then(|| {
            self.halves = halves;
            halves
        })
    }
}

impl Progress for Lines {
    fn say(&self, line: &str) {
        anstream::eprintln!("{line}");
    }

    fn bytes(&self, what: &str, done: u64, total: Option<u64>) {
        let Some(total) = total.filter(|&total| total >= LARGE) else { return };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(halves) = told.reach(what, done, total) {
            anstream::eprintln!("  {what}: {} % of {}", halves * 50, megabytes(total));
        }
    }

    fn finish(&self) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Told::default();
    }
}

/// A number of bytes, for people.
pub fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_add(50_000) / 100_000;
    if tenths >= 1000 { format!("{} MB", (tenths + 5) / 10) } else { format!("{}.{} MB", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_come_once_a_half() {
        let mut told = Told::default();
        let reached: Vec<u64> = (0..=100).filter_map(|done| told.reach("torch", done, 100)).collect();
        assert_eq!(reached, [1, 2]);
        assert_eq!(told.reach("another", 60, 100), Some(1));
        assert_eq!(told.reach("empty", 0, 0), None);
    }

    #[test]
    fn bytes_are_told_in_megabytes() {
        assert_eq!(megabytes(0), "0.0 MB");
        assert_eq!(megabytes(2_243_632), "2.2 MB");
        assert_eq!(megabytes(99_949_999), "99.9 MB");
        assert_eq!(megabytes(530_604_548), "531 MB");
    }
}
