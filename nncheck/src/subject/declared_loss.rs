//! The loss of a spec: PyTorch's, or a function of the user's beside it.

use nncheck_core::spec::loss::{Loss, Term};
use tch::Tensor;

use super::{LossFunction, Network, SubjectError};
use crate::bindings::{Bindings, OwnLoss};
use crate::user::{Batch, Losses, Outputs};

/// The loss of a spec: PyTorch's, or a function of the user's beside it.
pub(crate) struct DeclaredLoss {
    /// The losses that the spec names by kind; `None` for a function alone.
    kinds: Option<LossFunction>,
    /// The function, which is the one that is used.
    own: Option<OwnLoss>,
    l2: f64,
}

impl DeclaredLoss {
    pub(super) fn build(loss: &Loss, bindings: &Bindings) -> Result<Self, SubjectError> {
        let own = match &loss.terms[..] {
            [Term { function: Some(path), .. }] => Some(bindings.loss_at(&path.value)?),
            terms if terms.iter().any(|term| term.function.is_some()) => {
                return Err(SubjectError::new("`function` in one of several [[loss]] is not supported")
                    .help("let one [loss] `function` return `nncheck::Losses` with all terms by name"));
            }
            _ => None,
        };
        let mut named = loss.clone();
        named.terms.retain(|term| term.kind.is_some());
        named.terms.iter_mut().for_each(|term| term.function = None);
        let kinds = if named.terms.is_empty() { None } else { Some(LossFunction::build(&named, bindings)?) };
        Ok(Self { kinds, own, l2: loss.l2 })
    }

    /// The losses of outputs against the targets of a batch.
    pub(crate) fn losses(
        &self,
        outputs: &Outputs,
        batch: &Batch,
        classes: Option<usize>,
    ) -> Result<Losses, SubjectError> {
        match (&self.own, &self.kinds) {
            (Some(own), _) => Ok(own(outputs, batch)),
            (None, Some(kinds)) => kinds.losses(outputs, batch, classes),
            (None, None) => Err(SubjectError::new("the spec names no loss")),
        }
    }

    /// What training lowers: a loss plus `l2` times half the squared norm of the trainable parameters.
    pub(crate) fn with_regularisation(&self, loss: &Tensor, network: &Network) -> Tensor {
        let mut total = loss.shallow_clone();
        if self.l2 != 0.0 {
            for (_, parameter) in network.parameters().iter().filter(|(_, parameter)| parameter.requires_grad()) {
                total += parameter.square().sum(parameter.kind()) * (self.l2 / 2.0);
            }
        }
        total
    }

    /// Share of the rows that are predicted rightly; `None` where that means nothing.
    pub(crate) fn accuracy(&self, outputs: &Outputs, batch: &Batch) -> Option<f64> {
        self.kinds.as_ref()?.accuracy(outputs, batch)
    }

    /// Outputs that know nothing, in the shape of `outputs`.
    pub(crate) fn know_nothing(&self, outputs: &Outputs) -> Outputs {
        match &self.kinds {
            Some(kinds) => kinds.know_nothing(outputs),
            None => outputs.map(Tensor::zeros_like),
        }
    }
}
