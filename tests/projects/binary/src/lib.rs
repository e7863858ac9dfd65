//! A classifier of tumours, benign or malignant: two classes, one logit.

use tch::Tensor;
use tch::nn::{self, Init, LinearConfig, Module};

/// A multilayer perceptron with one hidden layer. The head begins small, so that the first guesses are near one half.
pub fn mlp(path: &nn::Path) -> impl Module {
    let small = LinearConfig { ws_init: Init::Randn { mean: 0.0, stdev: 0.01 }, bs_init: Some(Init::Const(0.0)), bias: true };
    nn::seq()
        .add(nn::linear(path / "hidden", 30, 32, Default::default()))
        .add_fn(Tensor::relu)
        .add(nn::linear(path / "head", 32, 1, small))
}
