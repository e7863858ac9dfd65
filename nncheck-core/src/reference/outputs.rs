//! Outputs to try a loss with: such as know nothing, arbitrary ones, and better and better ones.

use ndarray::{ArrayD, Axis, IxDyn};
use serde::{Deserialize, Serialize};

use super::{Reference, Target, aligned, class_axis, log_softmax};
use crate::spec::loss::LossKind;

/// Outputs that a loss is tried with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outputs {
    /// Those of the model before training.
    Model,
    /// Such as know nothing: zeros, as logits.
    Zeros,
    /// Arbitrary ones.
    Arbitrary,
    /// A third of the way from zeros to the right ones.
    Better,
    /// The right ones, as sure as leaves the loss above zero.
    Right,
}

impl Outputs {
    /// As it reads in a report.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Model => "the model's outputs",
            Self::Zeros => "zero outputs",
            Self::Arbitrary => "arbitrary outputs",
            Self::Better => "better outputs",
            Self::Right => "right outputs",
        }
    }
}

/// How sure the right outputs are, as a logit.
const SURE: f64 = 10.0;

/// Outputs of this shape for a loss of these targets; empty where the two do not suit each other.
#[must_use]
pub fn try_out(reference: &Reference, shape: &[usize], target: &Target) -> Vec<(Outputs, ArrayD<f64>)> {
    let kind = reference.kind;
    let zeros = ArrayD::<f64>::zeros(IxDyn(shape));
    let (right, axis) = match target {
        Target::Ids(ids) => {
            let Some(axis) = class_axis(shape, ids.shape(), reference.class_axis) else { return Vec::new() };
            let mut right = zeros.clone();
            for (mut lane, &id) in right.lanes_mut(Axis(axis)).into_iter().zip(ids) {
                if let Some(entry) = usize::try_from(id).ok().and_then(|id| lane.get_mut(id)) {
                    *entry = SURE;
                }
            }
            (right, axis)
        }
        Target::Values(values) => {
            let Some(values) = aligned(&zeros, values) else { return Vec::new() };
            let binary = matches!(kind, LossKind::Bce | LossKind::BceWithLogits);
            (if binary { (values * 2.0 - 1.0) * SURE } else { values }, 0)
        }
    };
    let arbitrary = ArrayD::from_shape_fn(IxDyn(shape), {
        // Weyl's sequence: without a pattern that an axis could share, and the same everywhere.
        let mut number = 0.5_f64;
        move |_| {
            number = (number + 0.618_033_988_749_894_9).fract();
            let coarse = (number * 7919.0).fract();
            4.0 * coarse - 1.5
        }
    });
    let better = &right / 3.0;
    let of_kind = |x: ArrayD<f64>| match kind {
        LossKind::Bce => x.mapv(|v| 1.0 / (1.0 + (-v).exp())),
        LossKind::Nll => log_softmax(&x, axis),
        _ => x,
    };
    [(Outputs::Zeros, zeros), (Outputs::Arbitrary, arbitrary), (Outputs::Better, better), (Outputs::Right, right)]
        .map(|(what, x)| (what, of_kind(x)))
        .into()
}
