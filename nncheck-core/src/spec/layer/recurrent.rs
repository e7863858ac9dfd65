//! `lstm`, `gru` and `last_step`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dropout::share;
use super::{Misfit, Rule, batch_first, size, yes};

/// A recurrent network over the steps of `[T, F]`, which gives the hidden state of its last layer at each step;
/// initialised as PyTorch does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recurrent {
    /// Features of a step; may be left out.
    #[serde(rename = "in", alias = "input_size", default, deserialize_with = "size::optional")]
    #[schemars(extend("x-aliases" = ["input_size"]))]
    pub inputs: Option<usize>,
    /// Features of the hidden state.
    #[serde(alias = "hidden_size", deserialize_with = "size::one")]
    #[schemars(extend("x-aliases" = ["hidden_size"]))]
    pub hidden: usize,
    /// Layers, one above the other.
    #[serde(default = "single", deserialize_with = "size::one")]
    pub num_layers: usize,
    /// Whether there are biases.
    #[serde(default = "yes")]
    pub bias: bool,
    /// Share of the entries that are zeroed between layers in train mode.
    #[serde(alias = "p", default, deserialize_with = "share")]
    #[schemars(extend("x-aliases" = ["p"]))]
    pub dropout: f64,
    /// Whether a second network reads each layer's steps from the last to the first; the states stand side by side.
    #[serde(default)]
    pub bidirectional: bool,
    /// Always true: the batch is the first axis.
    #[serde(default = "yes", deserialize_with = "batch_first")]
    pub batch_first: bool,
}

/// The last step of `[T, F]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastStep {}

fn single() -> usize {
    1
}

const SEQUENCES: &str =
    "sequences have two axes, steps and features: set `shape` in [data], or put `embedding` before it";

/// The steps and features of a sequence.
pub(super) fn sequence(input: &[usize]) -> Result<(usize, usize), Misfit> {
    match *input {
        [steps, features] => Ok((steps, features)),
        _ => Err(Misfit::takes("takes [steps, features]").help(SEQUENCES)),
    }
}

impl Rule for Recurrent {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let (steps, features) = sequence(input)?;
        let inputs = *self.inputs.get_or_insert(features);
        if inputs != features {
            return Err(Misfit::takes(format!("takes {inputs} features a step"))
                .help(format!("set `in = {features}`, or leave `in` out")));
        }
        Ok(vec![steps, self.hidden * if self.bidirectional { 2 } else { 1 }])
    }
}

impl Rule for LastStep {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let (_, features) = sequence(input)?;
        Ok(vec![features])
    }
}
