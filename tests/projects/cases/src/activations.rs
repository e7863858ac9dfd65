//! Programs whose units, signals or gradients are not of the size that they should be.

use nncheck::Dataset;
use tch::Tensor;
use tch::nn::{self, Init, Module, ModuleT};

use crate::parts::{clusters, linear};

/// A layer of weights of this spread.
fn wide(path: nn::Path, inputs: i64, outputs: i64, stdev: f64) -> nn::Linear {
    let config = nn::LinearConfig { ws_init: Init::Randn { mean: 0.0, stdev }, ..Default::default() };
    nn::linear(path, inputs, outputs, config)
}

/// A tanh between two layers.
pub fn tanh(path: &nn::Path) -> impl Module {
    nn::seq().add(linear(path / "hidden", 8, 32)).add_fn(Tensor::tanh).add(linear(path / "head", 32, 3))
}

/// Three sigmoids.
pub fn sigmoids(path: &nn::Path) -> impl Module {
    nn::seq()
        .add(linear(path / "first", 8, 32))
        .add_fn(Tensor::sigmoid)
        .add(linear(path / "second", 32, 32))
        .add_fn(Tensor::sigmoid)
        .add(linear(path / "third", 32, 32))
        .add_fn(Tensor::sigmoid)
        .add(linear(path / "head", 32, 3))
}

/// A tanh behind weights a hundred times too large.
pub fn saturated(path: &nn::Path) -> impl Module {
    nn::seq().add(wide(path / "hidden", 8, 32, 30.0)).add_fn(Tensor::tanh).add(linear(path / "head", 32, 3))
}

/// Inputs a hundred times as large as they should be.
pub fn large_inputs() -> Dataset {
    let (x, y) = clusters();
    Dataset::new(x * 100, y)
}

/// Eight layers of 32 units with an activation between them, of weights drawn by `layer`.
fn deep(
    path: &nn::Path,
    activation: fn(&Tensor) -> Tensor,
    layer: impl Fn(nn::Path, i64, i64) -> nn::Linear,
) -> nn::Sequential {
    let mut model = nn::seq();
    for at in 0..8 {
        model = model.add(layer(path / format!("{at}"), if at == 0 { 8 } else { 32 }, 32)).add_fn(activation);
    }
    model.add(linear(path / "head", 32, 3))
}

/// Eight rectified layers, initialised for that.
pub fn deep_kaiming(path: &nn::Path) -> impl Module {
    deep(path, Tensor::relu, |path, inputs, outputs| wide(path, inputs, outputs, (2.0 / inputs as f64).sqrt()))
}

/// Eight rectified layers as PyTorch starts them.
pub fn deep_default(path: &nn::Path) -> impl Module {
    deep(path, Tensor::relu, linear)
}

/// Eight sigmoids.
pub fn deep_sigmoids(path: &nn::Path) -> impl Module {
    deep(path, Tensor::sigmoid, linear)
}

/// Eight layers whose weights are too small.
pub fn shrinking(path: &nn::Path) -> impl Module {
    deep(path, Tensor::tanh, |path, inputs, outputs| wide(path, inputs, outputs, 0.02))
}

/// Eight rectified layers of standard normal weights.
pub fn growing(path: &nn::Path) -> impl Module {
    deep(path, Tensor::relu, |path, inputs, outputs| wide(path, inputs, outputs, 1.5))
}

/// Sixteen layers of tanh and of weights that are too large.
pub fn chaotic(path: &nn::Path) -> impl Module {
    let mut model = nn::seq();
    for at in 0..16 {
        let inputs = if at == 0 { 8 } else { 32 };
        model = model.add(wide(path / format!("{at}"), inputs, 32, 1.5)).add_fn(Tensor::tanh);
    }
    model.add(linear(path / "head", 32, 3))
}

/// Of four layers the second is ten thousand times as large as it should be, and scaled down again.
pub fn one_large(path: &nn::Path) -> impl Module {
    let layer = |name: &str, inputs| linear(path / name, inputs, 32);
    let (first, third, fourth) = (layer("first", 8), layer("third", 32), layer("fourth", 32));
    let (second, head) = (wide(path / "second", 32, 32, 2000.0), linear(path / "head", 32, 3));
    nn::func(move |x| {
        let x = (second.forward(&first.forward(x).relu()) * 1e-4).relu();
        head.forward(&fourth.forward(&third.forward(&x).relu()).relu())
    })
}

/// Of four layers the second is given a ten thousandth of what the first puts out, and scaled up again.
pub fn one_small_gradient(path: &nn::Path) -> impl Module {
    let layer = |name: &str, inputs| linear(path / name, inputs, 32);
    let (first, second, third) = (layer("first", 8), layer("second", 32), layer("third", 32));
    let head = linear(path / "head", 32, 3);
    nn::func(move |x| {
        let x = first.forward(x).relu();
        let x = (&x + second.forward(&(&x * 1e-3)) * 1e-2).relu();
        head.forward(&third.forward(&x).relu())
    })
}

/// Inputs that are lost before the first layer.
pub fn lost(path: &nn::Path) -> impl Module {
    let model = deep_kaiming(path);
    nn::func(move |x| model.forward(&(x * 0)))
}

/// A convolution, batch norm and a rectifier before the last layer, and a part that is put out next to what it was given.
pub fn convolved(path: &nn::Path) -> impl ModuleT {
    let config = nn::ConvConfig { padding: 1, ..Default::default() };
    let conv = |name: &str, inputs| nn::conv1d(path / name, inputs, 8, 3, config);
    let (first, second, third) = (conv("first", 1), conv("second", 8), conv("third", 8));
    let norm = nn::batch_norm1d(path / "norm", 8, Default::default());
    let head = linear(path / "head", 64, 3);
    nn::func_t(move |x, train| {
        let x = norm.forward_t(&first.forward(&x.unsqueeze(1)), train).relu_();
        let x = &x + third.forward(&second.forward(&x).relu());
        head.forward(&x.relu().flatten(1, -1))
    })
}

/// A single layer.
pub fn single(path: &nn::Path) -> impl Module {
    linear(path / "head", 8, 3)
}
