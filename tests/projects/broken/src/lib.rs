//! Broken on purpose: what nncheck is there to find.

use tch::nn::{self, Module, Sequential};
use tch::{Kind, Tensor};

/// A sound perceptron, for a training program that is not.
pub fn mlp(path: &nn::Path) -> Sequential {
    nn::seq()
        .add_fn(|xs| xs.flatten(1, -1))
        .add(nn::linear(path / "hidden", 64, 64, Default::default()))
        .add_fn(Tensor::relu)
        .add(nn::linear(path / "head", 64, 10, Default::default()))
}

/// The mistake: a softmax, although cross-entropy applies one of its own.
pub fn softmax_mlp(path: &nn::Path) -> impl Module {
    mlp(path).add_fn(|xs| xs.softmax(-1, Kind::Float))
}
