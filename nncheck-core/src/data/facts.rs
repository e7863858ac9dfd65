//! What the prepared data says by itself.

use super::{Array, Values};
use crate::measurement::DataFacts;

pub(super) fn facts(
    inputs: &[Array],
    targets: &[Array],
    train: &[usize],
    validation: usize,
    classes: Option<usize>,
) -> DataFacts {
    // Tokens are names, not quantities.
    let quantities: Vec<&Array> = inputs.iter().filter(|input| !input.values.is_ids()).collect();
    let input = mean_and_variance(&quantities, train);
    let first = targets.first();
    let target = first.filter(|target| !target.values.is_ids()).and_then(|t| mean_and_variance(&[t], train));
    let mut most = None;
    for input in &quantities {
        input
            .values
            .for_each(train, input.row_len(), |_, v| most = Some(most.map_or(v.abs(), |m: f64| m.max(v.abs()))));
    }
    DataFacts {
        examples: train.len(),
        validation_examples: validation,
        classes,
        priors: match (classes, first) {
            (Some(k), Some(target)) => priors(target, train, k),
            _ => Vec::new(),
        },
        target_mean: target.map(|(mean, _)| mean),
        target_variance: target.map(|(_, variance)| variance),
        input_mean: input.map(|(mean, _)| mean),
        input_std: input.map(|(_, variance)| variance.sqrt()),
        input_max_abs: most,
    }
}

/// Mean and variance (divisor n) of all numbers of some rows, in two passes; `None` of nothing.
fn mean_and_variance(arrays: &[&Array], rows: &[usize]) -> Option<(f64, f64)> {
    let mean = average(arrays, rows, |v| v)?;
    let variance = average(arrays, rows, |v| (v - mean) * (v - mean))?;
    Some((mean, variance))
}

fn average(arrays: &[&Array], rows: &[usize], term: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut n, mut sum) = (0_usize, 0.0);
    for array in arrays {
        n += rows.len() * array.row_len();
        array.values.for_each(rows, array.row_len(), |_, v| sum += term(v));
    }
    (n > 0).then(|| sum / n as f64)
}

/// Share of each of `k` classes among the targets of some rows.
fn priors(target: &Array, rows: &[usize], k: usize) -> Vec<f64> {
    let mut counts = vec![0_usize; k];
    let mut all = 0_usize;
    let ids = matches!(target.values, Values::I64(_));
    target.values.for_each(rows, target.row_len(), |_, v| {
        all += 1;
        // Ids were found to be whole numbers from 0 when they were read.
        let class = if ids { v as usize } else { usize::from(v > 0.5) };
        if let Some(n) = counts.get_mut(class) {
            *n += 1;
        }
    });
    counts.into_iter().map(|n| n as f64 / all.max(1) as f64).collect()
}
