//! The data of a subject as tensors.

use nncheck_core::data::{Array, Dataset, Values, assemble, load, pick_points};
use nncheck_core::measurement::DataFacts;
use nncheck_core::spec::Subject;
use nncheck_core::spec::data::DataSource;
use tch::{Device, Kind, Tensor};

use super::SubjectError;
use crate::bindings::Bindings;
use crate::tensors::shape;
use crate::user::{self, Batch, Named};

/// The data of a subject on its device, in its number format.
#[derive(Debug)]
pub struct Tensors {
    /// Shape of one example of the first input.
    pub shape: Vec<usize>,
    /// All rows.
    all: Batch,
    /// The same before it became tensors, for choosing among the rows.
    dataset: Option<Dataset>,
    /// What the data says by itself.
    pub facts: DataFacts,
}

impl Tensors {
    /// Reads and prepares a subject's data.
    ///
    /// # Errors
    /// When the data cannot be read, with the place in the file.
    pub fn load(subject: &Subject, bindings: &Bindings) -> Result<Self, SubjectError> {
        let device = super::device(subject.device)?;
        let (data, task, dtype) = (&subject.data, subject.task(), subject.dtype);
        let dataset = match &data.source {
            DataSource::None => {
                return Ok(Self {
                    shape: Vec::new(),
                    all: Batch::default(),
                    dataset: None,
                    facts: DataFacts::default(),
                });
            }
            DataSource::Function(path) => {
                let own = bindings.data_at(&path.value)?()
                    .map_err(|why| SubjectError::new(format!("`{}` read no data: {why}", path.value)))?;
                let mut data = data.clone();
                if data.classes.is_none() {
                    data.classes = own.classes.map(|k| nncheck_core::diagnostic::Located::new(k, path.span));
                }
                let (train, whole) = joined(own)?;
                let (inputs, targets) = (arrays(whole.inputs())?, arrays(whole.targets())?);
                assemble(&data, task, dtype, inputs, targets, train)
            }
            _ => load(data, task, dtype),
        };
        let dataset =
            dataset.map_err(|e| SubjectError { cause: super::error::below_here(&e.to_string()), help: e.help })?;
        let tensors = |arrays: &[Array]| arrays.iter().map(|a| (a.name.clone(), tensor(a, device))).collect::<Named>();
        let all = Batch::of(tensors(&dataset.inputs), tensors(&dataset.targets));
        Ok(Self { shape: dataset.shape().to_vec(), all, facts: dataset.facts.clone(), dataset: Some(dataset) })
    }

    /// The data before it became tensors; `None` where the program makes its own.
    #[must_use]
    pub fn dataset(&self) -> Option<&Dataset> {
        self.dataset.as_ref()
    }

    /// How many rows train.
    #[must_use]
    pub fn train_rows(&self) -> usize {
        self.train_indices().len()
    }

    /// These of the training rows, in their order.
    #[must_use]
    pub fn train(&self, rows: &[usize]) -> Batch {
        self.of_share(self.train_indices(), rows)
    }

    /// `count` training rows from `start` on.
    #[must_use]
    pub fn narrow(&self, start: usize, count: usize) -> Batch {
        self.train(&(start..start.saturating_add(count).min(self.train_rows())).collect::<Vec<_>>())
    }

    /// The first `rows` training rows, or all there are.
    #[must_use]
    pub fn first(&self, rows: usize) -> Batch {
        self.narrow(0, rows)
    }

    /// How many rows validate.
    #[must_use]
    pub fn validation_rows(&self) -> usize {
        self.validation_indices().len()
    }

    /// These of the validation rows, in their order.
    #[must_use]
    pub fn validation(&self, rows: &[usize]) -> Batch {
        self.of_share(self.validation_indices(), rows)
    }

    /// Up to `n` training rows whose targets are as different as can be.
    #[must_use]
    pub fn points(&self, n: usize) -> Vec<usize> {
        self.dataset.as_ref().map(|dataset| pick_points(dataset.train_share(), n)).unwrap_or_default()
    }

    /// Rows by their positions in a share.
    fn of_share(&self, share: &[usize], rows: &[usize]) -> Batch {
        let rows: Vec<usize> = rows.iter().filter_map(|&row| share.get(row).copied()).collect();
        if rows.is_empty() { Batch::default() } else { self.all.select(&rows) }
    }

    fn train_indices(&self) -> &[usize] {
        self.dataset.as_ref().map_or(&[], |dataset| &dataset.train)
    }

    fn validation_indices(&self) -> &[usize] {
        self.dataset.as_ref().and_then(|dataset| dataset.validation.as_deref()).unwrap_or_default()
    }
}

/// Training and validation rows in one, and how many of them train, where the user says so.
fn joined(own: user::Dataset) -> Result<(Option<usize>, Batch), SubjectError> {
    let Some(validation) = own.validation else { return Ok((None, own.train)) };
    let train = own.train.len();
    Ok((Some(train), Batch::cat(&[own.train, validation])?))
}

/// The user's tensors as arrays, to be prepared as all others are.
fn arrays(named: &Named) -> Result<Vec<Array>, SubjectError> {
    named
        .iter()
        .map(|(name, tensor)| {
            let shape = shape(tensor);
            let Some((&rows, row)) = shape.split_first() else {
                return Err(SubjectError::new(format!("`{name}` of the data is a single number"))
                    .help("the first axis is that of the rows"));
            };
            let flat = tensor.detach().to_device(Device::Cpu).reshape([-1]);
            let values = match flat.kind() {
                Kind::Float => Values::F32(Vec::try_from(&flat)?),
                Kind::Uint8 | Kind::Int8 | Kind::Int16 | Kind::Int | Kind::Int64 | Kind::Bool => {
                    Values::I64(Vec::try_from(&flat.to_kind(Kind::Int64))?)
                }
                _ => Values::F64(Vec::try_from(&flat.to_kind(Kind::Double))?),
            };
            Ok(Array { name: name.to_owned(), rows, shape: row.to_vec(), values })
        })
        .collect()
}

/// All rows of an array.
fn tensor(array: &Array, device: Device) -> Tensor {
    let values = match &array.values {
        Values::F32(values) => Tensor::from_slice(values),
        Values::F64(values) => Tensor::from_slice(values),
        Values::I64(values) => Tensor::from_slice(values),
    };
    let size: Vec<i64> = array.whole_shape().into_iter().map(dimension).collect();
    values.reshape(size).to_device(device)
}

fn dimension(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
