//! A loss on outputs whose loss is known.

use serde::{Deserialize, Serialize};

use super::Ask;

use crate::reference::{Fault, Outputs};

/// Asks for the loss of several outputs, beside what a reference makes of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossFunctionAsk {
    /// On how many of the first training rows.
    pub rows: usize,
}

impl Ask for LossFunctionAsk {
    fn key(&self) -> String {
        format!("loss_function-{}", self.rows)
    }

    fn words(&self) -> String {
        "the loss of outputs whose loss is known".to_owned()
    }
}

/// What a loss makes of several outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossFunction {
    /// Why there is no reference to hold it against; there are no cases then.
    pub cannot: Option<String>,
    /// Rows it was taken on.
    pub rows: usize,
    /// Shape of the outputs, batch axis included.
    pub output_shape: Vec<usize>,
    /// The loss of the spec: `kind`, or `function`.
    pub declared: Vec<LossCase>,
    /// The loss that the user's own step returns; empty where there is none.
    pub of_step: Vec<LossCase>,
}

/// The loss of one set of outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossCase {
    /// Which outputs.
    pub outputs: Outputs,
    /// What the loss made of them.
    pub value: f64,
    /// What the reference makes of them, in double precision.
    pub reference: f64,
    /// What the usual mistakes would make of them.
    pub faulty: Vec<(Fault, f64)>,
}
