//! How a model's outputs answer to its inputs: whether at all, and whether by more than a straight line.

use serde::{Deserialize, Serialize};

use super::Ask;
use super::trace::LayerSeen;

/// Asks how outputs answer to inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseAsk {
    /// Rows in a batch.
    pub rows: usize,
    /// Whether every feature of an input of features is changed by itself.
    pub features: bool,
}

impl Ask for ResponseAsk {
    fn key(&self) -> String {
        format!("response-{}{}", self.rows, if self.features { "-features" } else { "" })
    }

    fn words(&self) -> String {
        "how outputs answer to inputs".to_owned()
    }

    fn after(&self) -> Option<usize> {
        Some(0)
    }
}

/// Outputs for different inputs, in eval mode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// Why there is nothing to look at.
    pub cannot: Option<String>,
    /// Whether it was taken in double precision.
    pub precise: bool,
    /// The spread of the outputs (the root of their mean variance over the rows) over their root mean square; of several
    /// outputs the largest.
    pub variation: f64,
    /// For each input: the largest change of any output, over its spread, when this input alone is that of other rows;
    /// `None` where it is the same for all rows.
    pub inputs: Vec<(String, Option<f64>)>,
    /// The first layer whose output says nothing of the inputs any more, where the model's does not.
    pub lost: Option<LayerSeen>,
    /// Whether that layer is a rectifier that puts out nothing but zeros.
    pub dead: bool,
    /// The largest of |f(0.3 a + 0.7 b) - 0.3 f(a) - 0.7 f(b)| over the largest of |f(a) - f(b)|; `None` where inputs are
    /// tokens, which cannot be mixed.
    pub bend: Option<f64>,
    /// How many layers of weights (parameters of two or more dimensions) stand one behind another.
    pub depth: usize,
    /// The operators of a pass.
    pub layers: Vec<LayerSeen>,
}
