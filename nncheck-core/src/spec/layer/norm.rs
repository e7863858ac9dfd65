//! `layer_norm` and `group_norm`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Dims, Misfit, Rule, size, yes};
use crate::spec::values::bounds;

/// Normalises each example over its last axes, which have a weight and a bias an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LayerNorm {
    /// The lengths of the axes; the last axis, if left out.
    #[serde(alias = "normalized_shape", alias = "features", default)]
    #[schemars(extend("x-aliases" = ["normalized_shape", "features"]))]
    pub shape: Option<Dims>,
    /// Added to the variance.
    #[serde(default = "eps", deserialize_with = "bounds::not_negative")]
    pub eps: f64,
    /// Whether there is a weight.
    #[serde(alias = "affine", default = "yes")]
    #[schemars(extend("x-aliases" = ["affine"]))]
    pub elementwise_affine: bool,
    /// Whether there is a bias beside the weight.
    #[serde(default = "yes")]
    pub bias: bool,
}

/// Normalises groups of channels of each example; each channel has a weight and a bias.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupNorm {
    /// Groups of channels.
    #[serde(alias = "num_groups", deserialize_with = "size::one")]
    #[schemars(extend("x-aliases" = ["num_groups"]))]
    pub groups: usize,
    /// Channels; may be left out.
    #[serde(alias = "num_channels", default, deserialize_with = "size::optional")]
    #[schemars(extend("x-aliases" = ["num_channels"]))]
    pub features: Option<usize>,
    /// Added to the variance.
    #[serde(default = "eps", deserialize_with = "bounds::not_negative")]
    pub eps: f64,
    /// Whether there are a weight and a bias.
    #[serde(default = "yes")]
    pub affine: bool,
}

pub(super) fn eps() -> f64 {
    1e-5
}

impl Rule for LayerNorm {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let Some(&last) = input.last() else {
            return Err(Misfit::takes("takes at least one axis of features"));
        };
        let shape = self.shape.get_or_insert_with(|| Dims(vec![last]));
        if input.ends_with(&shape.0) {
            return Ok(input.to_vec());
        }
        let wanted = shape.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Err(Misfit::takes(format!("takes [{wanted}] as last axes"))
            .help(format!("set `shape = {last}`, or leave `shape` out, to normalise the last axis")))
    }
}

impl Rule for GroupNorm {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let Some(&channels) = input.first() else {
            return Err(Misfit::takes("takes [channels, ...]"));
        };
        let features = *self.features.get_or_insert(channels);
        if features != channels {
            return Err(Misfit::takes(format!("takes {features} channels"))
                .help(format!("set `features = {channels}`, or leave `features` out")));
        }
        super::conv::divided(&[("features", features)], self.groups)?;
        Ok(input.to_vec())
    }
}
