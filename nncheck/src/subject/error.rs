//! What can go wrong with a subject before anything is measured, in the user's words.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

/// Why a measurement could not be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{cause}")]
pub struct SubjectError {
    /// What is wrong; may be several lines.
    pub cause: String,
    /// What to do, one line each.
    pub help: Vec<String>,
}

impl SubjectError {
    /// What is wrong, in lower case.
    pub fn new(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), help: Vec::new() }
    }

    /// A line on what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

impl From<tch::TchError> for SubjectError {
    fn from(error: tch::TchError) -> Self {
        Self::new(first_lines(&error.to_string()))
    }
}

impl From<crate::observe::ObserveError> for SubjectError {
    fn from(error: crate::observe::ObserveError) -> Self {
        Self::new(error.to_string())
    }
}

/// libtorch appends a C++ stack trace to its messages; what a user can act on stands before it.
pub(crate) fn first_lines(message: &str) -> String {
    let cut = message.find("\nException raised from").unwrap_or(message.len());
    message[..cut].trim().to_owned()
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

/// Runs what may panic; a panic comes back as its words. For what is tried on a copy, and thrown away where it fails: the
/// program itself must not panic unseen. Whether gradients are recorded is put back, which `tch::no_grad` leaves undone
/// when it is left by a panic.
///
/// # Errors
/// The panic's words.
pub(crate) fn attempt<R>(job: impl FnOnce() -> R) -> Result<R, String> {
    // SAFETY: sets and returns a flag of this thread.
    let recorded = unsafe { torch_sys::at_grad_set_enabled(0) };
    // SAFETY: as above.
    let put_back = || unsafe { torch_sys::at_grad_set_enabled(recorded) };
    put_back();
    catch_unwind(AssertUnwindSafe(job)).map_err(|payload| {
        put_back();
        panic_words(payload.as_ref())
    })
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    #[test]
    fn libtorchs_message_is_freed_from_rusts_quoting_and_the_cpp_trace() {
        let raw = "called `Result::unwrap()` on an `Err` value: Torch(\"mat1 and mat2 shapes cannot be multiplied (64x64 and 32x10)\\nException raised from meta at ../aten:1 (most recent call first):\\nframe #0\")";
        assert_eq!(
            panic_words(&raw.to_owned() as &(dyn Any + Send)),
            "mat1 and mat2 shapes cannot be multiplied (64x64 and 32x10)"
        );
    }

    #[test]
    fn a_panic_without_gradients_leaves_them_on() {
        let records = || {
            let one = Tensor::ones([1], (Kind::Float, Device::Cpu)).set_requires_grad(true);
            (one * 2).requires_grad()
        };
        assert_eq!(attempt(|| tch::no_grad(|| panic!("a batch of one"))), Err::<(), _>("a batch of one".to_owned()));
        assert!(records());
        tch::no_grad(|| {
            assert!(attempt(|| tch::with_grad(|| panic!("inside"))).is_err_and(|words: String| words == "inside"));
            assert!(!records(), "and off where they were off");
        });
    }
}

/// Paths of a message relative to the package, which is the folder that a harness runs in.
pub(crate) fn below_here(message: &str) -> String {
    match std::env::current_dir() {
        Ok(here) => message.replace(&format!("{}/", here.display()), ""),
        Err(_) => message.to_owned(),
    }
}

/// What a worker is doing, so that a crash can be told from where it struck.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Reading and preparing the data.
    Data,
    /// Running the model's builder.
    Building,
    /// Taking the measurement.
    Measuring,
}

impl Phase {
    /// As it reads after "while".
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::Data => "the data was being read",
            Self::Building => "the model was being built",
            Self::Measuring => "the model was being measured",
        }
    }
}
