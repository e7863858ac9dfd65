//! The gradients of the outputs of layers.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks for the gradients of activations of a program in a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationGradientsAsk {
    /// After how many training steps.
    pub after: usize,
}

impl Ask for ActivationGradientsAsk {
    fn key(&self) -> String {
        format!("activation_gradients-{}", self.after)
    }

    fn words(&self) -> String {
        match self.after {
            0 => "the gradients of activations before training".to_owned(),
            steps => format!("the gradients of activations after {steps} training steps"),
        }
    }

    fn after(&self) -> Option<usize> {
        Some(self.after)
    }
}

/// `d(loss)/d(activation)` of every layer's output, over one batch of the first training rows, in train mode.
///
/// The loss is the declared one, weighted terms summed, without the regularisation that training may add: with the usual
/// `reduction = "mean"`, the mean over the batch. Where an operator works in place, what it overwrites keeps the gradient of
/// the value that it had before. A layer that is used twice has an entry for each use (`hidden`, `hidden#2`). Of a
/// program that computes its losses itself, operators of the loss are among the layers.
///
/// They are gradients as backpropagation hands them down (Rumelhart, Hinton and Williams, 1986), all uses of an output added
/// up. Where output and target do not suit each other, the measurement fails.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActivationGradients {
    /// Why nothing could be looked at; there are no layers then.
    pub cannot: Option<String>,
    /// How many rows the batch has.
    pub rows: usize,
    /// The operators of the forward pass that compute something and that a gradient reaches, in order of computation.
    pub layers: Vec<ActivationGradient>,
    /// Those whose gradient could not be seen: nothing before them trains, the loss does not depend on them as far as autograd
    /// knows, or they are inside a graph that TorchScript differentiates as a whole.
    pub unseen: Vec<String>,
}

/// The gradient of one operator's output, in units of the loss over those of the output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivationGradient {
    /// Named after its parameters (`hidden`), or after the layer before it (`hidden.relu`).
    pub layer: String,
    /// libtorch's name of the operator.
    pub operator: String,
    /// The output's shape, with the rows.
    pub shape: Vec<usize>,
    /// L2 norm; not a number where an entry is not.
    pub norm: f64,
    /// Mean of all entries; not a number where an entry is not finite.
    pub mean: f64,
    /// Standard deviation (n - 1) of all entries; not a number below two entries, or where one is not finite.
    pub std: f64,
}

impl ActivationGradients {
    /// The gradient of the layer of this name.
    #[must_use]
    pub fn layer(&self, name: &str) -> Option<&ActivationGradient> {
        self.layers.iter().find(|layer| layer.layer == name)
    }
}
