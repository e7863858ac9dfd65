//! What the declared regularisation does.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks what the declared regularisation does before training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegularizationAsk;

impl Ask for RegularizationAsk {
    fn key(&self) -> String {
        "regularization".to_owned()
    }

    fn words(&self) -> String {
        "what the regularisation does".to_owned()
    }
}

/// What the declared regularisation does before training, on one batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regularization {
    /// The data loss.
    pub data_loss: f64,
    /// What the program adds to it.
    pub added: f64,
    /// What the spec's `l2` says that it should add: half of it times the squared norm of the trainable parameters.
    pub declared: f64,
    /// L2 norm of the gradient of the data loss.
    pub data_gradient: f64,
    /// L2 norm of the gradient of `l2` and of the weight decay that is added to gradients.
    pub penalty_gradient: f64,
    /// Root mean square of what decoupled weight decay takes from the parameters in a step, in units of the learning rate.
    pub decoupled: f64,
    /// L2 norm of the trainable parameters that are regularised.
    pub norm: f64,
    /// The same after a few steps of the optimizer on the regularisation alone.
    pub norm_after: f64,
    /// The learning rate of the first of these steps, where the optimizer tells.
    pub lr: Option<f64>,
}
