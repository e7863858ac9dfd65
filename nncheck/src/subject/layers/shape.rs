//! Changes of shape.

use tch::Tensor;
use tch::nn::Module;

/// Makes the axes `start` to `end` one; negative ones count from the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flatten {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Module for Flatten {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.flatten(self.start, self.end)
    }
}

/// Gives each example another shape.
#[derive(Clone, Debug)]
pub(super) struct Reshape {
    /// Without the batch.
    pub(super) shape: Vec<i64>,
}

impl Module for Reshape {
    fn forward(&self, xs: &Tensor) -> Tensor {
        let examples = xs.size().first().copied().unwrap_or(0);
        xs.reshape([&[examples], &self.shape[..]].concat())
    }
}
