//! `[data]`: what the model is trained on.

mod read;
mod words;

use std::num::NonZeroUsize;
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
    /// Factor on the inputs; `Some(1.0)` says that integers are quantities and not tokens.
    pub scale: Option<f64>,
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
    /// Named arrays of a numpy archive.
    Npz(Arrays),
    /// Named tensors of a safetensors file.
    Safetensors(Arrays),
    /// Two files of MNIST's format, as they are or compressed with gzip.
    Idx {
        /// The inputs.
        images: Located<PathBuf>,
        /// The targets.
        labels: Located<PathBuf>,
    },
    /// Made up, seeded by the run's seed-independent generator.
    Synthetic(Located<Synthetic>),
    /// The user's own function, by its path.
    Function(Located<String>),
    /// No data of the spec's: a `model.subject` that brings its own.
    None,
}

/// Which arrays of a file are the inputs and the targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arrays {
    /// The file; absolute, resolved against the spec's folder.
    pub path: Located<PathBuf>,
    /// The inputs, at least one; the first is what layers receive.
    pub inputs: Vec<NamedArray>,
    /// The targets, at least one unless they are the next tokens.
    pub targets: Vec<NamedArray>,
    /// The targets are what follows in the input.
    pub next_token: Option<Located<NextToken>>,
}

/// An array of a file and the name by which the training program knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedArray {
    /// The name for models and losses.
    pub name: String,
    /// The name in the file.
    pub array: Located<String>,
}

/// How inputs and targets are cut out of sequences of tokens: the target at each place is the token that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NextToken {
    /// Each row of the array is a sequence: all but its last token are the input, all but its first the target.
    Rows,
    /// The array is one long sequence, cut into windows of so many tokens.
    Windows(usize),
}

impl Data {
    /// Rows in a batch, where the spec does not say.
    pub(crate) const BATCH: NonZeroUsize = NonZeroUsize::new(64).unwrap();

    /// Rows of a source, with all other keys at their defaults.
    #[must_use]
    pub fn of(source: DataSource) -> Self {
        Self {
            source,
            shape: None,
            scale: None,
            normalize: None,
            normalize_target: None,
            batch: Self::BATCH.get(),
            shuffle: true,
            split: Split::default(),
            take: None,
            classes: None,
        }
    }
}

/// `synthetic = { inputs = [3, 32, 32], classes = 10, examples = 512 }`: made-up rows, always the same.
///
/// With `inputs` and `classes`: class ids in equal shares and random order; inputs are normal noise around a mean of each class,
/// far enough from the others to be learnt (at least 3 standard deviations long; images have it in large patches,
/// for convolutions to see), all of it scaled to mean 0 and variance 1. With `inputs` and `targets`: standard normal
/// inputs, and targets from a fixed random linear map of them, of variance 1 and without noise. With `tokens = V,
/// length = L`: sequences of a Markov chain over V tokens in which each token has one that follows it four times out of
/// five, and any may follow it else; the target at each place is the token that follows (`[n, L]`), or with `classes`
/// the class of the sequence, each with a chain of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Synthetic {
    /// Shape of one example; this, or `tokens` and `length`.
    #[serde(default)]
    pub inputs: Vec<usize>,
    /// Number of tokens that sequences are made of.
    #[serde(default)]
    pub tokens: Option<usize>,
    /// Tokens in a sequence.
    #[serde(default)]
    pub length: Option<usize>,
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

impl Default for Split {
    /// Four rows out of five train, chosen at random within each class.
    fn default() -> Self {
        Self { at: 0.8, file_order: false }
    }
}
