//! The gradients of the terms of a loss, each by itself.

use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};

/// Asks for the gradients of each term before training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermGradientsAsk {
    /// Over how many batches.
    pub batches: usize,
}

impl Ask for TermGradientsAsk {
    fn key(&self) -> String {
        format!("term_gradients-{}", self.batches)
    }

    fn words(&self) -> String {
        "the gradients of each term of the loss".to_owned()
    }
}

/// The gradients of the terms of a loss before training, each times its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermGradients {
    /// Facts of the data.
    pub facts: DataFacts,
    /// The terms, in their order.
    pub terms: Vec<TermGradient>,
    /// The parameters that at least two terms reach.
    pub shared: Vec<String>,
}

/// The gradient of one term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermGradient {
    /// The term.
    pub name: String,
    /// Its factor in the sum.
    pub weight: f64,
    /// Whether it reaches any parameter.
    pub reaches: bool,
    /// Root mean square over the batches of the L2 norm of its gradient with respect to the shared parameters.
    pub norm: f64,
}
