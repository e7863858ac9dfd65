//! What the data says by itself.

use serde::{Deserialize, Serialize};

/// Facts of a subject's data that expressions and checks use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DataFacts {
    /// Training rows.
    pub examples: usize,
    /// Validation rows.
    pub validation_examples: usize,
    /// k: `data.classes`, else the number of distinct labels in the data; `None` for regression.
    pub classes: Option<usize>,
    /// Share of each class among the training rows; empty for regression.
    pub priors: Vec<f64>,
    /// Mean of all training targets, after scaling and normalisation; `None` for class ids.
    pub target_mean: Option<f64>,
    /// Variance (divisor n) of all training targets; `None` for class ids.
    pub target_variance: Option<f64>,
    /// Mean of all training inputs, after scaling and normalisation; `None` where all are tokens.
    pub input_mean: Option<f64>,
    /// Standard deviation (divisor n) of all training inputs.
    pub input_std: Option<f64>,
    /// Largest absolute training input.
    pub input_max_abs: Option<f64>,
}

impl DataFacts {
    /// Entropy of the class shares in nats, -sum p ln p; `None` for regression.
    #[must_use]
    pub fn prior_entropy(&self) -> Option<f64> {
        self.classes?;
        Some(-self.priors.iter().filter(|&&p| p > 0.0).map(|p| p * p.ln()).sum::<f64>())
    }
}
