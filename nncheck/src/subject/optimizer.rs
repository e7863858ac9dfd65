//! The optimizers, as libtorch has them, with the spec's clipping.

use nncheck_core::spec::Subject;
use nncheck_core::spec::optimizer::{Clip, OptimizerKind};
use tch::nn::{self, OptimizerConfig};

use super::{Network, SubjectError};
use crate::bindings::Bindings;
use crate::user::Optimize;

/// An optimizer over all trainable parameters of a network.
#[derive(Debug)]
pub struct Optimizer {
    inner: nn::Optimizer,
    clip: Option<Clip>,
    lr: f64,
}

impl Optimizer {
    /// The optimizer of a spec over the network's trainable parameters.
    ///
    /// # Errors
    /// When the spec names none, or it refuses the parameters.
    pub(super) fn build(
        subject: &Subject,
        network: &Network,
        _bindings: &Bindings,
    ) -> Result<Box<dyn Optimize>, SubjectError> {
        let spec = subject.optimizer.as_ref().ok_or_else(|| {
            SubjectError::new("this property trains the model, but the spec has no [optimizer]")
                .help("add the optimizer that the training program uses: `[optimizer]`, `kind = \"adam\"`, `lr = 1e-3`")
        })?;
        let store = network.store();
        let refused = || {
            SubjectError::new("an option of [optimizer] cannot be run by this version of nncheck")
                .help("remove it to go on; it will come with a later version")
        };
        let [group] = spec.groups() else { return Err(refused()) };
        if group.params.is_some() || group.schedule.is_some() {
            return Err(refused());
        }
        let lr = group.kind.lr();
        let inner = match &group.kind {
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
        Ok(Box::new(Self { inner, clip: group.clip, lr }))
    }
}

impl Optimize for Optimizer {
    fn zero_grad(&mut self) {
        self.inner.zero_grad();
    }

    /// Clips the gradients as the spec says, then steps.
    fn step(&mut self) {
        match self.clip {
            Some(Clip::Norm(max)) => self.inner.clip_grad_norm(max),
            Some(Clip::Value(max)) => self.inner.clip_grad_value(max),
            None => {}
        }
        self.inner.step();
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
        self.inner.set_lr(lr);
    }

    fn lr(&self) -> Option<f64> {
        Some(self.lr)
    }
}
