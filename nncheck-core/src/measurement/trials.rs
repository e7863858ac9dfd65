//! Several short trainings from one beginning, with other optimizers or other rates.

use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};
use crate::spec::optimizer::OptimizerKind;

/// Asks how far each of several trainings lowers the loss; all begin with the same parameters and see the same batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialsAsk {
    /// What is tried.
    pub trials: Vec<Trial>,
    /// Steps of each.
    pub steps: usize,
    /// On how many of the first training rows the loss is read.
    pub rows: usize,
}

/// One training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Trial {
    /// The program's own optimizer at its rate times this.
    Own(f64),
    /// This optimizer instead, without clipping and schedule.
    Other(OptimizerKind),
}

impl Ask for TrialsAsk {
    fn key(&self) -> String {
        let trials: Vec<String> = self
            .trials
            .iter()
            .map(|trial| match trial {
                Trial::Own(factor) => format!("{factor:e}"),
                Trial::Other(kind) => serde_json::to_string(kind).unwrap_or_default(),
            })
            .collect();
        format!("trials-{}-{}-{}", self.steps, self.rows, trials.join(" "))
    }

    fn words(&self) -> String {
        "several short trainings".to_owned()
    }
}

/// How far each training came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trials {
    /// Facts of the data.
    pub facts: DataFacts,
    /// Why nothing was tried; there are no losses then.
    pub cannot: Option<String>,
    /// The loss before training.
    pub start: f64,
    /// The loss after each training, in the order that was asked for; not finite where it diverged.
    pub losses: Vec<f64>,
}
