//! What can go wrong with a subject before anything is measured, in the user's words.

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
