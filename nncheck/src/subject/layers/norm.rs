//! Batch normalisation.

use nncheck_core::spec::layer;
use tch::Tensor;
use tch::nn::{Init, ModuleT, Path};

use super::inferred;

/// Normalises each channel (axis 1) over all others: by the batch's statistics in train mode, which the running ones
/// follow, and by the running ones in eval mode.
#[derive(Debug)]
pub(super) struct BatchNorm {
    weight: Option<Tensor>,
    bias: Option<Tensor>,
    /// Mean and variance; without them the batch's statistics serve in eval mode too.
    running: Option<(Tensor, Tensor)>,
    eps: f64,
    momentum: f64,
}

impl BatchNorm {
    pub(super) fn new<const D: usize>(path: &Path<'_>, spec: &layer::BatchNorm<D>) -> Self {
        let shape = [inferred(spec.features)];
        Self {
            weight: spec.affine.then(|| path.var("weight", &shape, Init::Const(1.0))),
            bias: spec.affine.then(|| path.var("bias", &shape, Init::Const(0.0))),
            running: spec
                .track_running_stats
                .then(|| (path.zeros_no_train("running_mean", &shape), path.ones_no_train("running_var", &shape))),
            eps: spec.eps,
            momentum: spec.momentum,
        }
    }
}

impl ModuleT for BatchNorm {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let by_batch = train || self.running.is_none();
        let size = xs.size();
        let values = size.first().copied().unwrap_or(0) * size.iter().skip(2).product::<i64>();
        // As in PyTorch: a single value has no variance, and libtorch would say nothing and put out the bias.
        assert!(
            !by_batch || values > 1,
            "batch norm needs more than one value a channel in train mode, but its input is {size:?}"
        );
        Tensor::batch_norm(
            xs,
            self.weight.as_ref(),
            self.bias.as_ref(),
            self.running.as_ref().map(|(mean, _)| mean),
            self.running.as_ref().map(|(_, variance)| variance),
            by_batch,
            self.momentum,
            self.eps,
            true,
        )
    }
}
