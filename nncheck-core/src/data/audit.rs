//! What can be said of prepared data without a model: scale, constant features, classes, rows in both shares, order.

mod neighbours;

use std::collections::HashMap;

use super::points::fingerprint;
use super::{Array, Batches, Dataset};
use crate::measurement::data::{Classes, Data, DataAsk, Feature};

/// Looks at data; `batches` is the order of training from its beginning.
#[must_use]
pub fn audit(dataset: &Dataset, batches: Batches, ask: &DataAsk) -> Data {
    let quantities: Vec<&Array> = dataset.inputs.iter().filter(|input| !input.values.is_ids()).collect();
    let features: Vec<Column> = quantities.iter().flat_map(|input| columns(input, dataset)).collect();
    let constant = features.iter().filter(|f| f.constant).map(|f| f.name.clone()).collect();
    let largest = features.iter().max_by(|a, b| a.size.total_cmp(&b.size));
    let (in_both, distinct) = rows_in_both(dataset);
    Data {
        facts: dataset.facts.clone(),
        cannot: None,
        features: features.len(),
        constant,
        largest: largest.map(|f| Feature { name: f.name.clone(), size: f.size }),
        normalised_by_model: false,
        classes: classes(dataset),
        in_both,
        distinct,
        repeated_batches: repeated_batches(batches),
        centre: centre(&features),
        agreement: neighbours::agreement(dataset, &quantities, ask),
    }
}

/// One input feature.
struct Column {
    name: String,
    /// Whether all training rows have the same.
    constant: bool,
    /// Root mean square over the training rows.
    size: f64,
    /// Mean over the training rows, in standard deviations of all rows.
    train_mean: f64,
    /// Mean over all rows, in their standard deviations.
    mean: f64,
    /// Standard deviation of all rows.
    deviation: f64,
}

fn columns(input: &Array, dataset: &Dataset) -> Vec<Column> {
    let width = input.row_len();
    let all: Vec<usize> = dataset.train.iter().chain(dataset.validation.iter().flatten()).copied().collect();
    let means = |rows: &[usize], f: &dyn Fn(usize, f64) -> f64| {
        let mut sums = vec![0.0; width];
        input.values.for_each(rows, width, |column, v| sums[column] += f(column, v));
        sums.iter().map(|sum| sum / rows.len().max(1) as f64).collect::<Vec<f64>>()
    };
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); width];
    input.values.for_each(&dataset.train, width, |column, v| {
        let (low, high) = &mut ranges[column];
        (*low, *high) = (low.min(v), high.max(v));
    });
    let train_means = means(&dataset.train, &|_, v| v);
    let squares = means(&dataset.train, &|_, v| v * v);
    let centres = means(&all, &|_, v| v);
    let variances = means(&all, &|column, v| (v - centres[column]).powi(2));
    let column = |c: usize| {
        let deviation = variances[c].sqrt();
        let unit = if deviation > 0.0 { deviation } else { 1.0 };
        Column {
            name: feature_name(input, c),
            constant: ranges[c].0 >= ranges[c].1,
            size: squares[c].sqrt(),
            train_mean: train_means[c] / unit,
            mean: centres[c] / unit,
            deviation,
        }
    };
    (0..width).map(column).collect()
}

/// `x[3]`, `x[0, 4, 5]`: a place in an example.
fn feature_name(input: &Array, mut column: usize) -> String {
    let mut place = Vec::new();
    for &size in input.shape.iter().rev() {
        place.push((column % size.max(1)).to_string());
        column /= size.max(1);
    }
    place.reverse();
    format!("{}[{}]", input.name, place.join(", "))
}

/// How far all rows are from zero over how far the training rows are, in the feature in which they are farthest: nearly nothing
/// where statistics of all rows were taken away. `None` where the features do not look as if they had been standardised.
fn centre(features: &[Column]) -> Option<f64> {
    /// Whoever divides by n and whoever divides by n - 1 mean the same.
    const NEAR_ONE: f64 = 0.02;
    /// Less than this may be chance: both shares have the same mean.
    const LEAST: f64 = 1e-4;
    let spread: Vec<&Column> = features.iter().filter(|f| !f.constant).collect();
    let standard = !spread.is_empty() && spread.iter().all(|f| (f.deviation - 1.0).abs() < NEAR_ONE);
    let farthest = |of: fn(&Column) -> f64| spread.iter().map(|f| of(f).abs()).fold(0.0, f64::max);
    let (train, all) = (farthest(|f| f.train_mean), farthest(|f| f.mean));
    (standard && train > LEAST).then(|| all / train)
}

/// Shares of the classes, where each row is of one.
fn classes(dataset: &Dataset) -> Option<Classes> {
    let k = dataset.facts.classes?;
    let target = dataset.targets.first().filter(|target| target.row_len() == 1)?;
    let shares = |rows: &[usize]| {
        let mut counts = vec![0_usize; k];
        target.values.for_each(rows, 1, |_, v| {
            if let Some(n) = counts.get_mut(v as usize) {
                *n += 1;
            }
        });
        counts
    };
    Some(Classes {
        training: shares(&dataset.train),
        validation: dataset.validation.as_deref().map(shares).unwrap_or_default(),
    })
}

/// How many validation rows have the same inputs as some training row, and how many different inputs there are.
fn rows_in_both(dataset: &Dataset) -> (usize, usize) {
    let mut seen: HashMap<u64, ()> = HashMap::new();
    for &row in &dataset.train {
        seen.insert(fingerprint(&dataset.inputs, row), ());
    }
    let validation = dataset.validation.as_deref().unwrap_or_default();
    let both = validation.iter().filter(|&&row| seen.contains_key(&fingerprint(&dataset.inputs, row))).count();
    for &row in validation {
        seen.insert(fingerprint(&dataset.inputs, row), ());
    }
    (both, seen.len())
}

/// The share of the second epoch's batches that are the first's, place by place; `None` where an epoch is one batch.
fn repeated_batches(mut batches: Batches) -> Option<f64> {
    let steps = batches.per_epoch();
    if steps < 2 {
        return None;
    }
    let mut epoch = || batches.by_ref().take(steps).collect::<Vec<_>>();
    let (first, second) = (epoch(), epoch());
    let same = first.iter().zip(&second).filter(|(a, b)| a == b).count();
    Some(same as f64 / steps as f64)
}

#[cfg(test)]
#[path = "audit/tests.rs"]
mod tests;
