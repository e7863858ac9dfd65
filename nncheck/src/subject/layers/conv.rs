//! Convolutions.

use tch::Tensor;
use tch::nn::{Module, Path};

use super::init;

/// A convolution over the last two axes of `[n, channels, height, width]`.
#[derive(Debug)]
pub(super) struct Conv2d {
    weight: Tensor,
    bias: Option<Tensor>,
    settings: Settings,
}

/// What a convolution does beside its weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) stride: [i64; 2],
    pub(super) padding: [i64; 2],
    pub(super) dilation: [i64; 2],
    pub(super) groups: i64,
}

impl Conv2d {
    pub(super) fn new(path: &Path<'_>, channels: (i64, i64), kernel: [i64; 2], bias: bool, settings: Settings) -> Self {
        let (inputs, outputs) = channels;
        let shape = [outputs, inputs / settings.groups.max(1), kernel[0], kernel[1]];
        let weight = init::weight(path, &shape);
        Self { weight, bias: bias.then(|| init::bias(path, outputs, &shape)), settings }
    }
}

impl Module for Conv2d {
    fn forward(&self, xs: &Tensor) -> Tensor {
        let Settings { stride, padding, dilation, groups } = self.settings;
        xs.conv2d(&self.weight, self.bias.as_ref(), stride, padding, dilation, groups)
    }
}
