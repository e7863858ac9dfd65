//! What each term of the loss is given: outputs at initialisation, and targets.

use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};

/// Asks what the loss is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossTaskAsk {
    /// How many of the first training rows' targets are looked at.
    pub rows: usize,
}

impl Ask for LossTaskAsk {
    fn key(&self) -> String {
        format!("loss_task-{}", self.rows)
    }

    fn words(&self) -> String {
        "the outputs and targets that the loss is given".to_owned()
    }
}

/// What the terms of a loss are given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossTask {
    /// Facts of the data.
    pub facts: DataFacts,
    /// The terms, in the order of the spec; none for a program of the user's own.
    pub terms: Vec<Given>,
    /// The last operator of the forward pass, where there is one output.
    pub last_operator: Option<String>,
}

/// What one term is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Given {
    /// Shape of a batch of outputs.
    pub output_shape: Vec<usize>,
    /// The least output.
    pub output_min: f64,
    /// The largest output.
    pub output_max: f64,
    /// Whether outputs are probabilities that sum to one over the classes.
    pub sums_to_one: bool,
    /// Whether they are the logarithms of such.
    pub logarithms_of_ones: bool,
    /// Shape of the same batch of targets.
    pub target_shape: Vec<usize>,
    /// Whether the targets are class ids.
    pub ids: bool,
    /// Each value of the targets with its share, from the least up; none where there are many.
    pub values: Vec<(f64, f64)>,
    /// The least target.
    pub target_min: f64,
    /// The largest target.
    pub target_max: f64,
}
