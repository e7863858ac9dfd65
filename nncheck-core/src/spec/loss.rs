//! `[loss]`: the loss that training lowers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::bounds;

/// The loss of the training program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Loss {
    /// Which loss, with PyTorch's meaning and mean reduction.
    pub kind: LossKind,
    /// Weight of half the squared L2 norm of all trainable parameters, added to the loss.
    #[serde(default, deserialize_with = "bounds::not_negative")]
    #[schemars(range(min = 0.0))]
    pub l2: f64,
}

/// The losses that nncheck knows; names as in PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// Softmax and negative log-likelihood on logits `[N, C]`, class ids `[N]`.
    CrossEntropy,
    /// Sigmoid and binary cross-entropy on logits.
    BceWithLogits,
    /// Binary cross-entropy on probabilities.
    Bce,
    /// Negative log-likelihood on log-probabilities `[N, C]`, class ids `[N]`.
    Nll,
    /// Mean squared error.
    Mse,
    /// Mean absolute error.
    L1,
    /// Huber loss with delta 1.
    Huber,
}

/// What kind of target a loss is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Class ids, one output a class.
    Multiclass,
    /// 0 or 1, one output.
    Binary,
    /// Real numbers.
    Regression,
}

impl LossKind {
    /// The kind of target that this loss is for.
    #[must_use]
    pub fn task(self) -> Task {
        match self {
            Self::CrossEntropy | Self::Nll => Task::Multiclass,
            Self::BceWithLogits | Self::Bce => Task::Binary,
            Self::Mse | Self::L1 | Self::Huber => Task::Regression,
        }
    }
}

/// Keys of later versions.
pub(crate) const LATER: &[&str] = &[
    "class_weights",
    "function",
    "ignore_index",
    "label_smoothing",
    "name",
    "output",
    "reduction",
    "target",
    "weight",
];
