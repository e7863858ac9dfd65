//! Vectors for tokens.

use nncheck_core::spec::layer::{self, Init, Normal};
use tch::nn::Module;
use tch::{Kind, Tensor};

use super::parameters::Parameters;
use super::{init, size};

/// A vector for each token.
#[derive(Debug)]
pub(super) struct Embedding {
    weight: Tensor,
    /// The token without gradient; negative where there is none.
    padding: i64,
    scale_grad_by_freq: bool,
}

impl Embedding {
    pub(super) fn new(parameters: &Parameters<'_>, spec: &layer::Embedding) -> Self {
        let empty = parameters.constant("weight", &[size(spec.size), size(spec.dim)], 0.0);
        let weight = init::redrawn(empty, Init::Normal(Normal { mean: 0.0, std: 1.0 }));
        if let Some(token) = spec.padding() {
            let _row = tch::no_grad(|| weight.get(token).zero_());
        }
        Self { weight, padding: spec.padding().unwrap_or(-1), scale_grad_by_freq: spec.scale_grad_by_freq }
    }
}

impl Module for Embedding {
    fn forward(&self, xs: &Tensor) -> Tensor {
        let whole = match xs.kind() {
            Kind::Int64 | Kind::Int => xs.shallow_clone(),
            _ => {
                // Columns of a table come as real numbers, tokens or not; cutting off what follows the point would
                // turn measurements into tokens without a word.
                let tokens = xs.to_kind(Kind::Int64);
                assert!(
                    xs.equal(&tokens.to_kind(xs.kind())),
                    "`embedding` takes the numbers of tokens, but its input holds numbers that are not whole"
                );
                tokens
            }
        };
        Tensor::embedding(&self.weight, &whole, self.padding, self.scale_grad_by_freq, false)
    }
}
