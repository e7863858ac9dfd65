//! Dropout.

use tch::Tensor;
use tch::nn::ModuleT;

/// Zeroes entries with probability `p` in train mode and scales the others by `1 / (1 - p)`; the identity in eval mode.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dropout {
    pub(super) p: f64,
}

impl ModuleT for Dropout {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        xs.dropout(self.p, train)
    }
}
