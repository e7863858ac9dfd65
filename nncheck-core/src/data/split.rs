//! Which rows train and which validate.

use super::error::DataError;
use super::random::{Purpose, Stream};
use crate::diagnostic::Span;
use crate::spec::data::{Data, Split};

/// Row indices of both shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Division {
    pub(super) train: Vec<usize>,
    /// `None` where all rows train.
    pub(super) validation: Option<Vec<usize>>,
}

/// A share without rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EmptyShare {
    Training,
    Validation,
}

/// Divides `rows` rows. `classes` names the class of each row; each class is divided in the same proportion, to
/// within a row. All rows train, in the order of the file, where `at` is 1.
pub(super) fn split(rows: usize, classes: Option<&[i64]>, split: Split) -> Result<Division, EmptyShare> {
    if rows == 0 {
        return Err(EmptyShare::Training);
    }
    if split.at >= 1.0 {
        return Ok(Division { train: (0..rows).collect(), validation: None });
    }
    let wanted = ((rows as f64 * split.at + 0.5).floor() as usize).min(rows);
    if wanted == 0 {
        return Err(EmptyShare::Training);
    }
    if wanted == rows {
        return Err(EmptyShare::Validation);
    }
    if split.file_order {
        return Ok(Division { train: (0..wanted).collect(), validation: Some((wanted..rows).collect()) });
    }
    let (class_of, sizes) = strata(rows, classes);
    let mut left = quotas(&sizes, split.at, wanted);
    let mut order: Vec<usize> = (0..rows).collect();
    Stream::new(Purpose::Split, super::SPLIT_SEED, 0).shuffle(&mut order);
    let (train, validation) = order.into_iter().partition(|&row| {
        let left = &mut left[class_of[row]];
        let trains = *left > 0;
        *left = left.saturating_sub(1);
        trains
    });
    Ok(Division { train, validation: Some(validation) })
}

/// The stratum of each row, and the sizes of the strata, in the order of their class ids.
fn strata(rows: usize, classes: Option<&[i64]>) -> (Vec<usize>, Vec<usize>) {
    let Some(classes) = classes else { return (vec![0; rows], vec![rows]) };
    let mut ids = classes.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut sizes = vec![0; ids.len()];
    let class_of = classes
        .iter()
        .map(|id| {
            let stratum = ids.binary_search(id).unwrap_or(0);
            sizes[stratum] += 1;
            stratum
        })
        .collect();
    (class_of, sizes)
}

/// Training rows of each stratum, `wanted` together: the whole part of each one's due, the rest to those that lose
/// most by it (largest remainders; of equal ones the first).
fn quotas(sizes: &[usize], at: f64, wanted: usize) -> Vec<usize> {
    let due: Vec<f64> = sizes.iter().map(|&size| size as f64 * at).collect();
    let mut quotas: Vec<usize> = due.iter().zip(sizes).map(|(due, &size)| (due.floor() as usize).min(size)).collect();
    let mut rest = wanted.saturating_sub(quotas.iter().sum());
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by(|&a, &b| (due[b] - due[b].floor()).total_cmp(&(due[a] - due[a].floor())).then(a.cmp(&b)));
    for stratum in by_remainder {
        if rest > 0 && quotas[stratum] < sizes[stratum] {
            quotas[stratum] += 1;
            rest -= 1;
        }
    }
    quotas
}

impl EmptyShare {
    pub(super) fn into_error(self, span: Span, rows: usize, data: &Data) -> DataError {
        let which = match self {
            Self::Training => "training",
            Self::Validation => "validation",
        };
        let taken = data.take.map_or_else(String::new, |take| format!(" (of `take = {take}`)"));
        let error = DataError::new(
            "data-split",
            format!("`split = {}` of {rows} rows{taken} leaves no {which} rows", data.split.at),
        )
        .about(span);
        match self {
            Self::Training => error.help("raise the share, or take more rows"),
            Self::Validation => error.help("lower the share, take more rows, or set `split = 1.0` to validate on none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn at(at: f64) -> Split {
        Split { at, file_order: false }
    }

    #[test]
    fn all_rows_train_in_the_order_of_the_file_at_one() {
        assert_eq!(split(3, None, at(1.0)).unwrap(), Division { train: vec![0, 1, 2], validation: None });
    }

    #[test]
    fn file_order_puts_the_first_rows_into_training() {
        let division = split(5, Some(&[0, 0, 0, 1, 1]), Split { at: 0.6, file_order: true }).unwrap();
        assert_eq!(division, Division { train: vec![0, 1, 2], validation: Some(vec![3, 4]) });
    }

    #[test]
    fn rows_are_permuted_and_always_the_same_way() {
        let division = split(100, None, at(0.8)).unwrap();
        assert_eq!(division.train.len(), 80);
        assert!(!division.train.is_sorted());
        assert_eq!(division, split(100, None, at(0.8)).unwrap());
    }

    #[test]
    fn shares_without_rows_are_refused() {
        assert_eq!(split(0, None, at(0.8)), Err(EmptyShare::Training));
        assert_eq!(split(2, None, at(0.2)), Err(EmptyShare::Training));
        assert_eq!(split(2, None, at(0.9)), Err(EmptyShare::Validation));
    }

    #[test]
    fn the_largest_remainders_get_the_rest() {
        // Due are 2.4, 1.6 and 0.8 of 3, 2 and 1; 5 are wanted.
        assert_eq!(quotas(&[3, 2, 1], 0.8, 5), [2, 2, 1]);
        // 0.29 * 100 is 28.999999999999996 in floating point.
        assert_eq!(quotas(&[100], 0.29, 29), [29]);
    }

    proptest! {
        #[test]
        fn a_split_is_a_partition(classes in prop::collection::vec(0_i64..5, 1..200), share in 0.01_f64..0.99) {
            let Ok(division) = split(classes.len(), Some(&classes), at(share)) else { return Ok(()) };
            let mut all = division.train.clone();
            all.extend(division.validation.unwrap());
            all.sort_unstable();
            prop_assert_eq!(all, (0..classes.len()).collect::<Vec<_>>());
            let wanted = classes.len() as f64 * share;
            prop_assert!((division.train.len() as f64 - wanted).abs() <= 0.5 + 1e-9);
        }

        #[test]
        fn each_class_is_divided_alike_to_within_a_row(
            classes in prop::collection::vec(-3_i64..7, 1..300), share in 0.01_f64..0.99,
        ) {
            let Ok(division) = split(classes.len(), Some(&classes), at(share)) else { return Ok(()) };
            for class in -3..7 {
                let size = classes.iter().filter(|&&c| c == class).count() as f64;
                let train = division.train.iter().filter(|&&row| classes[row] == class).count() as f64;
                prop_assert!((train - size * share).abs() < 1.0, "{} of {} at {}", train, size, share);
            }
        }
    }
}
