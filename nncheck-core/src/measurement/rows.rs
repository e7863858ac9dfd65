//! Whether what a model puts out for a row depends on the rows beside it.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks what other rows of a batch do to a row's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsAsk {
    /// Rows in a batch.
    pub rows: usize,
}

impl Ask for RowsAsk {
    fn key(&self) -> String {
        format!("rows-{}", self.rows)
    }

    fn words(&self) -> String {
        "outputs beside other rows".to_owned()
    }

    fn after(&self) -> Option<usize> {
        Some(0)
    }
}

/// Rows of one batch beside those of another, in eval mode. Differences are the largest of any entry, over the spread of
/// the outputs (the root of their mean variance over the rows).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// Why there is nothing to look at.
    pub cannot: Option<String>,
    /// Rows in the batch.
    pub rows: usize,
    /// For some rows: what changes in a row's output when all others are swapped for other rows of the data.
    pub swapped: Vec<Swapped>,
    /// What changes in the first row's output when the others change places; `None` where nothing changed above.
    pub reordered: Option<f64>,
    /// What a change of one row (outer) does to each row (inner); empty where nothing changed above.
    pub influence: Vec<Vec<f64>>,
    /// The layers that normalise over the batch, where they are told to train.
    pub batch_norms: Vec<String>,
}

/// A row beside other rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Swapped {
    /// The row's place in the batch.
    pub row: usize,
    /// What changed in its output.
    pub difference: f64,
}
