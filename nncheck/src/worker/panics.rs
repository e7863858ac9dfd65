//! Panics of the user's code and of libtorch, in words.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;

use crate::subject::error::first_lines;

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

/// The message of a panic. tch unwraps libtorch's errors, so its panics hold the `Debug` form of one; the C++ stack
/// trace behind it is cut off.
#[must_use]
pub fn panic_words(payload: &(dyn Any + Send)) -> String {
    let words = payload
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned());
    let words = match words.split_once("called `Result::unwrap()` on an `Err` value: ") {
        Some((_, error)) => unquote(error),
        None => words,
    };
    first_lines(&words)
}

/// `Torch("...\n...")` as text.
fn unquote(error: &str) -> String {
    let inner = error.strip_prefix("Torch(\"").and_then(|e| e.strip_suffix("\")")).unwrap_or(error);
    inner.replace("\\n", "\n").replace("\\\"", "\"").replace("\\'", "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtorchs_message_is_freed_from_rusts_quoting_and_the_cpp_trace() {
        let raw = "called `Result::unwrap()` on an `Err` value: Torch(\"mat1 and mat2 shapes cannot be multiplied (64x64 and 32x10)\\nException raised from meta at ../aten:1 (most recent call first):\\nframe #0\")";
        assert_eq!(
            panic_words(&raw.to_owned() as &(dyn Any + Send)),
            "mat1 and mat2 shapes cannot be multiplied (64x64 and 32x10)"
        );
    }
}
