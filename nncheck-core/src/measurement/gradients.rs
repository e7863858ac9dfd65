//! Autograd's gradients against central differences.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks whether autograd's gradients are the derivatives of the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GradientsAsk {
    /// On how many of the first training rows.
    pub rows: usize,
}

impl Ask for GradientsAsk {
    fn key(&self) -> String {
        format!("gradients-{}", self.rows)
    }

    fn words(&self) -> String {
        "gradients and differences".to_owned()
    }
}

/// Gradients against central differences, on a copy of the program in double precision, in train mode, with the generator in
/// the same state for each evaluation and buffers put back after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gradients {
    /// Why there is nothing to compare; then there are no tensors.
    pub cannot: Option<String>,
    /// The loss there.
    pub loss: f64,
    /// Standard deviation of the loss's rounding error, estimated from its differences (Moré & Wild 2011).
    pub noise: f64,
    /// How often the loss was evaluated.
    pub evaluations: usize,
    /// One entry a tensor that asks for a gradient, sorted by name; of programs with several losses one a tensor and loss that
    /// reaches it.
    pub tensors: Vec<TensorGradient>,
}

impl Gradients {
    /// Nothing to compare, for this reason.
    #[must_use]
    pub fn nothing(why: impl Into<String>) -> Self {
        Self { cannot: Some(why.into()), loss: f64::NAN, noise: f64::NAN, evaluations: 0, tensors: Vec::new() }
    }
}

/// A tensor's gradient along a random direction that moves every entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorGradient {
    /// The parameter.
    pub parameter: String,
    /// The loss's term, where the program has several losses that are differentiated apart.
    pub term: Option<String>,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Autograd's derivative along the direction.
    pub autograd: f64,
    /// The central difference along the same.
    pub differences: f64,
    /// What the two say together.
    pub answer: Answer,
    /// Their difference over the size of the derivative; where they differ, that of the entry or entries in [`Self::wrong`].
    pub relative: f64,
    /// The least relative difference that would have been seen along the direction.
    pub resolution: f64,
    /// Whether an error of one percent in a single typical entry was seen when one was planted.
    pub sees_an_entry: bool,
    /// Where they differ.
    pub wrong: Option<Wrong>,
}

/// What autograd and differences say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// They agree, to a relative difference that tells something; and a wrong gradient did not.
    Agrees,
    /// The derivative is too small beside the loss's rounding errors to be told from zero.
    TooSmall,
    /// The loss has a kink here: the derivatives from both sides differ, and autograd's is one of, or between, them.
    Kink,
    /// They differ.
    Differs,
}

/// The place where autograd and differences differ most, and how they differ around it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wrong {
    /// The entry's index, one number an axis; the first of several where they cannot be told apart.
    pub index: Vec<usize>,
    /// How many entries cannot be told apart; 1 for an entry found.
    pub entries: usize,
    /// Autograd's derivative there.
    pub autograd: f64,
    /// The central difference there.
    pub differences: f64,
    /// How many entries of the tensor were compared one by one.
    pub compared: usize,
    /// How many of these are wrong.
    pub wrong: usize,
    /// Autograd over differences in all wrong entries, where it is the same in all of them.
    pub ratio: Option<f64>,
    /// Whether autograd has no gradient for the whole tensor, or zeros alone.
    pub without: bool,
}
