//! `[data]`: what the model is trained on.

mod read;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnostic::Located;
pub(crate) use read::{DataPlaces, DataTable};

/// The data of the training program. Rows are taken, split, scaled and normalised, in this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// Where the rows come from.
    pub source: DataSource,
    /// Shape of one example; `None`: `[number of input columns]`.
    pub shape: Option<Located<Vec<usize>>>,
    /// Factor on the inputs.
    pub scale: f64,
    /// Normalisation of the inputs, with statistics of the training share.
    pub normalize: Option<Normalize>,
    /// Normalisation of the targets, with statistics of the training share; regression only.
    pub normalize_target: Option<Normalize>,
    /// Rows in a batch.
    pub batch: usize,
    /// A new order of the training rows each epoch.
    pub shuffle: bool,
    /// How the rows are divided.
    pub split: Split,
    /// Only the first rows.
    pub take: Option<usize>,
    /// The number of classes, where the spec states it.
    pub classes: Option<Located<usize>>,
}

/// Exactly one of the sources of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DataSource {
    /// A CSV file with a header row.
    Csv {
        /// The file; absolute, resolved against the spec's folder.
        path: Located<PathBuf>,
        /// Target columns.
        target: Located<Vec<String>>,
        /// Input columns as names and globs; `None`: all others.
        inputs: Option<Located<Vec<String>>>,
    },
    /// Made up, seeded by the run's seed-independent generator.
    Synthetic(Located<Synthetic>),
}

/// `synthetic = { inputs = [3, 32, 32], classes = 10, examples = 512 }`: made-up rows, always the same.
///
/// With `classes`: class ids in equal shares and random order; inputs are normal noise around a mean of each class,
/// far enough from the others to be learnt (at least 3 standard deviations long; images have it in large patches,
/// for convolutions to see), all of it scaled to mean 0 and variance 1. With `targets`: standard normal inputs, and
/// targets from a fixed random linear map of them, of variance 1 and without noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Synthetic {
    /// Shape of one example.
    pub inputs: Vec<usize>,
    /// Number of classes; this or `targets`.
    #[serde(default)]
    pub classes: Option<usize>,
    /// Number of real-valued targets; this or `classes`.
    #[serde(default)]
    pub targets: Option<usize>,
    /// Number of rows.
    #[serde(default = "examples")]
    pub examples: usize,
}

fn examples() -> usize {
    512
}

/// How numbers are brought to a common scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalize {
    /// Mean 0 and standard deviation 1 (with divisor n), each column.
    Standard,
    /// To `[0, 1]`, each column.
    Minmax,
}

/// How the rows are divided into a training and a validation share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// Share of the training rows, above 0, at most 1.
    pub at: f64,
    /// The first rows train and the last validate, instead of a stratified permutation.
    pub file_order: bool,
}
