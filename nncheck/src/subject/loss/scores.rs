//! The one number of an output that attributions are of.

use nncheck_core::spec::loss::{LossKind, Task};
use tch::{Kind, Tensor};

use super::term;
use crate::subject::{Program, SubjectError};
use crate::user::{Batch, Outputs};

/// What can be differentiated of one row's outputs.
#[derive(Debug)]
pub(crate) struct Scores {
    /// The logit of the true class, or the output itself; `None` where the row has no label.
    pub(crate) of_target: Option<Score>,
    /// The largest logit, or the output itself.
    pub(crate) of_prediction: Score,
}

/// A scalar, connected to what it was computed from.
#[derive(Debug)]
pub(crate) struct Score {
    pub(crate) value: Tensor,
    /// The class that it is of, where it is of exactly one.
    pub(crate) class: Option<usize>,
}

impl Scores {
    /// Of one row, by the first term of the program's loss.
    ///
    /// # Errors
    /// When output and target do not suit each other.
    pub(crate) fn of(program: &Program<'_>, outputs: &Outputs, batch: &Batch) -> Result<Self, SubjectError> {
        let Some(term) = program.loss().and_then(|loss| loss.terms.first()) else {
            return Ok(Self::guessed(outputs.main(), batch.targets().first(), None));
        };
        let output = term.output(outputs)?;
        match term.kind() {
            Some(kind) if kind.task() == Task::Multiclass => {
                let target = term.target(batch)?;
                Self::of_classes(term.class_axis(output, target)?, output, target, Some(term.ignore_index()))
            }
            Some(_) => Ok(Self::whole(output)),
            // A function of the user's own may do without a target.
            None => Ok(Self::guessed(output, term.target(batch).ok(), Some(term.ignore_index()))),
        }
    }

    /// Class ids are held against one output a class; all else are numbers.
    fn guessed(output: &Tensor, target: Option<&Tensor>, ignored: Option<i64>) -> Self {
        let of_classes = target.filter(|target| target.kind() == Kind::Int64).and_then(|target| {
            let axis = term::class_axis(LossKind::CrossEntropy, output, target, None).ok()?;
            Self::of_classes(axis, output, target, ignored).ok()
        });
        of_classes.unwrap_or_else(|| Self::whole(output))
    }

    fn whole(output: &Tensor) -> Self {
        let score = || Score { value: output.sum(output.kind()), class: None };
        Self { of_target: Some(score()), of_prediction: score() }
    }

    fn of_classes(axis: i64, output: &Tensor, target: &Tensor, ignored: Option<i64>) -> Result<Self, SubjectError> {
        let logits = output.movedim_int(axis, -1);
        let classes = logits.size().last().copied().unwrap_or(0);
        let (logits, labels) = (logits.reshape([-1, classes]), target.reshape([-1]));
        let labelled = match ignored {
            Some(ignored) => labels.ne(ignored),
            None => labels.ones_like().to_kind(Kind::Bool),
        };
        let (true_logits, labels) = (logits.index(&[Some(labelled.shallow_clone())]), labels.masked_select(&labelled));
        let outside = labels.lt(0).logical_or(&labels.ge(classes));
        if classes == 0 || outside.any().int64_value(&[]) != 0 {
            return Err(SubjectError::new(format!("a label is none of the {classes} classes that the model puts out"))
                .help("give the last layer as many outputs as there are classes"));
        }
        let predicted = logits.argmax(1, false);
        let summed = |logits: &Tensor, classes: &Tensor| Score {
            value: logits.gather(1, &classes.unsqueeze(1), false).sum(logits.kind()),
            class: (classes.numel() == 1).then(|| usize::try_from(classes.int64_value(&[0])).unwrap_or(0)),
        };
        Ok(Self {
            of_target: (labels.numel() > 0).then(|| summed(&true_logits, &labels)),
            of_prediction: summed(&logits, &predicted),
        })
    }
}
