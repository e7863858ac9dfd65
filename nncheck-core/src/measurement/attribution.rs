//! Which part of an example a model's output answers to: saliency and Grad-CAM.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks for saliency and Grad-CAM of a program in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributionAsk {
    /// Of how many of the first training rows.
    pub rows: usize,
    /// After how many training steps.
    pub after: usize,
}

impl Default for AttributionAsk {
    /// Of the first row, before training.
    fn default() -> Self {
        Self { rows: 1, after: 0 }
    }
}

impl Ask for AttributionAsk {
    fn key(&self) -> String {
        format!("attribution-{}-{}", self.rows, self.after)
    }

    fn words(&self) -> String {
        match self.after {
            0 => "the attribution before training".to_owned(),
            steps => format!("the attribution after {steps} training steps"),
        }
    }

    fn after(&self) -> Option<usize> {
        Some(self.after)
    }
}

/// Saliency and Grad-CAM of single rows, each alone in a batch, in eval mode.
///
/// What is differentiated is of the first term of the loss. Of class ids: saliency is of the true class's logit, Grad-CAM
/// of the largest logit; where a row has several positions with a class each (tokens, pixels), of their sum over the
/// positions (those with a label, for saliency). Of binary targets and of numbers both are of the output itself, before any
/// sigmoid that is part of the loss; of the sum, where a row has several. A loss of the user's own counts as one of class
/// ids where targets are ids and outputs have an axis more; so does a program of the user's own, by its first output and
/// target. Outputs that are log-probabilities (`nll`) or probabilities (`bce`) stand in for logits.
///
/// Where output and target do not suit each other, the measurement fails, as it does where libtorch cannot differentiate the
/// model; what has no derivative says so instead, in `cannot` and `unseen`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// Why nothing could be looked at; there are no rows then.
    pub cannot: Option<String>,
    /// The first training rows, in order.
    pub rows: Vec<AttributedRow>,
}

/// What one row's output answers to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributedRow {
    /// Which of the training rows.
    pub row: usize,
    /// The true class; `None` where the row has not exactly one.
    pub class: Option<usize>,
    /// The class of the largest logit; `None` as above.
    pub predicted: Option<usize>,
    /// One an input, in the order of the data.
    pub saliency: Vec<Saliency>,
    /// One a layer whose output is `[N, C, spatial...]`, in order of computation.
    pub grad_cam: Vec<GradCam>,
    /// Layers of that shape whose gradient could not be seen: the output does not depend on them as far as autograd knows, or
    /// they are inside a graph that TorchScript differentiates as a whole.
    pub unseen: Vec<String>,
}

/// `|d(score)/d(input)|` of one input (Simonyan, Vedaldi and Zisserman, 2014, section 3, without their maximum over colour
/// channels), in units of the score over those of the input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saliency {
    /// The input's name.
    pub input: String,
    /// The shape of one example of it.
    pub shape: Vec<usize>,
    /// Why there are no values: tokens cannot be changed by a little.
    pub cannot: Option<String>,
    /// The values in the order of the axes, none below zero; empty where `cannot` says why.
    pub values: Vec<f64>,
}

/// `max(0, .)` of the sum over channels of (spatial mean of `d(score)/d(A_c)`) times `A_c`, with `A` the layer's output
/// (Selvaraju et al., 2017, equations 1 and 2): as it is, neither scaled to 1 nor enlarged to the input, in units of the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GradCam {
    /// Named after its parameters (`conv1`), or after the layer before it (`conv1.relu`).
    pub layer: String,
    /// libtorch's name of the operator.
    pub operator: String,
    /// The spatial axes of its output.
    pub shape: Vec<usize>,
    /// The map in the order of the axes, none below zero.
    pub values: Vec<f64>,
}

impl AttributedRow {
    /// The saliency of the input of this name.
    #[must_use]
    pub fn of_input(&self, name: &str) -> Option<&Saliency> {
        self.saliency.iter().find(|saliency| saliency.input == name)
    }

    /// The map of the layer of this name.
    #[must_use]
    pub fn of_layer(&self, name: &str) -> Option<&GradCam> {
        self.grad_cam.iter().find(|map| map.layer == name)
    }
}
