//! Convolutions.

use nncheck_core::spec::layer::{self, PaddingMode};
use tch::Tensor;
use tch::nn::Module;

use super::parameters::Parameters;
use super::{inferred, init, size, sizes};

/// A convolution over the last `D` axes of `[n, channels, ...]`.
#[derive(Debug)]
pub(super) struct Conv<const D: usize> {
    weight: Tensor,
    bias: Option<Tensor>,
    stride: [i64; D],
    /// Zeros that the convolution itself puts on both sides.
    padding: [i64; D],
    dilation: [i64; D],
    groups: i64,
    /// What has to be put around the input beforehand.
    before: Option<Around>,
}

/// Entries around an input.
#[derive(Debug)]
struct Around {
    /// Before and behind each axis, the last axis first, as libtorch wants them.
    pads: Vec<i64>,
    mode: &'static str,
}

impl<const D: usize> Conv<D> {
    pub(super) fn new(parameters: &Parameters<'_>, spec: &layer::Conv<D>) -> Self {
        let (outputs, groups) = (size(spec.outputs), size(spec.groups));
        let shape = [&[outputs, inferred(spec.inputs) / groups], &sizes(spec.kernel)[..]].concat();
        let weight = init::weight(parameters, &shape);
        let pads = spec.pads().map(|pads| pads.map(size));
        let even = spec.padding_mode == PaddingMode::Zeros && pads.iter().all(|[before, behind]| before == behind);
        let mode = match spec.padding_mode {
            PaddingMode::Zeros => "constant",
            PaddingMode::Reflect => "reflect",
            PaddingMode::Replicate => "replicate",
            PaddingMode::Circular => "circular",
        };
        Self {
            weight,
            bias: spec.bias.then(|| init::bias(parameters, outputs, &shape)),
            stride: sizes(spec.stride),
            padding: if even { pads.map(|[before, _]| before) } else { [0; D] },
            dilation: sizes(spec.dilation),
            groups,
            before: (!even).then(|| Around { pads: pads.iter().rev().flatten().copied().collect(), mode }),
        }
    }
}

impl<const D: usize> Module for Conv<D> {
    fn forward(&self, xs: &Tensor) -> Tensor {
        let padded = self.before.as_ref().map(|around| xs.pad(&around.pads[..], around.mode, None));
        let xs = padded.as_ref().unwrap_or(xs);
        let (bias, groups) = (self.bias.as_ref(), self.groups);
        let (stride, padding, dilation) = (&self.stride[..], &self.padding[..], &self.dilation[..]);
        match D {
            1 => xs.conv1d(&self.weight, bias, stride, padding, dilation, groups),
            _ => xs.conv2d(&self.weight, bias, stride, padding, dilation, groups),
        }
    }
}

/// The transpose of a convolution of images.
#[derive(Debug)]
pub(super) struct ConvTranspose2d {
    weight: Tensor,
    bias: Option<Tensor>,
    stride: [i64; 2],
    padding: [i64; 2],
    output_padding: [i64; 2],
    groups: i64,
    dilation: [i64; 2],
}

impl ConvTranspose2d {
    pub(super) fn new(parameters: &Parameters<'_>, spec: &layer::ConvTranspose2d) -> Self {
        let (outputs, groups) = (size(spec.outputs), size(spec.groups));
        let shape = [&[inferred(spec.inputs), outputs / groups], &sizes(spec.kernel)[..]].concat();
        let weight = init::weight(parameters, &shape);
        Self {
            weight,
            bias: spec.bias.then(|| init::bias(parameters, outputs, &shape)),
            stride: sizes(spec.stride),
            padding: sizes(spec.padding),
            output_padding: sizes(spec.output_padding),
            groups,
            dilation: sizes(spec.dilation),
        }
    }
}

impl Module for ConvTranspose2d {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.conv_transpose2d(
            &self.weight,
            self.bias.as_ref(),
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
        )
    }
}
