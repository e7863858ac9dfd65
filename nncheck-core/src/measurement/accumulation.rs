//! Whether gradients are cleared between optimizer steps.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks what becomes of the gradients of one step when the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccumulationAsk;

impl Ask for AccumulationAsk {
    fn key(&self) -> String {
        "accumulation".to_owned()
    }

    fn words(&self) -> String {
        "two equal training steps".to_owned()
    }
}

/// The gradients that the optimizer was given in two steps from one state, on the same batches, with the generator in
/// the same state, and with an optimizer that moved nothing: sound programs give it the same gradients twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accumulation {
    /// Micro-batches to a step.
    pub micro_batches: usize,
    /// How often an optimizer stepped in the first of the two steps.
    pub steps: usize,
    /// How often gradients were cleared in the first of the two steps.
    pub clears: usize,
    /// One entry a parameter that was given a gradient other than zero.
    pub gradients: Vec<Gradient>,
    /// The gradient of all parameters over that of one batch of all rows; `None` where the two cannot be compared
    /// (one micro-batch, dropout, batch norm).
    pub against_one_batch: Option<Against>,
}

/// A parameter's gradient in two equal steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gradient {
    /// The parameter.
    pub parameter: String,
    /// L2 norm in the first step.
    pub norm: f64,
    /// L2 norm of the difference between the two, over `norm`: 0 where gradients are cleared, 1 where they are not.
    pub change: f64,
}

/// An accumulated gradient against that of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// L2 norm of the difference over that of the single batch's.
    pub difference: f64,
    /// L2 norm over that of the single batch's.
    pub ratio: f64,
}
