//! `[optimizer]`: how training lowers the loss. Names and defaults are PyTorch's.

mod read;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::bounds;
pub(crate) use read::schema;

/// The optimizer of the training program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optimizer {
    /// Which one, with its own settings.
    pub kind: OptimizerKind,
    /// Gradient clipping before each step.
    pub clip: Option<Clip>,
}

/// The optimizers that nncheck knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OptimizerKind {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adam (Kingma and Ba 2015).
    Adam(Adam),
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    Adamw(Adamw),
    /// `RMSprop` (Hinton 2012).
    Rmsprop(Rmsprop),
}

/// Settings of `kind = "sgd"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sgd {
    /// Learning rate.
    #[serde(deserialize_with = "bounds::positive")]
    pub lr: f64,
    /// Momentum.
    #[serde(default, deserialize_with = "bounds::below_one")]
    pub momentum: f64,
    /// Nesterov momentum; wants a momentum above zero.
    #[serde(default)]
    pub nesterov: bool,
    /// L2 penalty added to the gradient.
    #[serde(default, deserialize_with = "bounds::not_negative")]
    pub weight_decay: f64,
}

/// Settings of `kind = "adam"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Adam {
    /// Learning rate.
    #[serde(deserialize_with = "bounds::positive")]
    pub lr: f64,
    /// Decay rates of the first and second moment.
    #[serde(default = "betas", deserialize_with = "bounds::betas")]
    pub betas: [f64; 2],
    /// Added to the denominator.
    #[serde(default = "eps", deserialize_with = "bounds::not_negative")]
    pub eps: f64,
    /// L2 penalty added to the gradient.
    #[serde(default, deserialize_with = "bounds::not_negative")]
    pub weight_decay: f64,
}

/// Settings of `kind = "adamw"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Adamw {
    /// Learning rate.
    #[serde(deserialize_with = "bounds::positive")]
    pub lr: f64,
    /// Decay rates of the first and second moment.
    #[serde(default = "betas", deserialize_with = "bounds::betas")]
    pub betas: [f64; 2],
    /// Added to the denominator.
    #[serde(default = "eps", deserialize_with = "bounds::not_negative")]
    pub eps: f64,
    /// Decoupled weight decay.
    #[serde(default = "adamw_decay", deserialize_with = "bounds::not_negative")]
    pub weight_decay: f64,
}

/// Settings of `kind = "rmsprop"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rmsprop {
    /// Learning rate.
    #[serde(deserialize_with = "bounds::positive")]
    pub lr: f64,
    /// Smoothing constant.
    #[serde(default = "alpha", deserialize_with = "bounds::below_one")]
    pub alpha: f64,
    /// Added to the denominator.
    #[serde(default = "eps", deserialize_with = "bounds::not_negative")]
    pub eps: f64,
    /// Momentum.
    #[serde(default, deserialize_with = "bounds::below_one")]
    pub momentum: f64,
    /// L2 penalty added to the gradient.
    #[serde(default, deserialize_with = "bounds::not_negative")]
    pub weight_decay: f64,
}

/// Gradient clipping.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clip {
    /// Scales all gradients so that their joint L2 norm is at most this.
    Norm(f64),
    /// Cuts each entry to `[-value, value]`.
    Value(f64),
}

impl Optimizer {
    /// The learning rate that the spec states.
    #[must_use]
    pub fn lr(&self) -> f64 {
        match &self.kind {
            OptimizerKind::Sgd(o) => o.lr,
            OptimizerKind::Adam(o) => o.lr,
            OptimizerKind::Adamw(o) => o.lr,
            OptimizerKind::Rmsprop(o) => o.lr,
        }
    }

    /// Sets the learning rate.
    pub(crate) fn set_lr(&mut self, lr: f64) {
        match &mut self.kind {
            OptimizerKind::Sgd(o) => o.lr = lr,
            OptimizerKind::Adam(o) => o.lr = lr,
            OptimizerKind::Adamw(o) => o.lr = lr,
            OptimizerKind::Rmsprop(o) => o.lr = lr,
        }
    }

    /// Sets the weight decay.
    pub(crate) fn set_weight_decay(&mut self, weight_decay: f64) {
        match &mut self.kind {
            OptimizerKind::Sgd(o) => o.weight_decay = weight_decay,
            OptimizerKind::Adam(o) => o.weight_decay = weight_decay,
            OptimizerKind::Adamw(o) => o.weight_decay = weight_decay,
            OptimizerKind::Rmsprop(o) => o.weight_decay = weight_decay,
        }
    }

    /// The name as written in a spec.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &self.kind {
            OptimizerKind::Sgd(_) => "sgd",
            OptimizerKind::Adam(_) => "adam",
            OptimizerKind::Adamw(_) => "adamw",
            OptimizerKind::Rmsprop(_) => "rmsprop",
        }
    }
}

fn betas() -> [f64; 2] {
    [0.9, 0.999]
}

fn eps() -> f64 {
    1e-8
}

fn adamw_decay() -> f64 {
    1e-2
}

fn alpha() -> f64 {
    0.99
}
