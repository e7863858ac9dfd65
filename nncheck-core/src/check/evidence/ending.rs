//! How a model ends, and what its loss wants of that.

use crate::check::Context;
use crate::judge::number::number;
use crate::measurement::DataFacts;
use crate::spec::loss::LossKind;

/// What squashes an output.
const SQUASHES: [&str; 4] = ["softmax", "sigmoid", "relu", "tanh"];

impl Context<'_> {
    /// What is wrong with the last operator of the model for this loss, and what to do: an activation that stands before a
    /// loss that wants raw outputs, or is missing before one that does not.
    pub(crate) fn wrong_ending(&self, operator: Option<&str>) -> Option<String> {
        let operator = operator?;
        // The last operator is that of the output that the first term is of, as far as anybody can tell.
        let kind = self.loss_kind().filter(|_| self.is_of_the_first_target())?;
        ending(kind, operator)
    }
}

/// What is wrong with a model's last operator before a loss of this kind.
pub(crate) fn ending(kind: LossKind, operator: &str) -> Option<String> {
    let squashes = SQUASHES.iter().any(|squash| operator.contains(squash));
    let ends = format!("the model ends with {operator}");
    Some(match kind {
        LossKind::CrossEntropy if squashes && !operator.contains("log_softmax") => {
            format!("{ends}, and cross_entropy wants logits: remove it")
        }
        LossKind::BceWithLogits if squashes => format!("{ends}, and bce_with_logits wants logits: remove it"),
        LossKind::Nll if !operator.contains("log_softmax") => {
            format!("{ends}, and nll wants log-probabilities: end with log_softmax, or use cross_entropy")
        }
        LossKind::Bce if !operator.contains("sigmoid") && !operator.contains("softmax") => {
            format!("{ends}, and bce wants probabilities: end with sigmoid, or use bce_with_logits")
        }
        LossKind::Mse | LossKind::L1 | LossKind::Huber if squashes => {
            format!("{ends}, which cannot reach every target: end with a linear layer")
        }
        _ => return None,
    })
}

/// The interval that outputs behind this operator lie in.
pub(crate) fn reach(operator: &str) -> Option<(f64, f64)> {
    match operator {
        o if o.contains("log_softmax") || o.contains("logsigmoid") || o.contains("log_sigmoid") => {
            Some((f64::NEG_INFINITY, 0.0))
        }
        o if o.contains("hardtanh") || o.contains("relu6") || o.contains("leaky") || o.contains("prelu") => None,
        o if o.contains("tanh") => Some((-1.0, 1.0)),
        o if o.contains("softmax") || o.contains("sigmoid") => Some((0.0, 1.0)),
        o if o.contains("relu") || o.contains("softplus") => Some((0.0, f64::INFINITY)),
        _ => None,
    }
}

/// Numbers as targets that are far from what a fresh model puts out: said with what to do.
pub(crate) fn raw_targets(facts: &DataFacts) -> Option<String> {
    let (mean, std) = (facts.target_mean?, facts.target_variance?.sqrt());
    (mean.abs() > RAW || std > RAW).then(|| {
        format!(
            "the targets have mean {} and standard deviation {}, and a fresh model puts out numbers around zero: set `[data] normalize_target = \"standard\"`",
            number(mean),
            number(std)
        )
    })
}

/// Further from zero than this, targets are not normalised.
const RAW: f64 = 10.0;
