//! Activations.

use nncheck_core::spec::layer::Approximate;
use tch::Tensor;
use tch::nn::Module;

/// A function of each entry, or of each row for softmax.
#[derive(Clone, Copy, Debug)]
pub(super) enum Activation {
    Relu,
    LeakyRelu { slope: f64 },
    Elu { alpha: f64 },
    Silu,
    Tanh,
    Sigmoid,
    Gelu(Approximate),
    Softmax { dim: i64 },
    LogSoftmax { dim: i64 },
}

impl Module for Activation {
    fn forward(&self, xs: &Tensor) -> Tensor {
        match *self {
            Self::Relu => xs.relu(),
            Self::LeakyRelu { slope } => leaky_relu(xs, slope),
            Self::Elu { alpha } => elu(xs, alpha),
            Self::Silu => xs.silu(),
            Self::Tanh => xs.tanh(),
            Self::Sigmoid => xs.sigmoid(),
            Self::Gelu(Approximate::None) => xs.gelu("none"),
            Self::Gelu(Approximate::Tanh) => xs.gelu("tanh"),
            Self::Softmax { dim } => xs.softmax(dim, None),
            Self::LogSoftmax { dim } => xs.log_softmax(dim, None),
        }
    }
}

/// tch's `leaky_relu` knows PyTorch's default slope alone; `prelu` is the same function with its slope in a tensor.
fn leaky_relu(xs: &Tensor, slope: f64) -> Tensor {
    if slope == 0.01 { xs.leaky_relu() } else { xs.prelu(&Tensor::full([1], slope, (xs.kind(), xs.device()))) }
}

/// tch's `elu` knows PyTorch's default `alpha` alone.
fn elu(xs: &Tensor, alpha: f64) -> Tensor {
    if alpha == 1.0 {
        return xs.elu();
    }
    // The exponential of what is above zero might be infinite, and its gradient no number.
    let below = xs.clamp_max(0.0).expm1() * alpha;
    xs.where_self(&xs.gt(0.0), &below)
}
