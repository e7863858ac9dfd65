//! Batch norm's running statistics against the data's.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks for the statistics of batch norm after so many training steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NormalisationAsk {
    /// Training steps before.
    pub after: usize,
    /// Batches of which the data's statistics are taken.
    pub batches: usize,
}

impl Ask for NormalisationAsk {
    fn key(&self) -> String {
        format!("normalisation-{}-{}", self.after, self.batches)
    }

    fn words(&self) -> String {
        format!("batch norm's statistics after {} training steps", self.after)
    }

    fn after(&self) -> Option<usize> {
        Some(self.after)
    }
}

/// The layers that keep running statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// Rows of a batch.
    pub rows: usize,
    /// Sorted by name.
    pub layers: Vec<Normalised>,
}

/// A layer that keeps a running mean and variance of each channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalised {
    /// Its name.
    pub layer: String,
    /// The share of a batch's statistics that the running ones take over in a step; 0 where they never move.
    pub momentum: f64,
    /// Root mean square over the channels of (running mean - mean of the data) / standard deviation of the data; `None` where
    /// the running statistics never move, and so show nothing of the data's.
    pub mean_off: Option<f64>,
    /// exp of the mean over the channels of |ln(running variance / variance of the data)|: 1 where they agree.
    pub variance_off: Option<f64>,
    /// Root mean square over channels and batches of (mean of a batch - mean of the data) / standard deviation of the data.
    pub batch_noise: Option<f64>,
}
