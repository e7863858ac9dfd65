//! Pooling.

use tch::Tensor;
use tch::nn::Module;

/// The largest of each window of the last two axes.
#[derive(Clone, Copy, Debug)]
pub(super) struct MaxPool2d {
    pub(super) kernel: [i64; 2],
    pub(super) stride: [i64; 2],
    pub(super) padding: [i64; 2],
    pub(super) dilation: [i64; 2],
    pub(super) ceil_mode: bool,
}

impl Module for MaxPool2d {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.max_pool2d(self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode)
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
