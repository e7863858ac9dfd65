//! Whether near examples have near labels.

use ndarray::{Array2, ArrayView1};

use crate::data::random::{Purpose, Stream};
use crate::data::{Array, Dataset};
use crate::measurement::data::{Agreement, DataAsk};

/// Fewer rows than this say nothing.
const LEAST: usize = 50;
/// Numbers looked at, at most.
const MOST: usize = 20_000_000;
/// How often the labels are shuffled, for what chance makes of them.
const PERMUTATIONS: u64 = 50;

/// How far the labels of each row's nearest neighbours agree with its own, beside what shuffled labels do; `None` where
/// there is nothing to compare.
pub(super) fn agreement(dataset: &Dataset, inputs: &[&Array], ask: &DataAsk) -> Option<Agreement> {
    let target = dataset.targets.first().filter(|target| target.row_len() == 1)?;
    let width: usize = inputs.iter().map(|input| input.row_len()).sum();
    let rows = dataset.train.get(..ask.rows.min(dataset.train.len()).min(MOST / width.max(1)))?;
    // Tokens beside quantities would be left out of the distance.
    if rows.len() < LEAST || width == 0 || inputs.len() < dataset.inputs.len() {
        return None;
    }
    let mut x = Array2::zeros((rows.len(), width));
    let mut start = 0;
    for input in inputs {
        for (at, &row) in rows.iter().enumerate() {
            input.values.for_each(&[row], input.row_len(), |column, v| x[(at, start + column)] = v);
        }
        start += input.row_len();
    }
    let near = nearest(&x, ask.neighbours);
    let mut labels: Vec<f64> = rows.iter().map(|&row| target.values.at(row)).collect();
    let of_classes = dataset.facts.classes.is_some();
    let seen = likeness(&near, &labels, of_classes);
    let mut shuffled = Vec::new();
    for permutation in 0..PERMUTATIONS {
        Stream::new(Purpose::Audit, 0, permutation).shuffle(&mut labels);
        shuffled.push(likeness(&near, &labels, of_classes));
    }
    let n = shuffled.len() as f64;
    let chance = shuffled.iter().sum::<f64>() / n;
    let deviation = (shuffled.iter().map(|v| (v - chance).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    (deviation > 0.0).then(|| Agreement { seen, chance, z: (seen - chance) / deviation })
}

/// The rows nearest to each row, nearest first.
fn nearest(x: &Array2<f64>, neighbours: usize) -> Vec<Vec<usize>> {
    let squares: Vec<f64> = x.rows().into_iter().map(|row: ArrayView1<'_, f64>| row.dot(&row)).collect();
    let products = x.dot(&x.t());
    let of = |row: usize| {
        let mut others: Vec<(f64, usize)> = (0..squares.len())
            .filter(|&other| other != row)
            .map(|other| (squares[other] - 2.0 * products[(row, other)], other))
            .collect();
        let count = neighbours.min(others.len());
        if count < others.len() {
            others.select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        }
        others[..count].iter().map(|(_, other)| *other).collect()
    };
    (0..squares.len()).map(of).collect()
}

/// Of classes, the share of neighbours of the same class; of numbers, minus the mean squared difference.
fn likeness(near: &[Vec<usize>], labels: &[f64], of_classes: bool) -> f64 {
    let pairs = near.iter().enumerate().flat_map(|(row, others)| others.iter().map(move |&other| (row, other)));
    let (mut n, mut sum) = (0.0, 0.0);
    for (row, other) in pairs {
        n += 1.0;
        let difference = labels[row] - labels[other];
        sum += if of_classes { f64::from(u8::from(difference == 0.0)) } else { -difference * difference };
    }
    sum / n
}
