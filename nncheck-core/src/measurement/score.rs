//! A metric after training, on both shares of the data.

use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};
use crate::metric::Metric;

/// How long to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Training {
    /// So many optimizer steps.
    Steps(usize),
    /// So many times through the training rows.
    Epochs(usize),
}

impl Training {
    /// In a name of a request.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Steps(steps) => format!("{steps}"),
            Self::Epochs(epochs) => format!("{epochs}epochs"),
        }
    }

    /// In words: `200 steps`.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Steps(1) => "1 step".to_owned(),
            Self::Steps(steps) => format!("{steps} steps"),
            Self::Epochs(1) => "1 epoch".to_owned(),
            Self::Epochs(epochs) => format!("{epochs} epochs"),
        }
    }

    /// How many steps that is, where it is told without the data.
    #[must_use]
    pub fn steps(self) -> Option<usize> {
        match self {
            Self::Steps(steps) => Some(steps),
            Self::Epochs(_) => None,
        }
    }
}

/// Asks for a metric after training, in eval mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreAsk {
    /// Which one.
    pub metric: Metric,
    /// For `top_k`.
    pub k: usize,
    /// After how much training.
    pub after: Training,
    /// On how many of the first rows of each share.
    pub rows: usize,
    /// Of a plain network with so many hidden units in the place of the program's model, trained by Adam at 1e-3.
    pub peer: Option<usize>,
}

impl Ask for ScoreAsk {
    fn key(&self) -> String {
        let Self { metric, k, after, rows, peer } = self;
        let peer = peer.map_or_else(String::new, |units| format!("-peer{units}"));
        format!("score-{}-{k}-{}-{rows}{peer}", metric.name(), after.key())
    }

    fn words(&self) -> String {
        format!("`{}` after {}", self.metric.name(), self.after.words())
    }

    fn after(&self) -> Option<usize> {
        // Another program is trained for itself.
        self.after.steps().filter(|_| self.peer.is_none())
    }
}

/// A metric after training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Facts of the data.
    pub facts: DataFacts,
    /// Why this program has no predictions to look at; there is nothing else then.
    pub cannot: Option<String>,
    /// On the training share.
    pub training: Option<ShareScore>,
    /// On the validation share; `None` where all rows train.
    pub validation: Option<ShareScore>,
}

/// A metric on one share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareScore {
    /// How many rows.
    pub rows: usize,
    /// The metric, or why it does not exist here.
    pub value: Result<f64, String>,
    /// The same of predicting each class's share or each target's mean, as the training share has them.
    pub baseline: Result<f64, String>,
}
