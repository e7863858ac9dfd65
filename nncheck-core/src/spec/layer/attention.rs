//! `multihead_attention` and `transformer_encoder_layer`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dropout::share;
use super::norm::eps;
use super::recurrent::sequence;
use super::{Misfit, Rule, batch_first, size, yes};
use crate::spec::values::bounds;

/// Self-attention over the steps of `[T, F]`; initialised as PyTorch does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MultiheadAttention {
    /// Features of a step; may be left out.
    #[serde(alias = "embed_dim", default, deserialize_with = "size::optional")]
    #[schemars(extend("x-aliases" = ["embed_dim"]))]
    pub dim: Option<usize>,
    /// Heads, which share the features out among them.
    #[serde(alias = "num_heads", deserialize_with = "size::one")]
    #[schemars(extend("x-aliases" = ["num_heads"]))]
    pub heads: usize,
    /// Share of the attention weights that are zeroed in train mode.
    #[serde(alias = "p", default, deserialize_with = "share")]
    #[schemars(extend("x-aliases" = ["p"]))]
    pub dropout: f64,
    /// Whether there are biases.
    #[serde(default = "yes")]
    pub bias: bool,
    /// Whether a step sees itself and those before it only.
    #[serde(alias = "is_causal", default)]
    #[schemars(extend("x-aliases" = ["is_causal"]))]
    pub causal: bool,
    /// Always true: the batch is the first axis.
    #[serde(default = "yes", deserialize_with = "batch_first")]
    pub batch_first: bool,
}

/// Self-attention and a network of two layers over each step of `[T, F]`, each with dropout, added to its input and
/// normalised; initialised as PyTorch does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransformerEncoderLayer {
    /// Features of a step; may be left out.
    #[serde(alias = "d_model", default, deserialize_with = "size::optional")]
    #[schemars(extend("x-aliases" = ["d_model"]))]
    pub dim: Option<usize>,
    /// Heads, which share the features out among them.
    #[serde(alias = "nhead", deserialize_with = "size::one")]
    #[schemars(extend("x-aliases" = ["nhead"]))]
    pub heads: usize,
    /// Features between the two layers.
    #[serde(alias = "dim_feedforward", default = "feedforward", deserialize_with = "size::one")]
    #[schemars(extend("x-aliases" = ["dim_feedforward"]))]
    pub hidden: usize,
    /// Share of the entries that are zeroed in train mode.
    #[serde(alias = "p", default = "tenth", deserialize_with = "share")]
    #[schemars(extend("x-aliases" = ["p"]))]
    pub dropout: f64,
    /// What stands between the two layers.
    #[serde(default)]
    pub activation: EncoderActivation,
    /// Added to the variance by the norms.
    #[serde(alias = "eps", default = "eps", deserialize_with = "bounds::not_negative")]
    #[schemars(extend("x-aliases" = ["eps"]))]
    pub layer_norm_eps: f64,
    /// Whether the norms stand before attention and network, instead of behind the sums.
    #[serde(default)]
    pub norm_first: bool,
    /// Whether there are biases.
    #[serde(default = "yes")]
    pub bias: bool,
    /// Whether a step sees itself and those before it only.
    #[serde(alias = "is_causal", default)]
    #[schemars(extend("x-aliases" = ["is_causal"]))]
    pub causal: bool,
    /// Always true: the batch is the first axis.
    #[serde(default = "yes", deserialize_with = "batch_first")]
    pub batch_first: bool,
}

/// What stands between the two layers of a transformer's network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EncoderActivation {
    /// `max(0, x)`.
    #[default]
    Relu,
    /// `x` times the normal distribution function of `x`.
    Gelu,
}

fn feedforward() -> usize {
    2048
}

fn tenth() -> f64 {
    0.1
}

impl Rule for MultiheadAttention {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        attended(&mut self.dim, self.heads, input)
    }
}

impl Rule for TransformerEncoderLayer {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        attended(&mut self.dim, self.heads, input)
    }
}

fn attended(dim: &mut Option<usize>, heads: usize, input: &[usize]) -> Result<Vec<usize>, Misfit> {
    let (_, features) = sequence(input)?;
    let dim = *dim.get_or_insert(features);
    if dim != features {
        return Err(Misfit::takes(format!("takes {dim} features a step"))
            .help(format!("set `dim = {features}`, or leave `dim` out")));
    }
    if !dim.is_multiple_of(heads) {
        return Err(Misfit::Arguments(format!("its {dim} features cannot be shared out among {heads} heads")));
    }
    Ok(input.to_vec())
}
