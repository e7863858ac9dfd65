//! What a model predicts, as plain numbers.

use nncheck_core::metric::Predictions;
use nncheck_core::spec::loss::LossKind;
use tch::{Kind, Tensor};

use super::LossFunction;
use crate::subject::SubjectError;
use crate::tensors::{shape, values};
use crate::user::{Batch, Outputs};

impl LossFunction {
    /// The predictions of the first term of the loss. Where it names no kind, class ids are held against one output a class,
    /// and all else are numbers.
    ///
    /// # Errors
    /// When output and target do not suit each other.
    pub(crate) fn predictions(&self, outputs: &Outputs, batch: &Batch) -> Result<Predictions, SubjectError> {
        let term = self.terms.first().ok_or_else(|| SubjectError::new("the loss has no terms"))?;
        let (output, target) = (term.output(outputs)?, term.target(batch)?);
        let ids = target.kind() == Kind::Int64 && output.dim() == target.dim() + 1;
        let kind = term.kind().unwrap_or(if ids { LossKind::CrossEntropy } else { LossKind::Mse });
        match kind {
            LossKind::CrossEntropy | LossKind::Nll => {
                let axis = term.class_axis(output, target)?;
                let scores = output.movedim_int(axis, -1);
                let classes = scores.size().last().copied().unwrap_or(0);
                let counts = target.ne(term.ignore_index()).reshape([-1]);
                let scores = scores.reshape([-1, classes]).index(&[Some(counts.shallow_clone())]);
                let labels: Vec<i64> = values(&target.reshape([-1]).masked_select(&counts), Kind::Int64);
                let classes = usize::try_from(classes).unwrap_or(0);
                let labels: Vec<usize> = labels.into_iter().map(|l| usize::try_from(l).unwrap_or(usize::MAX)).collect();
                if let Some(class) = labels.iter().find(|&&label| label >= classes) {
                    return Err(SubjectError::new(format!(
                        "a label is {class}, and the model puts out {classes} classes"
                    ))
                    .help("give the last layer as many outputs as there are classes"));
                }
                Ok(Predictions::Classes { classes, scores: values(&scores, Kind::Double), labels })
            }
            LossKind::Bce | LossKind::BceWithLogits => {
                let mut logits: Vec<f64> = values(output, Kind::Double);
                if kind == LossKind::Bce {
                    logits.iter_mut().for_each(|p| *p = (*p / (1.0 - *p)).ln());
                }
                let labels = values::<f64>(target, Kind::Double).into_iter().map(|y| y > 0.5).collect();
                same(output, target, Predictions::Binary { logits, labels })
            }
            LossKind::Mse | LossKind::L1 | LossKind::Huber => {
                let columns = shape(target).iter().skip(1).product();
                let (predicted, actual) = (values(output, Kind::Double), values(target, Kind::Double));
                same(output, target, Predictions::Numbers { columns, predicted, actual })
            }
        }
    }
}

fn same(output: &Tensor, target: &Tensor, predictions: Predictions) -> Result<Predictions, SubjectError> {
    if output.numel() == target.numel() {
        return Ok(predictions);
    }
    Err(SubjectError::new(format!(
        "the model puts out {:?} for targets {:?}: a metric wants as many outputs as targets",
        output.size(),
        target.size()
    )))
}
