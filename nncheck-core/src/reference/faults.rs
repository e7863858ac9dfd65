//! What the usual mistakes make of a loss.

use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

use super::{Reference, Target, aligned, count, log_softmax};
use crate::spec::loss::{LossKind, Task};

/// A mistake in a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// The softmax runs over another axis than the classes.
    WrongAxis,
    /// Every output is held against every target.
    Broadcast,
    /// The sign is flipped.
    Sign,
    /// Summed where it should be averaged.
    Summed,
    /// Averaged where it should be summed.
    Averaged,
    /// Summed over the targets of a row, averaged over the rows only.
    OverRows,
    /// Divided by the number of classes too.
    OverClasses,
    /// A softmax or a sigmoid stands before a loss that has its own.
    SquashedTwice,
    /// The softmax is missing: outputs are taken for logarithms of probabilities.
    NoSoftmax,
    /// The logarithm is missing: probabilities are taken for their logarithms.
    NoLogarithm,
    /// The square root of the mean of the squares.
    Root,
    /// It is the loss of this kind.
    Kind(LossKind),
    /// The class weights do not count.
    NoClassWeights,
    /// The labels are not smoothed.
    NoSmoothing,
    /// The class id that does not count, counts.
    NothingIgnored,
}

/// What each mistake that can be made with this loss makes of these outputs and targets.
#[must_use]
pub fn faulty(reference: &Reference, output: &ArrayD<f64>, target: &Target) -> Vec<(Fault, f64)> {
    let Ok(elements) = reference.elements(output, target) else { return Vec::new() };
    let right = reference.reduced(&elements);
    let rows = count(output.shape().first().copied().unwrap_or(1));
    let mut all = vec![(Fault::Sign, -right)];
    if reference.sum {
        all.push((Fault::Averaged, elements.sum / elements.weight));
    } else {
        all.push((Fault::Summed, elements.sum));
        if rows < elements.weight {
            all.push((Fault::OverRows, elements.sum / rows));
        }
    }
    match target {
        Target::Ids(ids) => classes(reference, output, ids, right, &mut all),
        Target::Values(values) => numbers(reference, output, values, &mut all),
    }
    all.retain(|(_, value)| value.is_finite());
    all
}

fn classes(reference: &Reference, output: &ArrayD<f64>, ids: &ArrayD<i64>, right: f64, all: &mut Vec<(Fault, f64)>) {
    let Some(axis) = reference.axis(output, ids) else { return };
    let mut add = |fault, reference: &Reference, logs: &ArrayD<f64>| {
        if let Ok(elements) = reference.picked(logs, ids, axis) {
            all.push((fault, reference.reduced(&elements)));
        }
    };
    let logs = if reference.kind == LossKind::Nll { output.clone() } else { log_softmax(output, axis) };
    if reference.kind == LossKind::CrossEntropy {
        for other in (0..output.ndim()).filter(|&other| other != axis) {
            add(Fault::WrongAxis, reference, &log_softmax(output, other));
        }
        add(Fault::SquashedTwice, reference, &log_softmax(&logs.exp(), axis));
        add(Fault::NoSoftmax, reference, output);
        add(Fault::NoLogarithm, reference, &logs.exp());
    } else {
        add(Fault::NoLogarithm, reference, &output.exp());
    }
    let plain = Reference { class_weights: None, ..reference.clone() };
    if reference.class_weights.is_some() {
        add(Fault::NoClassWeights, &plain, &logs);
    }
    if reference.label_smoothing > 0.0 {
        add(Fault::NoSmoothing, &Reference { label_smoothing: 0.0, ..reference.clone() }, &logs);
    }
    if ids.iter().any(|&id| id == reference.ignore_index) && reference.ignore_index >= 0 {
        add(Fault::NothingIgnored, &Reference { ignore_index: i64::MIN, ..reference.clone() }, &logs);
    }
    all.push((Fault::OverClasses, right / count(output.shape()[axis])));
}

fn numbers(reference: &Reference, output: &ArrayD<f64>, values: &ArrayD<f64>, all: &mut Vec<(Fault, f64)>) {
    let Some(values) = aligned(output, values) else { return };
    let mean = |f: &dyn Fn(f64, f64) -> f64| {
        output.iter().zip(&values).map(|(&o, &t)| f(o, t)).sum::<f64>() / count(output.len())
    };
    if output.len() == output.shape()[0] && output.len() > 1 {
        let pairs = output.iter().flat_map(|&o| values.iter().map(move |&t| (o, t)));
        let sum: f64 = pairs.map(|(o, t)| reference.element(o, t)).sum();
        all.push((Fault::Broadcast, sum / count(output.len() * output.len())));
    }
    if reference.kind == LossKind::BceWithLogits {
        all.push((Fault::SquashedTwice, mean(&|o, t| reference.element(1.0 / (1.0 + (-o).exp()), t))));
    }
    if reference.kind.task() == Task::Regression {
        for kind in [LossKind::Mse, LossKind::L1, LossKind::Huber].into_iter().filter(|&kind| kind != reference.kind) {
            all.push((Fault::Kind(kind), mean(&|o, t| Reference::new(kind).element(o, t))));
        }
        all.push((Fault::Root, mean(&|o, t| (o - t).powi(2)).sqrt()));
    }
}
