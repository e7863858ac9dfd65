//! Data as plain arrays: each is kept once, rows first, and the shares of a split are indices into it.

use crate::measurement::DataFacts;
use crate::spec::run::Dtype;

/// Numbers in the format in which they are trained on.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Quantities, `dtype = "float32"`.
    F32(Vec<f32>),
    /// Quantities, `dtype = "float64"`.
    F64(Vec<f64>),
    /// Class ids and tokens.
    I64(Vec<i64>),
}

impl Values {
    /// Quantities in this format.
    pub(super) fn floats(numbers: Vec<f64>, dtype: Dtype) -> Self {
        match dtype {
            Dtype::Float32 => Self::F32(numbers.into_iter().map(|v| v as f32).collect()),
            Dtype::Float64 => Self::F64(numbers),
        }
    }

    /// The same numbers as quantities of this format; nothing is copied where they are that already.
    pub(super) fn into_floats(self, dtype: Dtype) -> Self {
        match (self, dtype) {
            (Self::F64(values), Dtype::Float32) => Self::F32(values.into_iter().map(|v| v as f32).collect()),
            (Self::F32(values), Dtype::Float64) => Self::F64(values.into_iter().map(f64::from).collect()),
            (Self::I64(values), Dtype::Float32) => Self::F32(values.into_iter().map(|v| v as f32).collect()),
            (Self::I64(values), Dtype::Float64) => Self::F64(values.into_iter().map(|v| v as f64).collect()),
            (same, _) => same,
        }
    }

    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether they are class ids or tokens.
    #[must_use]
    pub fn is_ids(&self) -> bool {
        matches!(self, Self::I64(_))
    }

    /// One of them; NaN past the end.
    #[must_use]
    pub fn at(&self, index: usize) -> f64 {
        match self {
            Self::F32(values) => values.get(index).map(|&v| f64::from(v)),
            Self::F64(values) => values.get(index).copied(),
            Self::I64(values) => values.get(index).map(|&v| v as f64),
        }
        .unwrap_or(f64::NAN)
    }

    /// Calls `see` with each number of some rows, `row` numbers long, in their order.
    pub(super) fn for_each(&self, rows: &[usize], row: usize, mut see: impl FnMut(usize, f64)) {
        fn walk<T: Copy>(
            values: &[T],
            rows: &[usize],
            row: usize,
            number: fn(T) -> f64,
            see: &mut impl FnMut(usize, f64),
        ) {
            for &index in rows {
                let numbers = values.get(index * row..(index + 1) * row).unwrap_or_default();
                for (column, &value) in numbers.iter().enumerate() {
                    see(column, number(value));
                }
            }
        }
        match self {
            Self::F32(values) => walk(values, rows, row, f64::from, &mut see),
            Self::F64(values) => walk(values, rows, row, |v| v, &mut see),
            Self::I64(values) => walk(values, rows, row, |v| v as f64, &mut see),
        }
    }

    /// Where the first number is that is not finite.
    pub(super) fn non_finite(&self) -> Option<usize> {
        match self {
            Self::F32(values) => values.iter().position(|v| !v.is_finite()),
            Self::F64(values) => values.iter().position(|v| !v.is_finite()),
            Self::I64(_) => None,
        }
    }

    pub(super) fn truncate(&mut self, len: usize) {
        match self {
            Self::F32(values) => values.truncate(len),
            Self::F64(values) => values.truncate(len),
            Self::I64(values) => values.truncate(len),
        }
    }
}

/// A named array; rows first.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The name by which a model asks for it: `x` and `y` unless the spec says otherwise.
    pub name: String,
    /// How many rows there are.
    pub rows: usize,
    /// Shape of one row: `[]` of class ids, one a row.
    pub shape: Vec<usize>,
    /// The numbers, row by row.
    pub values: Values,
}

impl Array {
    /// How many numbers a row has.
    #[must_use]
    pub fn row_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// All row indices and the shape: `[rows, shape...]`.
    #[must_use]
    pub fn whole_shape(&self) -> Vec<usize> {
        std::iter::once(self.rows).chain(self.shape.iter().copied()).collect()
    }

    /// Only the first rows.
    pub(super) fn take(&mut self, rows: usize) {
        if rows < self.rows {
            self.values.truncate(rows * self.row_len());
            self.rows = rows;
        }
    }
}

/// Data, ready to train on.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The inputs of all rows, scaled and normalised; at least one.
    pub inputs: Vec<Array>,
    /// What the rows should be told to be; at least one.
    pub targets: Vec<Array>,
    /// The rows that train, in the order that training without shuffling has.
    pub train: Vec<usize>,
    /// The rows that validate; `None` with `split = 1.0`.
    pub validation: Option<Vec<usize>>,
    /// What the data says by itself.
    pub facts: DataFacts,
}

impl Dataset {
    /// Shape of one example of the first input.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        self.inputs.first().map_or(&[], |input| &input.shape)
    }

    /// The rows that train.
    #[must_use]
    pub fn train_share(&self) -> Share<'_> {
        Share { dataset: self, rows: &self.train }
    }

    /// The rows that validate.
    #[must_use]
    pub fn validation_share(&self) -> Option<Share<'_>> {
        self.validation.as_ref().map(|rows| Share { dataset: self, rows })
    }
}

/// Some rows of the data.
#[derive(Clone, Copy, Debug)]
pub struct Share<'a> {
    /// The whole data.
    pub dataset: &'a Dataset,
    /// Which of its rows.
    pub rows: &'a [usize],
}

impl Share<'_> {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
