//! What a model puts out, for batches of several sizes.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks what shapes and numbers a model puts out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractAsk {
    /// Sizes of batches.
    pub batches: Vec<usize>,
}

impl Ask for ContractAsk {
    fn key(&self) -> String {
        let sizes: Vec<String> = self.batches.iter().map(usize::to_string).collect();
        format!("contract-{}", sizes.join("-"))
    }

    fn words(&self) -> String {
        "outputs of several batches".to_owned()
    }

    fn after(&self) -> Option<usize> {
        Some(0)
    }
}

/// Outputs for batches of several sizes, in eval mode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contract {
    /// Why there is nothing to look at.
    pub cannot: Option<String>,
    /// What came of the batches, as large ones as in training first.
    pub batches: Vec<OfBatch>,
}

/// What came of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfBatch {
    /// Its rows.
    pub rows: usize,
    /// The outputs, the first one first, or why there are none: the words of the panic.
    pub outputs: Result<Vec<Output>, String>,
}

/// An output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its whole shape.
    pub shape: Vec<usize>,
    /// The share of its entries that are finite.
    pub finite: f64,
    /// The smallest finite entry.
    pub min: f64,
    /// The largest finite entry.
    pub max: f64,
    /// The largest distance from 1 of the sums along the axis of the classes: of the entries, and of their exponentials.
    pub sums: Option<Sums>,
}

/// How far sums are from 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Of the entries: 0 for probabilities.
    pub of_entries: f64,
    /// Of their exponentials: 0 for log-probabilities.
    pub of_exponentials: f64,
}
