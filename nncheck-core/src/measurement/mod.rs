//! What can be measured, and what comes back: pure data, without tensors and without judgement.

pub mod facts;
pub mod initial;
pub mod overfit;
pub mod trace;

use serde::{Deserialize, Serialize};

pub use facts::DataFacts;
pub use initial::{Initial, InitialAsk};
pub use overfit::{Overfit, OverfitAsk};
pub use trace::{Trace, TraceAsk};

/// A measurement that a check asks for, of one subject with one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// The loss before any training.
    Initial(InitialAsk),
    /// Training on a handful of examples until they are learnt.
    Overfit(OverfitAsk),
    /// Some steps of training, watched.
    Trace(TraceAsk),
}

/// What came back for a [`Request`], variant by variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Measurement {
    /// For [`Request::Initial`].
    Initial(Initial),
    /// For [`Request::Overfit`].
    Overfit(Overfit),
    /// For [`Request::Trace`].
    Trace(Trace),
}

/// A request's answer was of another kind: a fault of nncheck itself.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a measurement of another kind came back (this is a fault in nncheck)")]
pub struct OtherKind;

impl Measurement {
    /// The answer to a [`Request::Initial`].
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn initial(&self) -> Result<&Initial, OtherKind> {
        if let Self::Initial(m) = self { Ok(m) } else { Err(OtherKind) }
    }

    /// The answer to a [`Request::Overfit`].
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn overfit(&self) -> Result<&Overfit, OtherKind> {
        if let Self::Overfit(m) = self { Ok(m) } else { Err(OtherKind) }
    }

    /// The answer to a [`Request::Trace`].
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn trace(&self) -> Result<&Trace, OtherKind> {
        if let Self::Trace(m) = self { Ok(m) } else { Err(OtherKind) }
    }
}
