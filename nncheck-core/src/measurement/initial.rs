//! The loss before any training.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};

/// Asks for the loss at initialisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InitialAsk {
    /// On how many of the first rows.
    pub rows: usize,
    /// Of which share of the data.
    #[serde(default)]
    pub share: Share,
}

impl Ask for InitialAsk {
    fn key(&self) -> String {
        match self.share {
            Share::Training => format!("initial-{}", self.rows),
            Share::Validation => format!("initial-{}-validation", self.rows),
        }
    }

    fn words(&self) -> String {
        match self.share {
            Share::Training => "the loss at initialisation".to_owned(),
            Share::Validation => "the loss at initialisation on the validation share".to_owned(),
        }
    }

    fn choose(&mut self, share: Share) {
        self.share = share;
    }
}

/// A share of the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Share {
    /// What trains.
    #[default]
    Training,
    /// What is kept aside.
    Validation,
}

/// The loss at initialisation, in train mode, regularisation off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Initial {
    /// Facts of the data.
    pub facts: DataFacts,
    /// Rows it was measured on.
    pub rows: usize,
    /// Mean data loss over those rows.
    pub loss: f64,
    /// Each term of the loss by name, before weighting.
    pub terms: Vec<(String, f64)>,
    /// The same of all-zero outputs, where the losses are computed from outputs.
    #[serde(default)]
    pub terms_of_zeros: Vec<(String, f64)>,
    /// The same loss of all-zero outputs against the same targets: what a model that knows nothing has. `None` where the
    /// losses are not computed from outputs.
    pub loss_of_zeros: Option<f64>,
    /// The same loss of outputs that know how the targets of these rows are distributed, and nothing of the inputs: the
    /// shares of the classes, the mean of the targets. A last bias that starts there reaches it.
    #[serde(default)]
    pub loss_of_prior: Option<f64>,
    /// Each term of it, before weighting.
    #[serde(default)]
    pub terms_of_prior: Vec<(String, f64)>,
    /// How many outputs there are for each class id of the first term of the loss; `None` where it is of no class ids.
    pub width: Option<usize>,
    /// Variance of the outputs (of the logits, for a classifier), over rows and units; NaN without outputs.
    pub output_variance: f64,
    /// Mean of the outputs; NaN without outputs.
    pub output_mean: f64,
    /// The last operator of the forward pass, such as `softmax` or `linear`, as the observer saw it.
    pub last_operator: Option<String>,
}
