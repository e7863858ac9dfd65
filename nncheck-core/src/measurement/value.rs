//! A number of the user's own.

use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};

/// Asks for the number that a function of the user's library gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueAsk {
    /// The function, by path.
    pub function: String,
}

impl Ask for ValueAsk {
    fn key(&self) -> String {
        format!("value-{}", self.function)
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
