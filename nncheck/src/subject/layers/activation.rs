//! Activations.

use nncheck_core::spec::layer::Approximate;
use tch::Tensor;
use tch::nn::Module;

/// A function of each entry, or of each row for softmax.
#[derive(Clone, Copy, Debug)]
pub(super) enum Activation {
    Relu,
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
            Self::Tanh => xs.tanh(),
            Self::Sigmoid => xs.sigmoid(),
            Self::Gelu(Approximate::None) => xs.gelu("none"),
            Self::Gelu(Approximate::Tanh) => xs.gelu("tanh"),
            Self::Softmax { dim } => xs.softmax(dim, None),
            Self::LogSoftmax { dim } => xs.log_softmax(dim, None),
        }
    }
}
