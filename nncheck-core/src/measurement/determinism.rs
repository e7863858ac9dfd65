//! A training run as it comes out in a process of its own.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks for a short training run in a fresh process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunAsk {
    /// Which of several equal runs.
    pub run: u8,
    /// How many training steps are taken; 0 where nothing trains.
    pub steps: usize,
}

impl Ask for RunAsk {
    fn key(&self) -> String {
        format!("run-{}-{}", self.run, self.steps)
    }

    fn words(&self) -> String {
        "a training run in a fresh process".to_owned()
    }

    fn fresh_process(&self) -> bool {
        true
    }
}

/// What a run came to, bit for bit: tensors as digests of their entries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The first batch.
    pub data: u64,
    /// Parameters and buffers before training.
    pub before: Vec<(String, u64)>,
    /// The loss of each step.
    pub losses: Vec<f64>,
    /// Parameters and buffers after training.
    pub after: Vec<(String, u64)>,
}
