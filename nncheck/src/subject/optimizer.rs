//! The optimizers, as libtorch has them, with the spec's clipping.

use nncheck_core::spec::optimizer::{Clip, Optimizer as Spec, OptimizerKind};
use tch::Tensor;
use tch::nn::{self, OptimizerConfig};

use super::{Network, SubjectError};

/// An optimizer over all trainable parameters of a network.
#[derive(Debug)]
pub struct Optimizer {
    inner: nn::Optimizer,
    clip: Option<Clip>,
}

impl Optimizer {
    pub(super) fn build(spec: &Spec, network: &Network) -> Result<Self, SubjectError> {
        let store = network.store();
        let lr = spec.lr();
        let inner = match &spec.kind {
            OptimizerKind::Sgd(o) => nn::sgd(o.momentum, 0.0, o.weight_decay, o.nesterov).build(store, lr),
            OptimizerKind::Adam(o) => nn::adam(o.betas[0], o.betas[1], o.weight_decay).eps(o.eps).build(store, lr),
            OptimizerKind::Adamw(o) => nn::adamw(o.betas[0], o.betas[1], o.weight_decay).eps(o.eps).build(store, lr),
            OptimizerKind::Rmsprop(o) => {
                nn::rms_prop(o.alpha, o.eps, o.weight_decay, o.momentum, false).build(store, lr)
            }
        };
        let inner = inner.map_err(|e| {
            SubjectError::from(e)
                .help("the model has no parameters to train, or they are of a kind that this optimizer refuses")
        })?;
        Ok(Self { inner, clip: spec.clip })
    }

    /// Clears the gradients.
    pub fn zero_grad(&mut self) {
        self.inner.zero_grad();
    }

    /// Clips the gradients as the spec says, then steps.
    pub fn step(&mut self) {
        match self.clip {
            Some(Clip::Norm(max)) => self.inner.clip_grad_norm(max),
            Some(Clip::Value(max)) => self.inner.clip_grad_value(max),
            None => {}
        }
        self.inner.step();
    }

    /// Clears, runs backward from `loss`, clips, steps.
    pub fn minimise(&mut self, loss: &Tensor) {
        self.zero_grad();
        loss.backward();
        self.step();
    }
}
