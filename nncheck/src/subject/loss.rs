//! The losses, with PyTorch's meaning and mean reduction. Output and target are checked against each other first:
//! nothing is ever broadcast.

use nncheck_core::spec::loss::{Loss, LossKind, Task, Term};
use tch::{Kind, Reduction, Tensor};

use super::{Network, SubjectError};
use crate::bindings::Bindings;
use crate::user::{Batch, Losses, Outputs};

/// The loss of a training program.
#[derive(Clone, Debug)]
pub struct LossFunction {
    kind: LossKind,
    l2: f64,
}

impl LossFunction {
    /// The loss that a spec describes.
    pub(super) fn build(loss: &Loss, _bindings: &Bindings) -> Result<Self, SubjectError> {
        let refused = |what: &str| {
            Err(SubjectError::new(format!("{what} cannot be run by this version of nncheck"))
                .help("remove it to go on; it will come with a later version"))
        };
        match &loss.terms[..] {
            [only] => match only.kind {
                Some(kind) if *only == Term::of(Some(kind)) => Ok(Self { kind, l2: loss.l2 }),
                _ => refused("an option of [loss]"),
            },
            _ => refused("a loss of several terms"),
        }
    }

    /// The losses of outputs against the targets of a batch, each a mean over the rows.
    ///
    /// # Errors
    /// When output and target do not suit each other.
    pub fn losses(&self, outputs: &Outputs, batch: &Batch, classes: Option<usize>) -> Result<Losses, SubjectError> {
        Ok(self.data_loss(outputs.main(), batch.y(), classes)?.into())
    }

    /// The data loss: outputs `[n, ...]` against targets `[n]` or `[n, t]`, mean over the rows; a scalar.
    ///
    /// # Errors
    /// When output and target do not suit each other.
    fn data_loss(&self, output: &Tensor, target: &Tensor, classes: Option<usize>) -> Result<Tensor, SubjectError> {
        match self.kind.task() {
            Task::Multiclass => {
                self.check_classes(output, target, classes)?;
                Ok(match self.kind {
                    LossKind::Nll => output.nll_loss(target),
                    _ => output.cross_entropy_loss::<Tensor>(target, None, Reduction::Mean, -100, 0.0),
                })
            }
            Task::Binary | Task::Regression => {
                let target = &self.as_output(output, target)?;
                Ok(match self.kind {
                    LossKind::BceWithLogits => {
                        output.binary_cross_entropy_with_logits::<Tensor>(target, None, None, Reduction::Mean)
                    }
                    LossKind::Bce => {
                        check_probabilities(output)?;
                        output.binary_cross_entropy::<Tensor>(target, None, Reduction::Mean)
                    }
                    LossKind::L1 => output.l1_loss(target, Reduction::Mean),
                    LossKind::Huber => output.huber_loss(target, Reduction::Mean, 1.0),
                    _ => output.mse_loss(target, Reduction::Mean),
                })
            }
        }
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

    /// Share of the rows that are predicted rightly; `None` for regression.
    #[must_use]
    pub fn accuracy(&self, outputs: &Outputs, batch: &Batch) -> Option<f64> {
        let (output, target) = (outputs.main(), batch.y());
        let right = match self.kind.task() {
            Task::Regression => return None,
            Task::Multiclass => output.argmax(1, false).eq_tensor(target),
            Task::Binary => {
                let threshold = if self.kind == LossKind::Bce { 0.5 } else { 0.0 };
                output.gt(threshold).eq_tensor(&target.reshape_as(output).gt(0.5))
            }
        };
        Some(right.to_kind(Kind::Double).mean(Kind::Double).double_value(&[]))
    }

    /// Outputs that know nothing, in the shape of `outputs`: zeros (as logits, for a classifier).
    #[must_use]
    pub fn know_nothing(&self, outputs: &Outputs) -> Outputs {
        outputs.map(|output| match self.kind {
            // Probabilities and log-probabilities have no zero logits of their own: the uniform distribution.
            LossKind::Bce => output.full_like(0.5),
            LossKind::Nll => output.zeros_like().log_softmax(1, output.kind()),
            _ => output.zeros_like(),
        })
    }

    fn check_classes(&self, output: &Tensor, target: &Tensor, classes: Option<usize>) -> Result<(), SubjectError> {
        let (size, rows) = (output.size(), target.size()[0]);
        if size.len() != 2 || size[0] != rows {
            return Err(SubjectError::new(format!(
                "the model puts out {size:?} for a batch of {rows} rows, but `{}` wants [{rows}, classes]",
                self.name()
            ))
            .help(if size.len() > 2 {
                "put `flatten` before the last layer, or pool the axes behind the classes away"
            } else {
                "let the model keep the batch axis first and put the classes on the second"
            }));
        }
        let k = classes.unwrap_or(0);
        if usize::try_from(size[1]).unwrap_or(0) < k {
            return Err(SubjectError::new(format!(
                "the model puts out {} values for each example, but the data has {k} classes",
                size[1]
            ))
            .help(format!("give the last layer {k} outputs"))
            .help("or check the target column: `classes` in [data] says how many there are meant to be"));
        }
        Ok(())
    }

    /// The target in the output's shape: `[n]` for `[n, 1]` and the other way round, and nothing else.
    fn as_output(&self, output: &Tensor, target: &Tensor) -> Result<Tensor, SubjectError> {
        let (o, t) = (output.size(), target.size());
        if o.first() == t.first() && output.numel() == target.numel() {
            return Ok(target.reshape_as(output));
        }
        Err(SubjectError::new(format!(
            "the model puts out {o:?}, but the targets are {t:?}: `{}` wants as many outputs as targets",
            self.name()
        ))
        .help(format!("give the last layer {} output(s)", t.get(1).copied().unwrap_or(1))))
    }

    fn name(&self) -> &'static str {
        match self.kind {
            LossKind::CrossEntropy => "cross_entropy",
            LossKind::BceWithLogits => "bce_with_logits",
            LossKind::Bce => "bce",
            LossKind::Nll => "nll",
            LossKind::Mse => "mse",
            LossKind::L1 => "l1",
            LossKind::Huber => "huber",
        }
    }
}

/// libtorch aborts the whole computation with a terse assertion where `bce` is given logits.
fn check_probabilities(output: &Tensor) -> Result<(), SubjectError> {
    let outside = output.lt(0.0).logical_or(&output.gt(1.0)).any().int64_value(&[]) != 0;
    if outside {
        return Err(SubjectError::new("`bce` wants probabilities, but the model puts out values outside [0, 1]")
            .help("use `bce_with_logits`, or put a sigmoid on the last layer"));
    }
    Ok(())
}
