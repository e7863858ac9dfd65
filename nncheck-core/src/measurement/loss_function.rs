//! A loss on outputs whose loss is known.

use serde::{Deserialize, Serialize};

use super::Ask;

use crate::reference::{Fault, Outputs};
use crate::spec::loss::LossKind;

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
    /// Why it cannot be tried; there are no terms then.
    pub cannot: Option<String>,
    /// Rows it was taken on.
    pub rows: usize,
    /// The terms of the spec's loss, each by itself.
    pub terms: Vec<TriedTerm>,
    /// The loss that the user's own step returns; empty where there is none, or where it is of several terms.
    pub of_step: Vec<LossCase>,
}

/// One term of a loss, tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriedTerm {
    /// Its name; `None` where it is the only one.
    pub name: Option<String>,
    /// Why it cannot be tried; nothing was then.
    pub cannot: Option<String>,
    /// Whether the spec says which kind it is.
    pub declared: bool,
    /// Shape of the output that it is of, batch axis included.
    pub output_shape: Vec<usize>,
    /// As the kind that the spec names; where it names none, as each that could be meant.
    pub tried: Vec<Tried>,
    /// Where no kind is named: arbitrary outputs against the targets, and against the targets in the outputs' shape, where
    /// that is another.
    pub reshaped: Option<[f64; 2]>,
    /// Where no kind is named: arbitrary outputs, and each row of them twice.
    pub doubled: Option<[f64; 2]>,
    /// Where no kind is named: arbitrary outputs against the targets, and against those of the next row, where these differ.
    #[serde(default)]
    pub shifted: Option<[f64; 2]>,
    /// Where no kind is named: zeros, and the logarithms of the targets, where these are quantities.
    pub logarithms: Option<[f64; 2]>,
}

/// A loss taken for one of a kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The kind.
    pub kind: LossKind,
    /// What it made of the outputs that suit this kind.
    pub cases: Vec<LossCase>,
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
