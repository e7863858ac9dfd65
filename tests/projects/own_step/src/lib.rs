//! A training program of one's own: step, loss, optimizer and data are functions of this library. Beside each sound
//! part stands one with a mistake that people make; every one of them still trains, badly or not at all.

use nncheck::{Batch, Dataset, Model, Optimize};
use tch::nn::{self, Module, VarStore};
use tch::{Kind, Reduction, Tensor};

const CLASSES: i64 = 4;
const FEATURES: i64 = 8;

// ---- models

/// A layer that starts as PyTorch's does: tch's own starts three times as wide.
fn linear(path: nn::Path, inputs: i64, outputs: i64) -> nn::Linear {
    let bound = 1.0 / (inputs as f64).sqrt();
    let init = nn::Init::Uniform { lo: -bound, up: bound };
    nn::linear(path, inputs, outputs, nn::LinearConfig { ws_init: init, bs_init: Some(init), bias: true })
}

/// A classifier with two hidden layers.
pub fn classifier(path: &nn::Path) -> impl Module {
    nn::seq()
        .add(linear(path / "hidden1", FEATURES, 32))
        .add_fn(Tensor::relu)
        .add(linear(path / "hidden2", 32, 32))
        .add_fn(Tensor::relu)
        .add(linear(path / "head", 32, CLASSES))
}

/// A regression with one hidden layer; puts out [N, 1].
pub fn regression(path: &nn::Path) -> impl Module {
    nn::seq()
        .add(linear(path / "hidden", FEATURES, 32))
        .add_fn(Tensor::tanh)
        .add(linear(path / "head", 32, 1))
}

// ---- data

/// Points around a centre for each class, classes in random order; always the same.
fn clusters() -> (Tensor, Tensor) {
    // The generator of a linear congruence (Numerical Recipes): the data does not depend on any seed.
    let mut state = 1_u32;
    let mut uniform = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1_u32 << 24)
    };
    let centres: Vec<f64> = (0..CLASSES * FEATURES).map(|_| 4.0 * uniform() - 2.0).collect();
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for _ in 0..512 {
        let class = (uniform() * CLASSES as f64) as i64;
        y.push(class);
        for feature in 0..FEATURES {
            let noise = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            x.push((0.6 * (centres[(class * FEATURES + feature) as usize] + noise)) as f32);
        }
    }
    (Tensor::from_slice(&x).reshape([-1, FEATURES]), Tensor::from_slice(&y))
}

/// The clusters.
pub fn load() -> Dataset {
    let (x, y) = clusters();
    Dataset::new(x, y)
}

/// The labels are one row off: each belongs to the row before.
pub fn load_misaligned() -> Dataset {
    let (x, y) = clusters();
    Dataset::new(x, y.roll([1], [0]))
}

/// The first feature, the square of the second, and a little of the third, as the target, of mean 0 and variance 1.
pub fn load_regression() -> Dataset {
    let (x, _) = clusters();
    let column = |i: i64| x.select(1, i);
    let y = column(0) + column(1).square() * 0.5 + column(2) * 0.1;
    let y = (&y - y.mean(Kind::Float)) / y.std(false);
    Dataset::new(x, y)
}

// ---- losses

/// Cross-entropy over the classes.
pub fn cross_entropy(output: &Tensor, target: &Tensor) -> Tensor {
    output.cross_entropy_for_logits(target)
}

/// The softmax runs over the rows of the batch instead of the classes.
pub fn over_the_wrong_axis(output: &Tensor, target: &Tensor) -> Tensor {
    output.log_softmax(0, output.kind()).nll_loss(target)
}

/// The mean of the squares.
pub fn squares(output: &Tensor, target: &Tensor) -> Tensor {
    output.squeeze_dim(1).mse_loss(&target.reshape([-1]), Reduction::Mean)
}

/// [N, 1] minus [N] is [N, N]: every prediction is held against every target.
pub fn broadcast_squares(output: &Tensor, target: &Tensor) -> Tensor {
    (output - target.reshape([-1])).square().mean(output.kind())
}

// ---- optimizers

/// Plain gradient descent, written by hand.
pub struct Descent {
    parameters: Vec<Tensor>,
    lr: f64,
}

impl Optimize for Descent {
    fn zero_grad(&mut self) {
        for parameter in &mut self.parameters {
            parameter.zero_grad();
        }
    }

    fn step(&mut self) {
        tch::no_grad(|| {
            for parameter in &mut self.parameters {
                let gradient = parameter.grad();
                if gradient.defined() {
                    let _moved = parameter.g_sub_(&(gradient * self.lr));
                }
            }
        });
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn lr(&self) -> Option<f64> {
        Some(self.lr)
    }
}

impl Descent {
    /// Over the parameters whose names fit.
    pub fn over(store: &VarStore, lr: f64, fits: impl Fn(&str) -> bool) -> Self {
        let mut all: Vec<(String, Tensor)> = store.variables().into_iter().filter(|(name, _)| fits(name)).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        Self { parameters: all.into_iter().map(|(_, tensor)| tensor).collect(), lr }
    }
}

/// Over all parameters.
pub fn optimizer(store: &VarStore) -> Descent {
    Descent::over(store, 0.05, |_| true)
}

/// Over half of them: both hidden layers were forgotten.
pub fn half_optimizer(store: &VarStore) -> Descent {
    Descent::over(store, 0.05, |name| name.starts_with("head"))
}

// ---- steps

/// A training step as it should be.
pub fn step(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let loss = cross_entropy(model.outputs(batch, true).main(), batch.y());
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    loss
}

/// The gradients are never cleared: they add up over the steps.
pub fn step_without_zero_grad(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let loss = cross_entropy(model.outputs(batch, true).main(), batch.y());
    loss.backward();
    optimizer.step();
    loss
}

/// The sign is flipped: training raises the loss.
pub fn step_uphill(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let loss = cross_entropy(model.outputs(batch, true).main(), batch.y());
    optimizer.zero_grad();
    (-&loss).backward();
    optimizer.step();
    loss
}
