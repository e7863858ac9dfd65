//! The data of a subject as tensors.

use nncheck_core::data::{Share, Targets};
use nncheck_core::measurement::DataFacts;
use nncheck_core::spec::Subject;
use tch::{Device, Kind, Tensor};

use super::SubjectError;

/// Rows of inputs and targets.
#[derive(Debug)]
pub struct Rows {
    /// Inputs, `[n, shape...]`.
    pub x: Tensor,
    /// Targets: class ids `[n]` (int64), or numbers `[n, t]`.
    pub y: Tensor,
}

impl Rows {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.x.size()[0]).unwrap_or(0)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows at these indices, in their order.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let ids: Vec<i64> = indices.iter().map(|&i| i64::try_from(i).unwrap_or(i64::MAX)).collect();
        let ids = Tensor::from_slice(&ids).to_device(self.x.device());
        Self { x: self.x.index_select(0, &ids), y: self.y.index_select(0, &ids) }
    }

    /// The rows from `start`, `count` of them.
    #[must_use]
    pub fn narrow(&self, start: usize, count: usize) -> Self {
        let (start, count) = (i64::try_from(start).unwrap_or(0), i64::try_from(count).unwrap_or(0));
        Self { x: self.x.narrow(0, start, count), y: self.y.narrow(0, start, count) }
    }
}

/// The data of a subject on its device, in its number format.
#[derive(Debug)]
pub struct Tensors {
    /// Shape of one example.
    pub shape: Vec<usize>,
    /// Training rows.
    pub train: Rows,
    /// The same rows before they became tensors, for choosing among them.
    pub train_share: Share,
    /// What the data says by itself.
    pub facts: DataFacts,
}

impl Tensors {
    /// Reads and prepares a subject's data.
    ///
    /// # Errors
    /// When the data cannot be read, with the place in the file.
    pub fn load(subject: &Subject) -> Result<Self, SubjectError> {
        let device = super::device(subject.device)?;
        let kind = super::kind(subject.dtype);
        let dataset = nncheck_core::data::load(&subject.data, subject.loss.kind.task())
            .map_err(|e| SubjectError { cause: super::error::below_here(&e.to_string()), help: e.help })?;
        let train = rows(&dataset.train, &dataset.shape, kind, device);
        Ok(Self { shape: dataset.shape, train, train_share: dataset.train, facts: dataset.facts })
    }
}

fn rows(share: &Share, shape: &[usize], kind: Kind, device: Device) -> Rows {
    let mut size = vec![dimension(share.x.nrows())];
    size.extend(shape.iter().map(|&d| dimension(d)));
    let x = Tensor::from_slice(&flat(&share.x)).reshape(&size).to_kind(kind).to_device(device);
    let y = match &share.y {
        Targets::Classes(ids) => Tensor::from_slice(ids).to_device(device),
        Targets::Values(values) => Tensor::from_slice(&flat(values))
            .reshape([dimension(values.nrows()), dimension(values.ncols())])
            .to_kind(kind)
            .to_device(device),
    };
    Rows { x, y }
}

fn flat(values: &ndarray::Array2<f64>) -> Vec<f64> {
    values.iter().copied().collect()
}

fn dimension(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
