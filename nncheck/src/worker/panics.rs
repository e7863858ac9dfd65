//! Panics of the user's code and of libtorch, in words.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;

use crate::subject::error::panic_words;

static LAST_PLACE: Mutex<Option<String>> = Mutex::new(None);

/// A panic: its message, and where in the source it happened.
#[derive(Clone, Debug)]
pub(super) struct Panic {
    pub words: String,
    pub place: Option<String>,
}

/// Keeps the default hook from writing about panics that are caught and reported.
pub(super) fn install_hook() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(|l| format!("{}:{}:{}", l.file(), l.line(), l.column()));
        if let Ok(mut last) = LAST_PLACE.lock() {
            *last = place;
        }
    }));
}

/// Runs `job`, turning a panic into words.
pub(super) fn catch<R>(job: impl FnOnce() -> R) -> Result<R, Panic> {
    panic::catch_unwind(AssertUnwindSafe(job)).map_err(|payload| Panic {
        words: panic_words(payload.as_ref()),
        place: LAST_PLACE.lock().ok().and_then(|mut last| last.take()),
    })
}
