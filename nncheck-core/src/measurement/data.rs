//! What can be said of the data without a model.

use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};

/// Asks what can be said of the data without a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataAsk {
    /// On how many training rows neighbours are compared.
    pub rows: usize,
    /// How many neighbours of each.
    pub neighbours: usize,
}

impl Ask for DataAsk {
    fn key(&self) -> String {
        format!("data-{}-{}", self.rows, self.neighbours)
    }

    fn words(&self) -> String {
        "the data".to_owned()
    }
}

/// What can be said of prepared data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// Facts of the data.
    pub facts: DataFacts,
    /// Why there is no data to look at.
    pub cannot: Option<String>,
    /// How many input features there are that are quantities.
    pub features: usize,
    /// The names of those that are the same in all training rows.
    pub constant: Vec<String>,
    /// The largest feature; `None` where all inputs are tokens.
    pub largest: Option<Feature>,
    /// Whether the model's first operator normalises its inputs itself, so that their size does not matter.
    pub normalised_by_model: bool,
    /// The classes, where each row is of one.
    pub classes: Option<Classes>,
    /// Validation rows whose inputs are also in the training share.
    pub in_both: usize,
    /// Different inputs in both shares together.
    pub distinct: usize,
    /// The share of the second epoch's batches that are the first's; `None` where an epoch is one batch.
    pub repeated_batches: Option<f64>,
    /// How far all rows are from zero over how far the training rows are, where features look standardised.
    pub centre: Option<f64>,
    /// Whether near rows have near labels; `None` where that cannot be asked.
    pub agreement: Option<Agreement>,
}

/// An input feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Its input and its place in an example: `x[3]`.
    pub name: String,
    /// Root mean square over the training rows.
    pub size: f64,
}

/// How many examples each class has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    /// In the training share.
    pub training: Vec<usize>,
    /// In the validation share; empty without one.
    pub validation: Vec<usize>,
}

/// Agreement of labels between neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Of classes, the share of neighbours of the same class; of numbers, minus the mean squared difference.
    pub seen: f64,
    /// The same of shuffled labels, in the mean.
    pub chance: f64,
    /// How many standard deviations of chance lie between.
    pub z: f64,
}
