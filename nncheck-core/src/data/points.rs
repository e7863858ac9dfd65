//! A handful of rows to learn by heart.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use ndarray::{Array2, ArrayView1};

use super::{Share, Targets};

/// Up to `n` rows whose targets are as different as can be: of class ids (and of binary targets) the first row of each
/// class, then the second of each, and so on; of real numbers values spread evenly from the least to the greatest.
/// Rows with the same inputs as an earlier one come last, for no model can tell them apart.
#[must_use]
pub fn pick_points(share: &Share, n: usize) -> Vec<usize> {
    let mut seen = HashSet::new();
    let (fresh, repeated): (Vec<usize>, Vec<usize>) =
        (0..share.len()).partition(|&row| seen.insert(bits(share.x.row(row))));
    let mut chosen = match &share.y {
        Targets::Classes(ids) => round_robin(&fresh, |row| ids[row]),
        Targets::Values(values) => {
            let distinct: HashSet<Vec<u64>> = fresh.iter().map(|&row| bits(values.row(row))).collect();
            if distinct.len() <= n {
                round_robin(&fresh, |row| bits(values.row(row)))
            } else {
                spread(&fresh, values, n)
            }
        }
    };
    chosen.extend(repeated);
    chosen.truncate(n);
    chosen
}

/// Numbers as something to compare and hash; both zeros are one.
fn bits(row: ArrayView1<'_, f64>) -> Vec<u64> {
    row.iter().map(|v| (v + 0.0).to_bits()).collect()
}

/// All `rows`: the first of each group in the order of the rows, then the second of each.
fn round_robin<T: Eq + Hash>(rows: &[usize], group: impl Fn(usize) -> T) -> Vec<usize> {
    let mut counts: HashMap<T, (usize, usize)> = HashMap::new();
    let mut ordered: Vec<(usize, usize, usize)> = Vec::with_capacity(rows.len());
    for &row in rows {
        let next_group = counts.len();
        let (group, round) = counts.entry(group(row)).or_insert((next_group, 0));
        ordered.push((*round, *group, row));
        *round += 1;
    }
    ordered.sort_unstable();
    ordered.into_iter().map(|(_, _, row)| row).collect()
}

/// `n` of the `rows`, whose distinct targets are spread over the sorted ones; `n` is less than there are distinct ones.
fn spread(rows: &[usize], values: &Array2<f64>, n: usize) -> Vec<usize> {
    let compare = |a: usize, b: usize| {
        let pairs = values.row(a).into_iter().zip(values.row(b));
        pairs.map(|(a, b)| a.total_cmp(b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    };
    let mut sorted = rows.to_vec();
    sorted.sort_by(|&a, &b| compare(a, b).then(a.cmp(&b)));
    sorted.dedup_by(|later, first| compare(*later, *first).is_eq());
    let last = sorted.len().saturating_sub(1);
    match n {
        0 => Vec::new(),
        1 => rows.first().copied().into_iter().collect(),
        _ => (0..n).filter_map(|i| sorted.get((i * last + (n - 1) / 2) / (n - 1)).copied()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn share(y: Targets, rows: usize) -> Share {
        let x = Array2::from_shape_fn((rows, 1), |(row, _)| row as f64);
        Share { x, y }
    }

    #[test]
    fn distinct_classes_come_first_and_then_the_next_of_each() {
        let share = share(Targets::Classes(vec![3, 3, 3, 1, 3, 1]), 6);
        assert_eq!(pick_points(&share, 2), [0, 3]);
        assert_eq!(pick_points(&share, 5), [0, 3, 1, 5, 2]);
        assert_eq!(pick_points(&share, 99).len(), 6);
    }

    #[test]
    fn binary_targets_alternate() {
        let share = share(Targets::Values(array![[1.0], [1.0], [0.0], [0.0]]), 4);
        assert_eq!(pick_points(&share, 2), [0, 2]);
        assert_eq!(pick_points(&share, 4), [0, 2, 1, 3]);
    }

    #[test]
    fn real_targets_are_spread_and_distinct() {
        let share = share(Targets::Values(array![[5.0], [1.0], [1.0], [9.0], [4.0], [2.0]]), 6);
        assert_eq!(pick_points(&share, 2), [1, 3]);
        assert_eq!(pick_points(&share, 3), [1, 4, 3]);
    }

    #[test]
    fn rows_with_equal_inputs_are_the_last_choice() {
        let x = array![[0.0], [0.0], [2.0], [3.0]];
        let share = Share { x, y: Targets::Classes(vec![0, 1, 1, 0]) };
        assert_eq!(pick_points(&share, 2), [0, 2]);
        assert_eq!(pick_points(&share, 4), [0, 2, 3, 1]);
    }

    #[test]
    fn nothing_is_picked_of_nothing() {
        assert!(pick_points(&share(Targets::Classes(vec![]), 0), 2).is_empty());
        assert!(pick_points(&share(Targets::Values(Array2::zeros((3, 1))), 3), 0).is_empty());
    }
}
