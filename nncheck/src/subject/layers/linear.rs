//! Linear layers.

use nncheck_core::spec::layer;
use tch::Tensor;
use tch::nn::Module;

use super::parameters::Parameters;
use super::{inferred, init, size};

/// `x W^T + b` over the last axis.
#[derive(Debug)]
pub(super) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    pub(super) fn new(parameters: &Parameters<'_>, spec: &layer::Linear) -> Self {
        Self::of_sizes(parameters, inferred(spec.inputs), size(spec.outputs), spec.bias)
    }

    pub(super) fn of_sizes(parameters: &Parameters<'_>, inputs: i64, outputs: i64, bias: bool) -> Self {
        let shape = [outputs, inputs];
        let weight = init::weight(parameters, &shape);
        Self { weight, bias: bias.then(|| init::bias(parameters, outputs, &shape)) }
    }

    /// Sets the bias to zero, as attention does with its last layer.
    pub(super) fn with_zero_bias(mut self) -> Self {
        if let Some(bias) = &mut self.bias {
            let _itself = tch::no_grad(|| bias.zero_());
        }
        self
    }
}

impl Module for Linear {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.linear(&self.weight, self.bias.as_ref())
    }
}
