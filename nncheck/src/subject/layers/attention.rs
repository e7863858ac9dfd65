//! Attention, and the transformer's layer around it.

use nncheck_core::spec::layer::{self, EncoderActivation, Init};
use tch::nn::{Module, ModuleT};
use tch::{Kind, Tensor};

use super::linear::Linear;
use super::norm::LayerNorm;
use super::parameters::Parameters;
use super::{inferred, init, size};

/// Self-attention over `[n, steps, features]`.
#[derive(Debug)]
pub(super) struct MultiheadAttention {
    /// Queries, keys and values, one above the other.
    weight: Tensor,
    bias: Option<Tensor>,
    output: Linear,
    heads: i64,
    dropout: f64,
    causal: bool,
}

impl MultiheadAttention {
    pub(super) fn new(parameters: &Parameters<'_>, spec: &layer::MultiheadAttention) -> Self {
        let dim = inferred(spec.dim);
        let weight = parameters.constant("in_proj_weight", &[3 * dim, dim], 0.0);
        let bias = spec.bias.then(|| parameters.constant("in_proj_bias", &[3 * dim], 0.0));
        // PyTorch draws the last layer first.
        let output = Linear::of_sizes(&parameters.sub("out_proj"), dim, dim, spec.bias).with_zero_bias();
        Self {
            weight: init::redrawn(weight, Init::XavierUniform),
            bias,
            output,
            heads: size(spec.heads),
            dropout: spec.dropout,
            causal: spec.causal,
        }
    }
}

impl ModuleT for MultiheadAttention {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let (examples, steps, dim) = xs.size3().expect("shapes are inferred");
        let of_head = dim / self.heads;
        let projected = xs.linear(&self.weight, self.bias.as_ref());
        let by_head = |part: i64| {
            projected.narrow(2, part * dim, dim).reshape([examples, steps, self.heads, of_head]).transpose(1, 2)
        };
        let queries = by_head(0) * (1.0 / of_head as f64).sqrt();
        let mut scores = queries.matmul(&by_head(1).transpose(2, 3));
        if self.causal {
            let later = Tensor::ones([steps, steps], (Kind::Bool, xs.device())).triu(1);
            scores = scores.masked_fill(&later, f64::NEG_INFINITY);
        }
        let mut weights = scores.softmax(-1, None);
        if self.dropout > 0.0 {
            weights = weights.dropout(self.dropout, train);
        }
        let seen = weights.matmul(&by_head(2)).transpose(1, 2).reshape([examples, steps, dim]);
        self.output.forward(&seen)
    }
}

/// Attention and a network over each step, each added to its input and normalised.
#[derive(Debug)]
pub(super) struct TransformerEncoderLayer {
    attention: MultiheadAttention,
    linear1: Linear,
    linear2: Linear,
    norm1: LayerNorm,
    norm2: LayerNorm,
    activation: EncoderActivation,
    dropout: f64,
    norm_first: bool,
}

impl TransformerEncoderLayer {
    pub(super) fn new(parameters: &Parameters<'_>, spec: &layer::TransformerEncoderLayer) -> Self {
        let (dim, hidden) = (inferred(spec.dim), size(spec.hidden));
        let attention = layer::MultiheadAttention {
            dim: spec.dim,
            heads: spec.heads,
            dropout: spec.dropout,
            bias: spec.bias,
            causal: spec.causal,
            batch_first: true,
        };
        let norm =
            |name: &str| LayerNorm::of_sizes(&parameters.sub(name), vec![dim], spec.layer_norm_eps, true, spec.bias);
        Self {
            attention: MultiheadAttention::new(&parameters.sub("self_attn"), &attention),
            linear1: Linear::of_sizes(&parameters.sub("linear1"), dim, hidden, spec.bias),
            linear2: Linear::of_sizes(&parameters.sub("linear2"), hidden, dim, spec.bias),
            norm1: norm("norm1"),
            norm2: norm("norm2"),
            activation: spec.activation,
            dropout: spec.dropout,
            norm_first: spec.norm_first,
        }
    }

    fn dropped(&self, xs: &Tensor, train: bool) -> Tensor {
        if self.dropout > 0.0 { xs.dropout(self.dropout, train) } else { xs.shallow_clone() }
    }

    fn attended(&self, xs: &Tensor, train: bool) -> Tensor {
        self.dropped(&self.attention.forward_t(xs, train), train)
    }

    fn fed_forward(&self, xs: &Tensor, train: bool) -> Tensor {
        let hidden = self.linear1.forward(xs);
        let hidden = match self.activation {
            EncoderActivation::Relu => hidden.relu(),
            EncoderActivation::Gelu => hidden.gelu("none"),
        };
        self.dropped(&self.linear2.forward(&self.dropped(&hidden, train)), train)
    }
}

impl ModuleT for TransformerEncoderLayer {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        if self.norm_first {
            let xs = xs + self.attended(&self.norm1.forward(xs), train);
            &xs + self.fed_forward(&self.norm2.forward(&xs), train)
        } else {
            let xs = self.norm1.forward(&(xs + self.attended(xs, train)));
            self.norm2.forward(&(&xs + self.fed_forward(&xs, train)))
        }
    }
}
