//! Bringing columns to a common scale, with statistics of the training rows only.

use ndarray::{Array2, ArrayView1};

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

    /// From the statistics of `rows`. A constant column is only moved to zero: it has no spread to divide by.
    pub(super) fn fit(kind: Normalize, rows: &Array2<f64>) -> Self {
        let columns = rows.columns().into_iter().map(|column| match kind {
            Normalize::Standard => standard(column),
            Normalize::Minmax => minmax(column),
        });
        Self { columns: columns.collect() }
    }

    pub(super) fn apply(&self, rows: &mut Array2<f64>) {
        for mut row in rows.rows_mut() {
            for (value, (shift, factor)) in row.iter_mut().zip(&self.columns) {
                let moved = *value - shift;
                *value = match factor {
                    Factor::Times(f) => moved * f,
                    Factor::Over(d) => moved / d,
                };
            }
        }
    }
}

fn standard(column: ArrayView1<'_, f64>) -> (f64, Factor) {
    let (low, high) = range(column);
    // Asked of the values themselves: the deviation of many equal numbers is not always exactly zero.
    if low >= high {
        return (low, Factor::Times(1.0));
    }
    let (mean, variance) = mean_and_variance(column.iter().copied());
    let deviation = variance.sqrt();
    if deviation > 0.0 { (mean, Factor::Over(deviation)) } else { (mean, Factor::Times(1.0)) }
}

fn minmax(column: ArrayView1<'_, f64>) -> (f64, Factor) {
    let (low, high) = range(column);
    if low >= high { (low, Factor::Times(1.0)) } else { (low, Factor::Over(high - low)) }
}

fn range(column: ArrayView1<'_, f64>) -> (f64, f64) {
    let start = column.first().copied().unwrap_or(0.0);
    column.iter().fold((start, start), |(low, high), &v| (low.min(v), high.max(v)))
}

/// Mean and variance with divisor n, in two passes; zeros of nothing.
pub(super) fn mean_and_variance(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count();
    if n == 0 {
        return (0.0, 0.0);
    }
    let n = n as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    (mean, variance)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn standard_gives_mean_zero_and_deviation_one_with_divisor_n() {
        let mut rows = array![[1.0, 5.0], [3.0, 5.0]];
        let affine = Affine::fit(Normalize::Standard, &rows);
        affine.apply(&mut rows);
        assert_eq!(rows, array![[-1.0, 0.0], [1.0, 0.0]]);
    }

    #[test]
    fn a_constant_column_is_left_centred() {
        let mut rows = array![[0.1], [0.1], [0.1]];
        Affine::fit(Normalize::Standard, &rows).apply(&mut rows);
        assert_eq!(rows, array![[0.0], [0.0], [0.0]]);
        let mut rows = array![[7.0], [7.0]];
        let affine = Affine::fit(Normalize::Minmax, &rows);
        affine.apply(&mut rows);
        assert_eq!(rows, array![[0.0], [0.0]]);
        // A validation row that differs keeps its distance.
        let mut other = array![[9.0]];
        affine.apply(&mut other);
        assert_eq!(other, array![[2.0]]);
    }

    #[test]
    fn minmax_fills_zero_to_one() {
        let mut rows = array![[2.0], [4.0], [3.0]];
        Affine::fit(Normalize::Minmax, &rows).apply(&mut rows);
        assert_eq!(rows, array![[0.0], [1.0], [0.5]]);
    }

    #[test]
    fn scale_multiplies() {
        let mut rows = array![[16.0, 8.0]];
        Affine::scale(0.0625, 2).apply(&mut rows);
        assert_eq!(rows, array![[1.0, 0.5]]);
    }
}
