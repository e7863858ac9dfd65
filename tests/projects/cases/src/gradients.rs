//! Programs whose values are right and whose gradients are not.

use tch::Tensor;
use tch::nn::{self, Module};

use crate::parts::{classifier, linear};

/// `value`, with the gradient of `gradient`.
fn with_gradient_of(value: &Tensor, gradient: &Tensor) -> Tensor {
    value.detach() + (gradient - gradient.detach())
}

/// Gradients of the first layer come back with the other sign.
pub fn reversed(path: &nn::Path) -> impl Module {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    nn::func(move |x| {
        let features = hidden.forward(x).relu();
        head.forward(&with_gradient_of(&features, &-&features))
    })
}

/// A gate that is read out of the features and takes part in the values alone.
pub fn gate_cut_off(path: &nn::Path) -> impl Module {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    nn::func(move |x| {
        let features = hidden.forward(x);
        head.forward(&(&features * features.detach().sigmoid()))
    })
}

/// The third hidden unit's gradient is lost.
pub fn one_unit_cut_off(path: &nn::Path) -> impl Module {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    nn::func(move |x| {
        let features = hidden.forward(x).tanh();
        let kept = features.ones_like();
        let _lost = kept.narrow(1, 2, 1).fill_(0.0);
        head.forward(&with_gradient_of(&features, &(&features * kept)))
    })
}

/// Cross-entropy by tch's own function, which goes through single precision.
pub fn single_precision(output: &Tensor, target: &Tensor) -> Tensor {
    output.cross_entropy_for_logits(target)
}

/// A layer of zeros before a rectifier, on a branch of its own.
pub fn at_the_kink(path: &nn::Path) -> impl Module {
    let zero = nn::LinearConfig { ws_init: nn::Init::Const(0.0), bs_init: Some(nn::Init::Const(0.0)), bias: true };
    let (model, flat) = (classifier(path), nn::linear(path / "flat", 8, 16, zero));
    let joint = linear(path / "joint", 16, 3);
    nn::func(move |x| model.forward(x) + joint.forward(&flat.forward(x).relu()))
}

/// A root whose value is taken away below zero, and whose derivative is not.
pub fn root_behind_a_where(path: &nn::Path) -> impl Module {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    nn::func(move |x| {
        let features = hidden.forward(x);
        let (there, root) = (features.gt(0.0), features.sqrt());
        head.forward(&root.where_self(&there, &features.zeros_like()))
    })
}
