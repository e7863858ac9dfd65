//! Linear layers.

use tch::Tensor;
use tch::nn::{Module, Path};

use super::init;

/// `x W^T + b` over the last axis.
#[derive(Debug)]
pub(super) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    pub(super) fn new(path: &Path<'_>, inputs: i64, outputs: i64, bias: bool) -> Self {
        let shape = [outputs, inputs];
        let weight = init::weight(path, &shape);
        Self { weight, bias: bias.then(|| init::bias(path, outputs, &shape)) }
    }
}

impl Module for Linear {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.linear(&self.weight, self.bias.as_ref())
    }
}
