//! What train and eval mode do to a model.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks what the modes do, and which one training runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModesAsk {
    /// How many training steps are taken; 0 where nothing trains.
    pub steps: usize,
}

impl Ask for ModesAsk {
    fn key(&self) -> String {
        format!("modes-{}", self.steps)
    }

    fn words(&self) -> String {
        "train and eval mode".to_owned()
    }
}

/// A model in both modes. Differences are the largest of any entry, over the spread of the outputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Modes {
    /// Why there is nothing to look at.
    pub cannot: Option<String>,
    /// What differs between two passes in eval mode, the generator going on in between.
    pub repeated: f64,
    /// The layers that drop units, in eval mode too.
    pub dropouts: Vec<String>,
    /// What differs between a row in a batch and the same row alone, in eval mode; `None` where it does not run alone.
    pub alone: Option<f64>,
    /// Buffers that a pass in eval mode moves.
    pub moved_by_eval: Vec<String>,
    /// Whether the two modes put out different things.
    pub differ: bool,
    /// Running statistics, and whether they moved in training.
    pub statistics: Vec<(String, bool)>,
    /// How many training steps ran the model in train mode, and how many in eval mode alone, where that is seen.
    pub steps: Option<(usize, usize)>,
    /// The loss before training, and that after it in train and in eval mode, on the same rows.
    pub losses: Option<Losses>,
}

/// The loss in both modes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Losses {
    /// In train mode, before training.
    pub before: f64,
    /// In train mode, after training.
    pub train: f64,
    /// In eval mode, after training.
    pub eval: f64,
}
