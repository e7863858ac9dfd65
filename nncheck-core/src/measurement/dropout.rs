//! What dropout does to what goes through it.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks what dropout does in train mode and in eval mode, before training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropoutAsk {
    /// On how many of the first training rows.
    pub rows: usize,
}

impl Ask for DropoutAsk {
    fn key(&self) -> String {
        format!("dropout-{}", self.rows)
    }

    fn words(&self) -> String {
        "what dropout does".to_owned()
    }

    fn after(&self) -> Option<usize> {
        Some(0)
    }
}

/// Dropout, and what it does to batch norm behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dropouts {
    /// Why nothing could be looked at.
    pub cannot: Option<String>,
    /// Operators that zero entries at random in train mode, in their order.
    pub layers: Vec<Dropped>,
    /// Those that do so in eval mode, by name.
    pub in_eval: Vec<String>,
    /// Batch norm that lies behind dropout.
    pub shifts: Vec<Shift>,
}

/// An operator that zeroes entries at random. All numbers are means over several passes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dropped {
    /// Its name, after the layer before it.
    pub layer: String,
    /// Entries in one pass.
    pub entries: usize,
    /// Share of zeros in what goes in.
    pub zero_in: f64,
    /// Share of zeros in what comes out.
    pub zero_out: f64,
    /// Mean square of what goes in.
    pub square_in: f64,
    /// Mean square of what comes out.
    pub square_out: f64,
}

impl Dropped {
    /// The share of the entries other than zero that are zeroed.
    #[must_use]
    pub fn rate(&self) -> f64 {
        (self.zero_out - self.zero_in) / (1.0 - self.zero_in)
    }

    /// What survives is multiplied by this, times the share that survives: 1 where the mean is kept.
    #[must_use]
    pub fn kept(&self) -> f64 {
        let survives = 1.0 - self.rate();
        (self.square_out / (self.square_in * survives)).sqrt() * survives
    }
}

/// The variance of what goes into a batch norm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// The batch norm's name.
    pub layer: String,
    /// With dropout.
    pub on: f64,
    /// Without, normalised by the same statistics.
    pub off: f64,
}
