//! Training on a handful of examples until they are learnt.

use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};

/// Asks to learn a handful of examples by heart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverfitAsk {
    /// How many examples, with targets as different as can be.
    pub points: usize,
    /// Stop as soon as the loss is less than this above `least_loss` (for regression: than this share of `constant_loss`), with
    /// `best_accuracy` in both modes.
    pub loss: f64,
    /// Give up after this many steps.
    pub max_steps: usize,
}

impl Ask for OverfitAsk {
    fn key(&self) -> String {
        // `{:?}` writes as many digits as tell the number from all others.
        format!("overfit-{}-{:?}-{}", self.points, self.loss, self.max_steps)
    }

    fn words(&self) -> String {
        format!("learning {} examples by heart", self.points)
    }
}

/// How the attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overfit {
    /// Facts of the data.
    pub facts: DataFacts,
    /// Why it could not be tried, such as batch norm that takes no single example; all else is then zero.
    pub cannot: Option<String>,
    /// Examples used.
    pub points: usize,
    /// Distinct targets among them.
    pub distinct: usize,
    /// Steps taken.
    pub steps: usize,
    /// Share of the examples predicted rightly in train mode at the end; `None` for regression.
    pub train_accuracy: Option<f64>,
    /// The same in eval mode.
    pub eval_accuracy: Option<f64>,
    /// Data loss in train mode at the end.
    pub train_loss: f64,
    /// Data loss in eval mode at the end.
    pub eval_loss: f64,
    /// Data loss before the first step.
    pub first_loss: f64,
    /// The largest data loss of any step.
    pub peak: f64,
    /// Data loss of the best constant output on these examples (regression), the yardstick of `loss` there.
    pub constant_loss: Option<f64>,
    /// The least data loss that any model could have on these examples: above zero under label smoothing, with targets between 0
    /// and 1, and where sequences that begin alike go on differently.
    pub least_loss: f64,
    /// The largest accuracy that any model could have on them: below 1 where sequences that begin alike go on differently.
    pub best_accuracy: f64,
    /// Data loss every so many steps, for a curve.
    pub curve: Vec<f64>,
    /// The last operator of the forward pass.
    pub last_operator: Option<String>,
}
