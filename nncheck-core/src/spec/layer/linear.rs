//! `linear`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Misfit, Rule, size, yes};

/// `x W^T + b` over the last axis; initialised as PyTorch does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Linear {
    /// Features that come in; may be left out.
    #[serde(rename = "in", alias = "in_features", default, deserialize_with = "size::optional")]
    #[schemars(extend("x-aliases" = ["in_features"]))]
    pub inputs: Option<usize>,
    /// Features that go out.
    #[serde(rename = "out", alias = "out_features", deserialize_with = "size::one")]
    #[schemars(extend("x-aliases" = ["out_features"]))]
    pub outputs: usize,
    /// Whether there is a bias.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl Rule for Linear {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let Some((&last, before)) = input.split_last() else {
            return Err(Misfit::takes("takes at least one axis of features"));
        };
        let inputs = *self.inputs.get_or_insert(last);
        if inputs != last {
            let misfit = Misfit::takes(format!("takes {inputs} features"));
            let all = input.iter().fold(1_usize, |a, &b| a.saturating_mul(b));
            return Err(match (before.is_empty(), all == inputs) {
                (true, _) => misfit.help(format!("set `in = {last}`, or leave `in` out")),
                (false, true) => misfit.help("put `flatten` before it"),
                (false, false) => {
                    misfit.help(format!("put `flatten` before it and set `in = {all}`, or leave `in` out"))
                }
            });
        }
        Ok([before, &[self.outputs]].concat())
    }
}
