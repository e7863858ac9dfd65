//! Bringing columns to a common scale, with statistics of the training rows only.

use super::{Array, Values};
use crate::spec::data::Normalize;

/// `(x - shift) * factor`, each column with its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Affine {
    columns: Vec<(f64, Factor)>,
}

/// How a column is stretched.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Factor {
    Times(f64),
    /// A division of its own, because `x * (1 / d)` is not `x / d` to the last bit.
    Over(f64),
}

impl Affine {
    /// One factor for all columns.
    pub(super) fn scale(factor: f64, columns: usize) -> Self {
        Self { columns: vec![(0.0, Factor::Times(factor)); columns] }
    }

    /// From the statistics of some rows. A constant column is only moved to zero: it has no spread to divide by.
    pub(super) fn fit(kind: Normalize, array: &Array, rows: &[usize]) -> Self {
        let width = array.row_len();
        let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); width];
        array.values.for_each(rows, width, |column, v| {
            let (low, high) = &mut ranges[column];
            *low = low.min(v);
            *high = high.max(v);
        });
        let columns = match kind {
            Normalize::Minmax => ranges.into_iter().map(minmax).collect(),
            Normalize::Standard => {
                let n = rows.len().max(1) as f64;
                let mut means = vec![0.0; width];
                array.values.for_each(rows, width, |column, v| means[column] += v);
                means.iter_mut().for_each(|mean| *mean /= n);
                let mut variances = vec![0.0; width];
                array.values.for_each(rows, width, |column, v| {
                    variances[column] += (v - means[column]) * (v - means[column]);
                });
                let moments = means.into_iter().zip(variances.into_iter().map(|v| v / n));
                ranges.into_iter().zip(moments).map(standard).collect()
            }
        };
        Self { columns }
    }

    /// All rows of an array of quantities; each number is worked out in 64 bits.
    pub(super) fn apply(&self, values: &mut Values) {
        match values {
            Values::F32(values) => self.walk(values, f64::from, |v| v as f32),
            Values::F64(values) => self.walk(values, |v| v, |v| v),
            Values::I64(_) => {}
        }
    }

    fn walk<T: Copy>(&self, values: &mut [T], read: fn(T) -> f64, write: fn(f64) -> T) {
        for row in values.chunks_exact_mut(self.columns.len().max(1)) {
            for (value, (shift, factor)) in row.iter_mut().zip(&self.columns) {
                let moved = read(*value) - shift;
                *value = write(match factor {
                    Factor::Times(f) => moved * f,
                    Factor::Over(d) => moved / d,
                });
            }
        }
    }
}

fn standard(((low, high), (mean, variance)): ((f64, f64), (f64, f64))) -> (f64, Factor) {
    // Asked of the values themselves: the deviation of many equal numbers is not always exactly zero.
    if low >= high {
        return (low, Factor::Times(1.0));
    }
    let deviation = variance.sqrt();
    if deviation > 0.0 { (mean, Factor::Over(deviation)) } else { (mean, Factor::Times(1.0)) }
}

fn minmax((low, high): (f64, f64)) -> (f64, Factor) {
    if low >= high { (low, Factor::Times(1.0)) } else { (low, Factor::Over(high - low)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(kind: Normalize, rows: &[[f64; 2]], fit: usize) -> Vec<f64> {
        let values = Values::F64(rows.concat());
        let mut array = Array { name: "x".to_owned(), rows: rows.len(), shape: vec![2], values };
        Affine::fit(kind, &array, &(0..fit).collect::<Vec<_>>()).apply(&mut array.values);
        let Values::F64(values) = array.values else { panic!() };
        values
    }

    #[test]
    fn standard_gives_mean_zero_and_deviation_one_with_divisor_n() {
        assert_eq!(normalised(Normalize::Standard, &[[1.0, 5.0], [3.0, 5.0]], 2), [-1.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn a_constant_column_is_left_centred_and_other_rows_keep_their_distance() {
        let rows = [[0.1, 7.0], [0.1, 7.0], [0.1, 9.0]];
        assert_eq!(normalised(Normalize::Standard, &rows, 2), [0.0, 0.0, 0.0, 0.0, 0.0, 2.0]);
        assert_eq!(normalised(Normalize::Minmax, &rows, 2), [0.0, 0.0, 0.0, 0.0, 0.0, 2.0]);
    }

    #[test]
    fn minmax_fills_zero_to_one() {
        let rows = [[2.0, 0.0], [4.0, 1.0], [3.0, 0.5]];
        assert_eq!(normalised(Normalize::Minmax, &rows, 3), [0.0, 0.0, 1.0, 1.0, 0.5, 0.5]);
    }

    #[test]
    fn scale_multiplies() {
        let mut values = Values::F32(vec![16.0, 8.0]);
        Affine::scale(0.0625, 2).apply(&mut values);
        assert_eq!(values, Values::F32(vec![1.0, 0.5]));
    }
}
