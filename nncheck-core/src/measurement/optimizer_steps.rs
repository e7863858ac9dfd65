//! What the optimizer is asked to do, step by step.

use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};

/// Asks for the rate and the gradients of each step of the optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptimizerStepsAsk {
    /// How many training steps.
    pub steps: usize,
}

impl Ask for OptimizerStepsAsk {
    fn key(&self) -> String {
        format!("optimizer_steps-{}", self.steps)
    }

    fn words(&self) -> String {
        "the steps of the optimizer".to_owned()
    }
}

/// What the optimizer was asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptimizerSteps {
    /// Facts of the data.
    pub facts: DataFacts,
    /// Why it cannot be seen.
    pub cannot: Option<String>,
    /// One entry a training step.
    pub steps: Vec<Moment>,
}

/// What happened in one training step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// The loss before it.
    pub loss: f64,
    /// How often the optimizer stepped.
    pub count: usize,
    /// Its rate when it stepped first, of the first group where there are several; `None` where it does not tell.
    pub rate: Option<f64>,
    /// The gradients that it was given at its last step.
    pub given: Length,
    /// The same after that step, when it had clipped them.
    pub used: Length,
}

/// How long all gradients are together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Length {
    /// L2 norm of all entries.
    pub norm: f64,
    /// Largest absolute entry.
    pub largest: f64,
}
