//! A number of the user's own.

use serde::{Deserialize, Serialize};

use super::score::Training;
use super::{Ask, DataFacts};

/// Asks for the number that a function of the user's library gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueAsk {
    /// The function, by path.
    pub function: String,
    /// After how much training.
    pub after: Training,
}

impl Ask for ValueAsk {
    fn key(&self) -> String {
        match self.after {
            Training::Steps(0) => format!("value-{}", self.function),
            after => format!("value-{}-{}", self.function, after.key()),
        }
    }

    fn words(&self) -> String {
        format!("the number of `{}`", self.function)
    }
}

/// What the function gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// Its number.
    pub value: f64,
    /// Facts of the data.
    pub facts: DataFacts,
}
