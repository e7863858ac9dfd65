//! Shortcuts.

use tch::Tensor;
use tch::nn::ModuleT;

use super::Sequential;

/// The input plus what layers make of it.
#[derive(Debug)]
pub(super) struct Residual {
    pub(super) layers: Sequential,
}

impl ModuleT for Residual {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        xs + self.layers.forward_t(xs, train)
    }
}
