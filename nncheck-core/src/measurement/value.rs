//! A number of the user's own.

use serde::{Deserialize, Serialize};

/// Asks for the number that a function of the user's library gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueAsk {
    /// The function, by path.
    pub function: String,
}
