//! The model as nncheck runs it.

use tch::nn::ModuleT;

use super::{Batch, Outputs};

/// A model: from a batch to its outputs. Every [`ModuleT`] is one that reads the batch's first input; implement it for
/// models of several inputs, masks or outputs.
pub trait Model {
    /// Runs the model; `train` tells dropout and batch norm which mode they are in.
    fn outputs(&self, batch: &Batch, train: bool) -> Outputs;
}

impl<M: ModuleT> Model for M {
    fn outputs(&self, batch: &Batch, train: bool) -> Outputs {
        self.forward_t(batch.x(), train).into()
    }
}
