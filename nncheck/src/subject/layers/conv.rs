//! Convolutions.

use nncheck_core::spec::layer;
use tch::Tensor;
use tch::nn::{Module, Path};

use super::{inferred, init, pair, size};

/// A convolution over the last two axes of `[n, channels, height, width]`.
#[derive(Debug)]
pub(super) struct Conv2d {
    weight: Tensor,
    bias: Option<Tensor>,
    stride: [i64; 2],
    padding: [i64; 2],
    dilation: [i64; 2],
    groups: i64,
}

impl Conv2d {
    pub(super) fn new(path: &Path<'_>, spec: &layer::Conv2d) -> Self {
        let (outputs, groups) = (size(spec.outputs), size(spec.groups));
        let [height, width] = pair(spec.kernel);
        let shape = [outputs, inferred(spec.inputs) / groups, height, width];
        let weight = init::weight(path, &shape);
        Self {
            weight,
            bias: spec.bias.then(|| init::bias(path, outputs, &shape)),
            stride: pair(spec.stride),
            padding: pair(spec.padding),
            dilation: pair(spec.dilation),
            groups,
        }
    }
}

impl Module for Conv2d {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.conv2d(&self.weight, self.bias.as_ref(), self.stride, self.padding, self.dilation, self.groups)
    }
}
