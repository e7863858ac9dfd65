//! Whether saving and loading brings back the same model.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks what saving and loading changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointAsk {
    /// How many training steps are taken before; 0 where nothing trains.
    pub steps: usize,
}

impl Ask for CheckpointAsk {
    fn key(&self) -> String {
        format!("checkpoint-{}", self.steps)
    }

    fn words(&self) -> String {
        "saving and loading".to_owned()
    }
}

/// A model that was trained for a little and saved, beside one that was built from another seed and loaded from it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Why there is nothing to look at.
    pub cannot: Option<String>,
    /// Why what was saved cannot be loaded.
    pub refused: Option<String>,
    /// For each output, in eval mode: the largest difference over the spread of the outputs.
    pub outputs: Vec<(String, f64)>,
    /// The first layer whose output differs.
    pub first: Option<String>,
}
