//! The data of a subject as tensors.

use nncheck_core::data::{Share, Targets, pick_points};
use nncheck_core::measurement::DataFacts;
use nncheck_core::spec::Subject;
use tch::{Device, Kind, Tensor};

use super::SubjectError;
use crate::bindings::Bindings;
use crate::user::Batch;

/// The data of a subject on its device, in its number format.
#[derive(Debug)]
pub struct Tensors {
    /// Shape of one example.
    pub shape: Vec<usize>,
    /// Training rows.
    train: Batch,
    /// The same rows before they became tensors, for choosing among them.
    train_share: Share,
    /// What the data says by itself.
    pub facts: DataFacts,
}

impl Tensors {
    /// Reads and prepares a subject's data.
    ///
    /// # Errors
    /// When the data cannot be read, with the place in the file.
    pub fn load(subject: &Subject, _bindings: &Bindings) -> Result<Self, SubjectError> {
        let device = super::device(subject.device)?;
        let kind = super::kind(subject.dtype);
        let dataset = nncheck_core::data::load(&subject.data, subject.task())
            .map_err(|e| SubjectError { cause: super::error::below_here(&e.to_string()), help: e.help })?;
        let train = rows(&dataset.train, &dataset.shape, kind, device);
        Ok(Self { shape: dataset.shape, train, train_share: dataset.train, facts: dataset.facts })
    }

    /// How many rows train.
    #[must_use]
    pub fn train_rows(&self) -> usize {
        self.train.len()
    }

    /// These of the training rows, in their order.
    #[must_use]
    pub fn train(&self, rows: &[usize]) -> Batch {
        self.train.select(rows)
    }

    /// `count` training rows from `start` on.
    #[must_use]
    pub fn narrow(&self, start: usize, count: usize) -> Batch {
        self.train.narrow(start, count)
    }

    /// The first `rows` training rows, or all there are.
    #[must_use]
    pub fn first(&self, rows: usize) -> Batch {
        self.train.narrow(0, rows.min(self.train.len()))
    }

    /// Up to `n` training rows whose targets are as different as can be.
    #[must_use]
    pub fn points(&self, n: usize) -> Vec<usize> {
        pick_points(&self.train_share, n)
    }
}

fn rows(share: &Share, shape: &[usize], kind: Kind, device: Device) -> Batch {
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
    Batch::new(x, y)
}

fn flat(values: &ndarray::Array2<f64>) -> Vec<f64> {
    values.iter().copied().collect()
}

fn dimension(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
