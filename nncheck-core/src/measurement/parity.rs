//! Whether a model puts out the same in another number format, or on another device.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks what another number format or another device makes of the outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParityAsk {
    /// Rows in a batch.
    pub rows: usize,
    /// What is to be different.
    pub other: Other,
}

/// What is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Other {
    /// The number format: float64 instead of float32, and the other way round.
    Precision,
    /// The device: a GPU instead of the CPU, and the other way round.
    Device,
}

impl Ask for ParityAsk {
    fn key(&self) -> String {
        format!("parity-{:?}-{}", self.other, self.rows)
    }

    fn words(&self) -> String {
        match self.other {
            Other::Precision => "outputs in another number format".to_owned(),
            Other::Device => "outputs on another device".to_owned(),
        }
    }

    fn after(&self) -> Option<usize> {
        Some(0)
    }
}

/// Two copies of a model with the same parameters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parity {
    /// Why there is nothing to look at.
    pub cannot: Option<String>,
    /// Where or in which format the one is, and the other.
    pub between: (String, String),
    /// For each output, in eval mode: the largest difference over the spread of the outputs.
    pub outputs: Vec<(String, f64)>,
    /// Whether the outputs of the one are finite, and those of the other.
    pub finite: (bool, bool),
    /// The first operator whose output differs by more than the least part that is worth it: operator, layer, and by how
    /// much its mean and standard deviation differ over the latter.
    pub first: Option<(String, String, f64)>,
}
