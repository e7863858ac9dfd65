//! Linear layers.

use nncheck_core::spec::layer;
use tch::Tensor;
use tch::nn::{Module, Path};

use super::{inferred, init, size};

/// `x W^T + b` over the last axis.
#[derive(Debug)]
pub(super) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    pub(super) fn new(path: &Path<'_>, spec: &layer::Linear) -> Self {
        let outputs = size(spec.outputs);
        let shape = [outputs, inferred(spec.inputs)];
        let weight = init::weight(path, &shape);
        Self { weight, bias: spec.bias.then(|| init::bias(path, outputs, &shape)) }
    }
}

impl Module for Linear {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.linear(&self.weight, self.bias.as_ref())
    }
}
