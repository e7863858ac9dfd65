//! Pooling.

use nncheck_core::spec::layer;
use tch::Tensor;
use tch::nn::Module;

use super::{size, sizes};

/// The largest of each window of the last two axes.
#[derive(Clone, Copy, Debug)]
pub(super) struct MaxPool2d {
    kernel: [i64; 2],
    stride: [i64; 2],
    padding: [i64; 2],
    dilation: [i64; 2],
    ceil_mode: bool,
}

impl MaxPool2d {
    pub(super) fn new(spec: &layer::MaxPool2d) -> Self {
        Self {
            kernel: sizes(spec.kernel),
            stride: sizes(spec.stride.unwrap_or(spec.kernel)),
            padding: sizes(spec.padding),
            dilation: sizes(spec.dilation),
            ceil_mode: spec.ceil_mode,
        }
    }
}

impl Module for MaxPool2d {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.max_pool2d(self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode)
    }
}

/// The mean of each window of the last two axes.
#[derive(Clone, Copy, Debug)]
pub(super) struct AvgPool2d {
    kernel: [i64; 2],
    stride: [i64; 2],
    padding: [i64; 2],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: Option<i64>,
}

impl AvgPool2d {
    pub(super) fn new(spec: &layer::AvgPool2d) -> Self {
        Self {
            kernel: sizes(spec.kernel),
            stride: sizes(spec.stride.unwrap_or(spec.kernel)),
            padding: sizes(spec.padding),
            ceil_mode: spec.ceil_mode,
            count_include_pad: spec.count_include_pad,
            divisor: spec.divisor_override.map(size),
        }
    }
}

impl Module for AvgPool2d {
    fn forward(&self, xs: &Tensor) -> Tensor {
        let Self { kernel, stride, padding, ceil_mode, count_include_pad, divisor } = *self;
        xs.avg_pool2d(kernel, stride, padding, ceil_mode, count_include_pad, divisor)
    }
}

/// The mean of windows that divide the last two axes into `size` parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct AdaptiveAvgPool2d {
    pub(super) size: [i64; 2],
}

impl Module for AdaptiveAvgPool2d {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.adaptive_avg_pool2d(self.size)
    }
}
