//! A handful of rows to learn by heart.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Array, Share};

/// Up to `n` rows of a share, as positions in it, whose (first) targets are as different as can be: of class ids (and
/// of binary targets) the first row of each class, then the second of each, and so on; of real numbers values spread
/// evenly from the least to the greatest. Rows with the same inputs as an earlier one come last, for no model can tell
/// them apart.
#[must_use]
pub fn pick_points(share: Share<'_>, n: usize) -> Vec<usize> {
    let Some(target) = share.dataset.targets.first() else { return Vec::new() };
    let row = |position: usize| share.rows[position];
    let mut seen = HashSet::new();
    let (fresh, repeated): (Vec<usize>, Vec<usize>) =
        (0..share.len()).partition(|&at| seen.insert(fingerprint(&share.dataset.inputs, row(at))));
    let kind = |at: usize| fingerprint(std::slice::from_ref(target), row(at));
    let mut chosen = if target.values.is_ids() {
        round_robin(&fresh, kind)
    } else {
        let distinct: HashSet<u64> = fresh.iter().map(|&at| kind(at)).collect();
        if distinct.len() <= n {
            round_robin(&fresh, kind)
        } else {
            spread(&fresh, |a, b| compare(target, row(a), row(b)), n)
        }
    };
    chosen.extend(repeated);
    chosen.truncate(n);
    chosen
}

/// A row as something to compare and hash; both zeros are one.
pub(super) fn fingerprint(arrays: &[Array], row: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    for array in arrays {
        array.values.for_each(&[row], array.row_len(), |_, v| (v + 0.0).to_bits().hash(&mut hasher));
    }
    hasher.finish()
}

fn compare(array: &Array, a: usize, b: usize) -> Ordering {
    let width = array.row_len();
    let pair = |column: usize| array.values.at(a * width + column).total_cmp(&array.values.at(b * width + column));
    (0..width).map(pair).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
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
fn spread(rows: &[usize], compare: impl Fn(usize, usize) -> Ordering, n: usize) -> Vec<usize> {
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
    use super::*;
    use crate::data::{Dataset, Values};
    use crate::measurement::DataFacts;

    fn array(name: &str, shape: &[usize], values: Values) -> Array {
        let rows = values.len() / shape.iter().product::<usize>();
        Array { name: name.to_owned(), rows, shape: shape.to_vec(), values }
    }

    fn data(x: Option<Vec<f64>>, y: Array) -> Dataset {
        let rows = y.rows;
        let x = x.unwrap_or_else(|| (0..rows).map(|row| row as f64).collect());
        let inputs = vec![array("x", &[1], Values::F64(x))];
        Dataset { inputs, targets: vec![y], train: (0..rows).collect(), validation: None, facts: DataFacts::default() }
    }

    fn classes(ids: &[i64]) -> Array {
        array("y", &[], Values::I64(ids.to_vec()))
    }

    fn numbers(values: &[f64]) -> Array {
        array("y", &[1], Values::F64(values.to_vec()))
    }

    #[test]
    fn distinct_classes_come_first_and_then_the_next_of_each() {
        let data = data(None, classes(&[3, 3, 3, 1, 3, 1]));
        assert_eq!(pick_points(data.train_share(), 2), [0, 3]);
        assert_eq!(pick_points(data.train_share(), 5), [0, 3, 1, 5, 2]);
        assert_eq!(pick_points(data.train_share(), 99).len(), 6);
    }

    #[test]
    fn what_is_picked_are_positions_in_the_share() {
        let mut data = data(None, classes(&[0, 0, 1, 0, 1]));
        data.train = vec![4, 3, 2];
        assert_eq!(pick_points(data.train_share(), 2), [0, 1]);
    }

    #[test]
    fn binary_targets_alternate() {
        let data = data(None, numbers(&[1.0, 1.0, 0.0, 0.0]));
        assert_eq!(pick_points(data.train_share(), 2), [0, 2]);
        assert_eq!(pick_points(data.train_share(), 4), [0, 2, 1, 3]);
    }

    #[test]
    fn real_targets_are_spread_and_distinct() {
        let data = data(None, numbers(&[5.0, 1.0, 1.0, 9.0, 4.0, 2.0]));
        assert_eq!(pick_points(data.train_share(), 2), [1, 3]);
        assert_eq!(pick_points(data.train_share(), 3), [1, 4, 3]);
    }

    #[test]
    fn rows_with_equal_inputs_are_the_last_choice() {
        let data = data(Some(vec![0.0, -0.0, 2.0, 3.0]), classes(&[0, 1, 1, 0]));
        assert_eq!(pick_points(data.train_share(), 2), [0, 2]);
        assert_eq!(pick_points(data.train_share(), 4), [0, 2, 3, 1]);
    }

    #[test]
    fn nothing_is_picked_of_nothing() {
        assert!(pick_points(data(None, classes(&[])).train_share(), 2).is_empty());
        assert!(pick_points(data(None, numbers(&[0.0; 3])).train_share(), 0).is_empty());
    }
}
