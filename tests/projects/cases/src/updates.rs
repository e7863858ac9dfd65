//! Programs in which some parameter moves as it should not.

use nncheck::{Batch, Dataset, Model, Optimize};
use tch::nn::{self, Init, Module, VarStore};
use tch::{Device, Kind, Tensor};

use crate::parts::{Descent, classifier, clusters, linear, loss, step};

/// The first layer asks for no gradient, and nobody says so.
pub fn frozen_unsaid(path: &nn::Path) -> impl Module {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    let _switched = hidden.ws.set_requires_grad(false);
    nn::func(move |x| head.forward(&hidden.forward(x).relu()))
}

/// A layer made beside the path: nobody trains it.
pub fn unregistered(path: &nn::Path) -> impl Module {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    let extra = (Tensor::eye(32, (Kind::Float, Device::Cpu)) * 0.5).set_requires_grad(true);
    nn::func(move |x| head.forward(&hidden.forward(x).relu().matmul(&extra)))
}

/// The first layer is cut off.
pub fn detached(path: &nn::Path) -> impl Module {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    nn::func(move |x| head.forward(&hidden.forward(x).relu().detach()))
}

/// A layer that nothing runs through.
pub fn unused(path: &nn::Path) -> impl Module {
    let model = classifier(path);
    let _forgotten = linear(path / "forgotten", 8, 8);
    model
}

/// Every unit starts so far below zero that no input reaches it.
pub fn dead(path: &nn::Path) -> impl Module {
    let config = nn::LinearConfig { bs_init: Some(Init::Const(-100.0)), ..Default::default() };
    let (hidden, head) = (nn::linear(path / "hidden", 8, 32, config), linear(path / "head", 32, 3));
    nn::func(move |x| head.forward(&hidden.forward(x).relu()))
}

/// The square root of the first layer's outputs, below zero too.
pub fn root(path: &nn::Path) -> impl Module {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    nn::func(move |x| head.forward(&hidden.forward(x).sqrt()))
}

/// The first layer is a thousand times as large as it should be, and scaled down again.
pub fn uneven(path: &nn::Path) -> impl Module {
    let config = nn::LinearConfig { ws_init: Init::Randn { mean: 0.0, stdev: 300.0 }, ..Default::default() };
    let (hidden, head) = (nn::linear(path / "hidden", 8, 32, config), linear(path / "head", 32, 3));
    nn::func(move |x| head.forward(&(hidden.forward(x) / 1000).relu()))
}

/// Knows the head alone.
pub fn half_optimizer(store: &VarStore) -> Descent {
    Descent::over(store, 0.05, |name| name.starts_with("head"))
}

/// Never asks whether a parameter is frozen.
pub fn heedless(store: &VarStore) -> Heedless {
    Heedless { inner: Descent::over(store, 0.05, |_| true), all: store.variables().into_values().collect() }
}

/// Shrinks every parameter, frozen or not: weight decay by hand.
pub struct Heedless {
    inner: Descent,
    all: Vec<Tensor>,
}

impl Optimize for Heedless {
    fn zero_grad(&mut self) {
        self.inner.zero_grad();
    }

    fn step(&mut self) {
        self.inner.step();
        tch::no_grad(|| {
            for parameter in &mut self.all {
                let _shrunk = parameter.g_mul_scalar_(0.999);
            }
        });
    }

    fn set_lr(&mut self, lr: f64) {
        self.inner.set_lr(lr);
    }

    fn lr(&self) -> Option<f64> {
        self.inner.lr()
    }
}

/// Stumbles once, far.
pub struct Stumble {
    inner: Descent,
    steps: u32,
}

impl Optimize for Stumble {
    fn zero_grad(&mut self) {
        self.inner.zero_grad();
    }

    fn step(&mut self) {
        self.steps += 1;
        let once = if self.steps == 5 { 200.0 } else { 1.0 };
        self.inner.set_lr(0.02 * once);
        self.inner.step();
    }

    fn set_lr(&mut self, _lr: f64) {}
}

/// One step that is 200 times as long as the others.
pub fn stumble(store: &VarStore) -> Stumble {
    Stumble { inner: Descent::over(store, 0.02, |_| true), steps: 0 }
}

/// The loss of all rows, not of one.
pub fn summed(output: &Tensor, target: &Tensor) -> Tensor {
    output.cross_entropy_for_logits(target) * target.size()[0]
}

/// Gradients add up from step to step.
pub fn step_without_zero_grad(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let loss = loss(model, batch);
    loss.backward();
    optimizer.step();
    loss
}

/// The last layer starts at zero: it has no update ratio, and the first layer no gradient, before the first step.
pub fn zero_head(path: &nn::Path) -> impl Module {
    let hidden = linear(path / "hidden", 8, 32);
    let zero = nn::LinearConfig { ws_init: Init::Const(0.0), bs_init: Some(Init::Const(0.0)), bias: true };
    nn::seq().add(hidden).add_fn(Tensor::relu).add(nn::linear(path / "head", 32, 3, zero))
}

/// The points, of which the last of every sixteen has its first feature far above all others.
pub fn marked() -> Dataset {
    let (x, y) = clusters();
    let rare = Tensor::arange(256, (Kind::Int64, Device::Cpu)).remainder(16).eq(15).to_kind(Kind::Float);
    let _moved = x.select(1, 0).copy_(&(rare * 10));
    Dataset::new(x, y)
}

/// A branch that is rectified away but for the marked rows.
pub fn rarely(path: &nn::Path) -> impl Module {
    let (model, rare) = (classifier(path), linear(path / "rare", 8, 3));
    nn::func(move |x| model.forward(x) + rare.forward(&(x.narrow(1, 0, 1) - 5).relu().expand_as(x)))
}

/// Trains on inputs moved a little up the slope of the loss (the fast gradient sign method).
pub fn step_with_adversaries(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let inputs = batch.with_inputs(|input| input.detach().set_requires_grad(true));
    loss(model, &inputs).backward();
    let moved = inputs.with_inputs(|input| input.detach() + input.grad().sign() * 0.01);
    step(model, optimizer, &moved)
}
