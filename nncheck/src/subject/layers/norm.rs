//! Normalisation.

use nncheck_core::spec::layer;
use tch::Tensor;
use tch::nn::{Module, ModuleT};

use super::parameters::Parameters;
use super::{inferred, size};

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
    pub(super) fn new<const D: usize>(parameters: &Parameters<'_>, spec: &layer::BatchNorm<D>) -> Self {
        let shape = [inferred(spec.features)];
        let path = parameters.path();
        Self {
            weight: spec.affine.then(|| parameters.constant("weight", &shape, 1.0)),
            bias: spec.affine.then(|| parameters.constant("bias", &shape, 0.0)),
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

/// Normalises each example over its last axes.
#[derive(Debug)]
pub(super) struct LayerNorm {
    weight: Option<Tensor>,
    bias: Option<Tensor>,
    shape: Vec<i64>,
    eps: f64,
}

impl LayerNorm {
    pub(super) fn new(parameters: &Parameters<'_>, spec: &layer::LayerNorm) -> Self {
        let shape = spec.shape.as_ref().expect("layers are built after their shapes are inferred");
        let shape = shape.0.iter().copied().map(size).collect();
        Self::of_sizes(parameters, shape, spec.eps, spec.elementwise_affine, spec.bias)
    }

    pub(super) fn of_sizes(parameters: &Parameters<'_>, shape: Vec<i64>, eps: f64, affine: bool, bias: bool) -> Self {
        Self {
            weight: affine.then(|| parameters.constant("weight", &shape, 1.0)),
            bias: (affine && bias).then(|| parameters.constant("bias", &shape, 0.0)),
            shape,
            eps,
        }
    }
}

impl Module for LayerNorm {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.layer_norm(&self.shape[..], self.weight.as_ref(), self.bias.as_ref(), self.eps, true)
    }
}

/// Normalises groups of channels (axis 1) of each example.
#[derive(Debug)]
pub(super) struct GroupNorm {
    weight: Option<Tensor>,
    bias: Option<Tensor>,
    groups: i64,
    eps: f64,
}

impl GroupNorm {
    pub(super) fn new(parameters: &Parameters<'_>, spec: &layer::GroupNorm) -> Self {
        let shape = [inferred(spec.features)];
        Self {
            weight: spec.affine.then(|| parameters.constant("weight", &shape, 1.0)),
            bias: spec.affine.then(|| parameters.constant("bias", &shape, 0.0)),
            groups: size(spec.groups),
            eps: spec.eps,
        }
    }
}

impl Module for GroupNorm {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.group_norm(self.groups, self.weight.as_ref(), self.bias.as_ref(), self.eps, true)
    }
}
