//! Programs whose weights begin, or become, as they should not.

use nncheck::{Batch, Model, Optimize};
use tch::Tensor;
use tch::nn::{self, Init, Module};

use crate::parts::{linear, loss};

fn layer(path: nn::Path, inputs: i64, outputs: i64, init: Init) -> nn::Linear {
    nn::linear(path, inputs, outputs, nn::LinearConfig { ws_init: init, bs_init: Some(Init::Const(0.0)), bias: true })
}

/// Both layers begin at one number: every hidden unit is the same.
pub fn all_equal(path: &nn::Path) -> impl Module {
    let init = Init::Const(0.1);
    let (hidden, head) = (layer(path / "hidden", 8, 32, init), layer(path / "head", 32, 3, init));
    nn::func(move |x| head.forward(&hidden.forward(x).tanh()))
}

/// A head that begins at zero.
pub fn zero_head(path: &nn::Path) -> impl Module {
    let (hidden, head) = (linear(path / "hidden", 8, 32), layer(path / "head", 32, 3, Init::Const(0.0)));
    nn::func(move |x| head.forward(&hidden.forward(x).relu()))
}

/// PyTorch's initialiser, three times as wide in the hidden layer.
pub fn wide(path: &nn::Path) -> impl Module {
    let bound = 3.0 / 8f64.sqrt();
    let (hidden, head) =
        (layer(path / "hidden", 8, 64, Init::Uniform { lo: -bound, up: bound }), linear(path / "head", 64, 3));
    nn::func(move |x| head.forward(&hidden.forward(x).relu()))
}

/// Normally distributed weights.
pub fn normal(path: &nn::Path) -> impl Module {
    let (hidden, head) = (
        layer(path / "hidden", 8, 256, Init::Randn { mean: 0.0, stdev: (1.0 / 24f64).sqrt() }),
        linear(path / "head", 256, 3),
    );
    nn::func(move |x| head.forward(&hidden.forward(x).relu()))
}

/// Weights of a thousandth of the usual size.
pub fn tiny(path: &nn::Path) -> impl Module {
    let init = Init::Randn { mean: 0.0, stdev: 1e-3 };
    let (hidden, head) = (layer(path / "hidden", 8, 32, init), linear(path / "head", 32, 3));
    nn::func(move |x| head.forward(&hidden.forward(x).relu()))
}

/// One weight a feature and no matrix.
pub fn vectors(path: &nn::Path) -> impl Module {
    let scale = path.sub("scale").var("weight", &[8], Init::Const(1.0));
    nn::func(move |x| (x * &scale).narrow(1, 0, 3))
}

/// Climbs.
pub fn step_up(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let loss = loss(model, batch);
    optimizer.zero_grad();
    (-&loss).backward();
    optimizer.step();
    loss
}
