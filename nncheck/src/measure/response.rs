//! How a model's outputs answer to its inputs.

use nncheck_core::measurement::response::{Response, ResponseAsk};
use nncheck_core::measurement::trace::LayerSeen;
use tch::Tensor;

use super::forward::{self, Forward, Stop, difference, largest, nothing, or_nothing, rms, spread};
use crate::observe::Activation;
use crate::subject::{Program, SubjectError};
use crate::user::{Batch, Named};

/// No more features than this are changed one by one.
const FEATURES: i64 = 1024;

/// Changes inputs, and looks at what is put out for them.
pub(super) fn measure(program: &Program<'_>, ask: &ResponseAsk) -> Result<Response, SubjectError> {
    let measured = forward::connected(program, |model| look(model, ask));
    or_nothing(measured, |cannot| Response { cannot, ..Response::default() })
}

fn look(model: &Forward<'_, '_>, ask: &ResponseAsk) -> Result<Response, Stop> {
    let rows = model.row_count(ask.rows, 2)?;
    let (a, b) = (model.rows(&range(0, rows)), model.rows(&range(rows, rows)));
    let both: Vec<bool> = a.inputs().iter().zip(b.inputs().iter()).map(|((_, a), (_, b))| !a.equal(b)).collect();
    if !both.contains(&true) {
        return nothing("all rows of the data are alike");
    }
    let outputs = model.by_row(&a)?;
    let variation = outputs.iter().map(|(_, o)| relative(o)).fold(0.0, f64::max);
    let activations = model.layers(&a)?;
    let seen = |a: &Activation| LayerSeen { name: a.layer.clone(), operator: a.operator.clone() };
    let mut result = Response {
        precise: model.is_precise(),
        variation,
        depth: model.depth(&a)?,
        layers: activations.iter().map(seen).collect(),
        ..Response::default()
    };
    if variation == 0.0 {
        let lost = lost(model, rows)?;
        result.dead = lost.as_ref().is_some_and(|a| a.statistics.zero_fraction >= 1.0 && rectifies(&a.operator));
        result.lost = lost.as_ref().map(seen);
        return Ok(result);
    }
    let spreads = Forward::spreads(&outputs)?;
    for ((name, input), differs) in a.inputs().iter().zip(both) {
        let by = if differs { Some(change(model, &a, &b, &outputs, &spreads, (name, None))?) } else { None };
        let features = if ask.features && input.dim() == 2 && input.is_floating_point() { input.size()[1] } else { 1 };
        if (2..=FEATURES).contains(&features) {
            for feature in 0..features {
                let column = |batch: &Batch| batch.input(name).select(1, feature);
                let by = if column(&a).equal(&column(&b)) {
                    None
                } else {
                    Some(change(model, &a, &b, &outputs, &spreads, (name, Some(feature)))?)
                };
                result.inputs.push((format!("{name}[{feature}]"), by));
            }
        } else {
            result.inputs.push((name.to_owned(), by));
        }
    }
    if a.inputs().iter().all(|(_, input)| input.is_floating_point()) {
        result.bend = bend(model, &a, &b, &outputs)?;
    }
    Ok(result)
}

fn range(start: usize, count: usize) -> Vec<usize> {
    (start..start + count).collect()
}

/// The spread of an output over its size.
fn relative(output: &Tensor) -> f64 {
    let spread = spread(output);
    if spread == 0.0 { 0.0 } else { spread / rms(output) }
}

/// What changes when one input, or one feature of it, is that of other rows.
fn change(
    model: &Forward<'_, '_>,
    a: &Batch,
    b: &Batch,
    outputs: &Named,
    spreads: &[f64],
    (name, feature): (&str, Option<i64>),
) -> Result<f64, Stop> {
    let mut inputs = a.inputs().clone();
    let changed = match feature {
        None => b.input(name).shallow_clone(),
        Some(feature) => {
            let changed = a.input(name).copy();
            changed.select(1, feature).copy_(&b.input(name).select(1, feature));
            changed
        }
    };
    inputs.insert(name, changed);
    let changed = model.by_row(&Batch::of(inputs, a.targets().clone()))?;
    Ok(difference(outputs, &changed, spreads))
}

/// How far the outputs of mixed inputs are from the mixed outputs.
fn bend(model: &Forward<'_, '_>, a: &Batch, b: &Batch, of_a: &Named) -> Result<Option<f64>, Stop> {
    let mix = |a: &Tensor, b: &Tensor| a * 0.3 + b * 0.7;
    let mixed = a.inputs().iter().zip(b.inputs().iter()).map(|((name, a), (_, b))| (name, mix(a, b))).collect();
    let of_b = model.by_row(b)?;
    let of_mixed = model.by_row(&Batch::of(mixed, a.targets().clone()))?;
    let mut worst = None;
    for (name, of_a) in of_a.iter() {
        let (Some(of_b), Some(of_mixed)) = (of_b.get(name), of_mixed.get(name)) else { continue };
        let apart = largest(&(of_a - of_b));
        if apart > 0.0 {
            let by = largest(&(of_mixed - mix(of_a, of_b))) / apart;
            worst = Some(f64::max(by, worst.unwrap_or(0.0)));
        }
    }
    Ok(worst)
}

/// The first layer that puts out the same for different rows, where all that follow do.
fn lost(model: &Forward<'_, '_>, rows: usize) -> Result<Option<Activation>, Stop> {
    // A batch of one row over and over has that row's statistics.
    let of = |row: usize| model.layers(&model.rows(&vec![row; rows]));
    let first = of(0)?;
    let mut same = vec![true; first.len()];
    for row in 1..rows.min(6) {
        let other = of(row)?;
        let equal = |a: &Activation, b: &Activation| {
            close(a.statistics.mean, b.statistics.mean) && close(a.statistics.std, b.statistics.std)
        };
        for (same, (a, b)) in same.iter_mut().zip(first.iter().zip(&other)) {
            *same &= equal(a, b);
        }
    }
    let from = same.iter().rposition(|same| !same).map_or(0, |last| last + 1);
    Ok(first.into_iter().nth(from))
}

/// Whether an operator cuts off what lies below zero.
fn rectifies(operator: &str) -> bool {
    ["relu", "gelu", "silu", "clamp", "threshold", "hardtanh"].iter().any(|word| operator.contains(word))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
}
