//! Programs that do not learn, or learn by heart alone.

use nncheck::{Batch, Dataset, Model, Optimize};
use tch::nn::{self, Module, ModuleT};
use tch::{Kind, Tensor};

use crate::parts::{classifier, clusters, linear, loss};

/// A softmax before a loss that has one of its own.
pub fn softmax(path: &nn::Path) -> impl Module {
    let model = classifier(path);
    nn::func(move |x| model.forward(x).softmax(-1, Kind::Float))
}

/// The inputs are lost on the way.
pub fn blind(path: &nn::Path) -> impl Module {
    let model = classifier(path);
    nn::func(move |x| model.forward(&(x * 0)))
}

/// All that is known goes through a single unit.
pub fn narrow(path: &nn::Path) -> impl Module {
    nn::seq().add(linear(path / "neck", 8, 1)).add_fn(Tensor::tanh).add(linear(path / "head", 1, 3))
}

/// Batch norm whose running statistics never move: momentum 0 where 0.1 was meant.
pub fn stale_statistics(path: &nn::Path) -> impl ModuleT {
    let config = nn::BatchNormConfig { momentum: 0.0, ..Default::default() };
    let (first, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    let norm = nn::batch_norm1d(path / "norm", 32, config);
    nn::func_t(move |x, train| {
        // Far from the mean 0 that the running statistics start with: in eval mode the rectifier lets nothing through.
        let hidden = first.forward(x) - 200;
        head.forward(&norm.forward_t(&hidden, train).relu())
    })
}

/// The optimizer never steps.
pub fn step_without_step(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let loss = loss(model, batch);
    optimizer.zero_grad();
    loss.backward();
    loss
}

/// The loss is climbed.
pub fn step_uphill(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let loss = loss(model, batch);
    optimizer.zero_grad();
    (-&loss).backward();
    optimizer.step();
    loss
}

/// Each example has the label of another.
pub fn misaligned() -> Dataset {
    let (x, y) = clusters();
    Dataset::new(x, y.roll([1], [0]))
}
