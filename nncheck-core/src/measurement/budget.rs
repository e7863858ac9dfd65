//! What a program costs.

use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};

/// Asks for what a program costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetAsk {
    /// Over how many training steps; none: parameters are counted alone.
    pub steps: usize,
}

impl Ask for BudgetAsk {
    fn key(&self) -> String {
        format!("budget-{}", self.steps)
    }

    fn words(&self) -> String {
        "what the program costs".to_owned()
    }

    fn fresh_process(&self) -> bool {
        // A worker keeps the memory that earlier measurements took.
        self.steps > 0
    }
}

/// What a program costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Facts of the data.
    pub facts: DataFacts,
    /// Numbers in all parameters.
    pub parameters: usize,
    /// Of those, in parameters that train.
    pub trainable: usize,
    /// The time of a step over that of forward, backward and update alone; `None` where it was not asked for, or there is no
    /// bare step to compare with.
    pub step_time: Option<f64>,
    /// Bytes that building and training took at most beyond what the process had; `None` where this system does not tell.
    pub memory: Option<f64>,
}
