//! An independent reference of the losses in double precision, and what each of the usual mistakes would make of the
//! same outputs and targets. It shares no code with libtorch.

mod faults;
mod outputs;

use crate::judge::number::count;
use ndarray::{ArrayD, Axis, Zip};

use crate::spec::loss::{ClassAxis, LossKind, Reduction, Task, Term};

pub use faults::{Fault, faulty};
pub use outputs::{Outputs, try_out};

/// What a loss of this kind and these options is.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Which loss.
    pub kind: LossKind,
    /// Summed instead of averaged.
    pub sum: bool,
    /// Weight of each class.
    pub class_weights: Option<Vec<f64>>,
    /// Which axis holds the classes, where it is stated.
    pub class_axis: Option<ClassAxis>,
    /// The class id that does not count.
    pub ignore_index: i64,
    /// Share of the target that is spread over all classes.
    pub label_smoothing: f64,
    /// Where the Huber loss turns from square to straight.
    pub delta: f64,
}

/// What outputs are held against.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Class ids.
    Ids(ArrayD<i64>),
    /// Numbers.
    Values(ArrayD<f64>),
}

impl Reference {
    /// A loss of this kind with PyTorch's defaults.
    #[must_use]
    pub fn new(kind: LossKind) -> Self {
        Self {
            kind,
            sum: false,
            class_weights: None,
            class_axis: None,
            ignore_index: -100,
            label_smoothing: 0.0,
            delta: 1.0,
        }
    }

    /// The loss that a term of a spec is of, before weighting; `None` where it names no kind.
    #[must_use]
    pub fn of(term: &Term) -> Option<Self> {
        Some(Self {
            kind: term.kind?,
            sum: term.reduction == Reduction::Sum,
            class_weights: term.class_weights.as_ref().map(|weights| weights.value.clone()),
            class_axis: term.class_axis,
            ignore_index: term.ignore_index,
            label_smoothing: term.label_smoothing,
            delta: term.delta,
        })
    }

    /// The loss of `output` against `target`, without regularisation.
    ///
    /// # Errors
    /// When they do not suit each other, in words.
    pub fn loss(&self, output: &ArrayD<f64>, target: &Target) -> Result<f64, String> {
        Ok(self.reduced(&self.elements(output, target)?))
    }

    /// The axis of the classes.
    fn axis(&self, output: &ArrayD<f64>, ids: &ArrayD<i64>) -> Option<usize> {
        class_axis(output.shape(), ids.shape(), self.class_axis)
    }

    fn reduced(&self, elements: &Elements) -> f64 {
        if self.sum { elements.sum } else { elements.sum / elements.weight }
    }

    fn elements(&self, output: &ArrayD<f64>, target: &Target) -> Result<Elements, String> {
        match (self.kind.task(), target) {
            (Task::Multiclass, Target::Ids(ids)) => {
                let axis = self.axis(output, ids).ok_or_else(|| apart(output.shape(), ids.shape()))?;
                let logs = if self.kind == LossKind::Nll { output.clone() } else { log_softmax(output, axis) };
                self.picked(&logs, ids, axis)
            }
            (Task::Binary | Task::Regression, Target::Values(values)) => {
                let values = aligned(output, values).ok_or_else(|| apart(output.shape(), values.shape()))?;
                let mut sum = 0.0;
                Zip::from(output).and(&values).for_each(|&o, &t| sum += self.element(o, t));
                Ok(Elements { sum, weight: count(output.len()) })
            }
            _ => Err(format!("targets of another sort than `{:?}` takes", self.kind)),
        }
    }

    /// Minus the entries of `logs` at the class ids, weighted and smoothed.
    fn picked(&self, logs: &ArrayD<f64>, ids: &ArrayD<i64>, axis: usize) -> Result<Elements, String> {
        let mut seen = Elements { sum: 0.0, weight: 0.0 };
        let smoothing = if self.kind == LossKind::Nll { 0.0 } else { self.label_smoothing };
        for (lane, &id) in logs.lanes(Axis(axis)).into_iter().zip(ids) {
            if id == self.ignore_index {
                continue;
            }
            let weight = |class: usize| match &self.class_weights {
                Some(weights) => weights.get(class).copied().unwrap_or(f64::NAN),
                None => 1.0,
            };
            let class = usize::try_from(id).ok().filter(|&class| class < lane.len());
            let class = class.ok_or_else(|| format!("the class id {id} has no output"))?;
            seen.sum -= (1.0 - smoothing) * weight(class) * lane[class];
            if smoothing > 0.0 {
                let all: f64 = lane.iter().enumerate().map(|(class, log)| weight(class) * log).sum();
                seen.sum -= smoothing / count(lane.len()) * all;
            }
            seen.weight += weight(class);
        }
        Ok(seen)
    }

    fn element(&self, output: f64, target: f64) -> f64 {
        let difference = output - target;
        match self.kind {
            LossKind::BceWithLogits => output.max(0.0) - output * target + (-output.abs()).exp().ln_1p(),
            // As PyTorch's: a logarithm is no lower than -100.
            LossKind::Bce => -(target * output.ln().max(-100.0) + (1.0 - target) * (-output).ln_1p().max(-100.0)),
            LossKind::L1 => difference.abs(),
            LossKind::Huber if difference.abs() > self.delta => self.delta * (difference.abs() - 0.5 * self.delta),
            LossKind::Huber => 0.5 * difference * difference,
            _ => difference * difference,
        }
    }
}

/// The sum over all elements, and what it is divided by for the mean.
struct Elements {
    sum: f64,
    weight: f64,
}

/// The axis of the classes: the stated one; else the second, as in PyTorch, else the last, as language models have it.
#[must_use]
pub fn class_axis(output: &[usize], ids: &[usize], stated: Option<ClassAxis>) -> Option<usize> {
    let without = |axis: usize| {
        let mut rest = output.to_vec();
        rest.remove(axis);
        rest
    };
    if output.len() != ids.len() + 1 || output.len() < 2 {
        return None;
    }
    let either = [(ClassAxis::Second, 1), (ClassAxis::Last, output.len() - 1)].into_iter();
    let meant = either.filter(|(axis, _)| stated.is_none_or(|stated| stated == *axis));
    meant.map(|(_, axis)| axis).find(|&axis| without(axis) == ids)
}

/// Targets in the outputs' shape: `[n]` for `[n, 1]` and the other way round, and nothing else.
fn aligned(output: &ArrayD<f64>, values: &ArrayD<f64>) -> Option<ArrayD<f64>> {
    let fits = output.len() == values.len() && output.shape().first() == values.shape().first();
    fits.then(|| values.to_shape(output.shape()).ok().map(|v| v.to_owned())).flatten()
}

fn log_softmax(x: &ArrayD<f64>, axis: usize) -> ArrayD<f64> {
    let mut logs = x.clone();
    for mut lane in logs.lanes_mut(Axis(axis)) {
        let top = lane.fold(f64::NEG_INFINITY, |top, &v| top.max(v));
        let norm = top + lane.fold(0.0, |sum: f64, &v| sum + (v - top).exp()).ln();
        lane.mapv_inplace(|v| v - norm);
    }
    logs
}

fn apart(output: &[usize], target: &[usize]) -> String {
    format!("outputs {output:?} do not suit targets {target:?}")
}

#[cfg(test)]
mod tests;
