//! What a model's outputs owe to positions that a mask takes out.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks what masked positions do to the outputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaddingAsk {
    /// Rows in a batch.
    pub rows: usize,
    /// The input that is the mask; `None`: the only one that looks like one.
    pub mask: Option<String>,
    /// What the mask holds at the positions that it takes out.
    pub masked: bool,
}

impl Ask for PaddingAsk {
    fn key(&self) -> String {
        format!("padding-{}-{}-{}", self.rows, u8::from(self.masked), self.mask.as_deref().unwrap_or_default())
    }

    fn words(&self) -> String {
        "outputs under changed padding".to_owned()
    }

    fn after(&self) -> Option<usize> {
        Some(0)
    }
}

/// Sequences with other contents under their mask, in eval mode. Differences are the largest of any entry, over the spread
/// of the outputs; of outputs for each position, only those count that the mask leaves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Padding {
    /// Why there is nothing to look at.
    pub cannot: Option<String>,
    /// The input that is the mask.
    pub mask: String,
    /// How many positions it takes out, and of how many.
    pub masked: (usize, usize),
    /// For each input that it is a mask of: what changes with its masked positions.
    pub changed: Vec<(String, f64)>,
    /// What changes with the positions that are left.
    pub left: f64,
    /// What changes when the mask takes out nothing.
    pub unmasked: f64,
}
