//! The losses, with PyTorch's meaning: of one of PyTorch's kinds, by the user's own function, or a weighted sum of terms.

mod guess;
mod limit;
mod predictions;
mod scores;
mod single;
mod term;

use nncheck_core::spec::loss::{Loss, LossKind, Task};
use tch::{Kind, Tensor};

pub(crate) use self::limit::Limit;
pub(crate) use self::scores::{Score, Scores};
pub(crate) use self::single::OneTerm;
use self::term::Term;
use super::{Network, SubjectError};
use crate::bindings::Bindings;
use crate::user::{Batch, Losses, Outputs};

/// The loss of a training program.
#[derive(Debug)]
pub struct LossFunction {
    terms: Vec<Term>,
    l2: f64,
}

impl LossFunction {
    /// The loss that a spec describes.
    ///
    /// # Errors
    /// When the harness binds no function of a name that the spec gives.
    pub fn build(loss: &Loss, bindings: &Bindings) -> Result<Self, SubjectError> {
        let terms = loss.terms.iter().map(|spec| Term::build(spec, bindings)).collect::<Result<_, _>>()?;
        Ok(Self { terms, l2: loss.l2 })
    }

    /// The losses of outputs against the targets of a batch, each before weighting.
    ///
    /// # Errors
    /// When output and target do not suit each other.
    pub fn losses(&self, outputs: &Outputs, batch: &Batch, classes: Option<usize>) -> Result<Losses, SubjectError> {
        let alone = self.terms.len() == 1;
        self.terms.iter().try_fold(Losses::new(), |all, term| term.add(all, outputs, batch, classes, alone))
    }

    /// What training lowers: the data loss plus `l2` times half the squared norm of the trainable parameters.
    pub fn with_regularisation(&self, data_loss: &Tensor, network: &Network) -> Tensor {
        let mut total = data_loss.shallow_clone();
        if self.l2 != 0.0 {
            for (_, parameter) in network.parameters() {
                if parameter.requires_grad() {
                    total += parameter.square().sum(parameter.kind()) * (self.l2 / 2.0);
                }
            }
        }
        total
    }

    /// How many outputs the first term has for each class id; `None` where it is of none.
    #[must_use]
    pub fn width(&self, outputs: &Outputs, batch: &Batch) -> Option<usize> {
        let term = self.terms.first()?;
        let (output, target) = (term.output(outputs).ok()?, term.target(batch).ok()?);
        let axis = term.class_axis(output, target).ok()?;
        usize::try_from(*output.size().get(usize::try_from(axis).ok()?)?).ok()
    }

    /// Share of the values that are predicted rightly, by the first term; `None` for regression and for a function of
    /// the user's alone.
    #[must_use]
    pub fn accuracy(&self, outputs: &Outputs, batch: &Batch) -> Option<f64> {
        let term = self.terms.first()?;
        let kind = term.kind()?;
        let (output, target) = (term.output(outputs).ok()?, term.target(batch).ok()?);
        let (right, counts) = match kind.task() {
            Task::Regression => return None,
            Task::Multiclass => {
                let axis = term.class_axis(output, target).ok()?;
                (output.argmax(axis, false).eq_tensor(target), Some(target.ne(term.ignore_index())))
            }
            Task::Binary => {
                let threshold = if kind == LossKind::Bce { 0.5 } else { 0.0 };
                (output.gt(threshold).eq_tensor(&target.reshape_as(output).gt(0.5)), None)
            }
        };
        let right = match counts {
            Some(counts) => right.masked_select(&counts),
            None => right,
        };
        Some(right.to_kind(Kind::Double).mean(Kind::Double).double_value(&[]))
    }

    /// The outputs of a model whose only output is this tensor; `None` where the loss is of several.
    #[must_use]
    pub(crate) fn only_output(&self, output: Tensor) -> Option<Outputs> {
        match &self.terms[..] {
            [only] => Some(Outputs::new().with(only.output_name().unwrap_or("output"), output)),
            _ => None,
        }
    }
}
