//! Programs with a NaN or an infinity somewhere.

use nncheck::{Batch, Dataset, Model, Optimize};
use tch::nn::{self, Module};
use tch::{Kind, Tensor};

use crate::parts::{classifier, clusters, linear, step};

/// One entry is no number.
pub fn spoilt() -> Dataset {
    let (x, y) = clusters();
    let _filled = x.get(100).narrow(0, 3, 1).fill_(f64::NAN);
    Dataset::new(x, y)
}

/// The logarithm of a rectifier.
pub fn logarithm(path: &nn::Path) -> impl Module {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    nn::func(move |x| head.forward(&hidden.forward(x).relu().log()))
}

/// Numbers grow beyond single precision.
pub fn huge(path: &nn::Path) -> impl Module {
    let model = classifier(path);
    nn::func(move |x| model.forward(&(x * 1e25)) * 1e20)
}

/// An exponential that no single precision holds.
pub fn exponential(output: &Tensor, target: &Tensor) -> Tensor {
    (output.cross_entropy_for_logits(target) * 100).exp()
}

/// A penalty whose root has no slope at zero.
pub fn root_of_nothing(output: &Tensor, target: &Tensor) -> Tensor {
    output.cross_entropy_for_logits(target) + (output - output).square().sum(Kind::Float).sqrt()
}

/// Takes a root of the inputs on their way to the model.
pub fn step_with_root(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    step(model, optimizer, &batch.with_inputs(Tensor::sqrt))
}
