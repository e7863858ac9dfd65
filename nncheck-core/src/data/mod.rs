//! The data of a training program: read, taken, split, scaled and normalised, in this order, into plain arrays.
//!
//! Everything here is a function of the spec and the file alone. The split is fixed by a seed of its own, so that runs
//! with different seeds train on the same rows.

mod batches;
mod columns;
mod csv;
mod error;
mod facts;
mod normalize;
mod points;
mod random;
mod split;
mod synthetic;
mod targets;
mod text;

use ndarray::{Array2, Axis};

use crate::diagnostic::Span;
use crate::measurement::DataFacts;
use crate::spec::data::{Data, DataSource};
use crate::spec::loss::Task;

pub use batches::Batches;
pub use error::{DataError, Place};
use normalize::Affine;
pub use points::pick_points;

/// The seed of every split: the same rows train whatever the run's seed.
pub const SPLIT_SEED: u64 = 0;

/// Data, ready to train on.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Shape of one example.
    pub shape: Vec<usize>,
    /// The rows that train.
    pub train: Share,
    /// The rows that validate; `None` with `split = 1.0`.
    pub validation: Option<Share>,
    /// What the data says by itself.
    pub facts: DataFacts,
}

/// Some rows of the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// Inputs, rows x product of the shape.
    pub x: Array2<f64>,
    /// Targets, one a row.
    pub y: Targets,
}

impl Share {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.x.nrows()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn select(&self, rows: &[usize]) -> Self {
        Self { x: self.x.select(Axis(0), rows), y: self.y.select(rows) }
    }
}

/// What the rows should be told to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Class ids, for losses with one output a class.
    Classes(Vec<i64>),
    /// Numbers, rows x targets: `[n, 1]` of 0 and 1 for binary losses.
    Values(Array2<f64>),
}

impl Targets {
    fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Classes(ids) => Self::Classes(rows.iter().map(|&row| ids[row]).collect()),
            Self::Values(values) => Self::Values(values.select(Axis(0), rows)),
        }
    }
}

/// What can be told of data without reading its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peek {
    /// Shape of one example.
    pub shape: Vec<usize>,
    /// Names of the input columns, in the order of the inputs; empty where the source has no columns.
    pub inputs: Vec<String>,
}

/// Reads and prepares data: take, then split, then scale, then normalise with statistics of the training share.
///
/// # Errors
/// When the file or what it holds does not suit the spec, with the place in the spec and in the file.
pub fn load(data: &Data, task: Task) -> Result<Dataset, DataError> {
    check(data, task)?;
    let table = match &data.source {
        DataSource::Csv { path, target, inputs } => {
            csv::load(data, task, &csv::Source { path, target, inputs: inputs.as_ref() })?
        }
        DataSource::Synthetic(made_up) => synthetic::load(data, task, made_up)?,
    };
    let (y, classes) = targets::targets(&table, data, task)?;
    let strata = targets::strata(&y, task);
    let division = split::split(table.x.nrows(), strata.as_deref(), data.split)
        .map_err(|fault| fault.into_error(source_span(&data.source), table.x.nrows(), data))?;

    let whole = Share { x: table.x, y };
    let mut train = whole.select(&division.train);
    let mut validation = division.validation.map(|rows| whole.select(&rows));
    drop(whole);
    prepare(data, task, &mut train, validation.as_mut())?;
    let facts = facts::facts(&train, validation.as_ref(), classes);
    Ok(Dataset { shape: table.shape, train, validation, facts })
}

/// Opens the data and reads no further than its header: for checks before anything is built.
///
/// # Errors
/// When the file is not there, or its columns do not suit the spec.
pub fn peek(data: &Data, task: Task) -> Result<Peek, DataError> {
    check(data, task)?;
    match &data.source {
        DataSource::Csv { path, target, inputs } => {
            csv::peek(data, task, &csv::Source { path, target, inputs: inputs.as_ref() })
        }
        DataSource::Synthetic(made_up) => synthetic::peek(data, task, made_up),
    }
}

/// Rows as they came from their source, `take` already heeded.
#[derive(Debug)]
struct Table {
    shape: Vec<usize>,
    x: Array2<f64>,
    /// Target columns as numbers.
    y: Array2<f64>,
    /// The file, for errors that show only after reading.
    origin: Option<csv::Origin>,
}

/// What the spec alone gets wrong.
fn check(data: &Data, task: Task) -> Result<(), DataError> {
    let source = source_span(&data.source);
    if data.take == Some(0) {
        return Err(DataError::new("data-take", "`take = 0` leaves no rows")
            .about(source)
            .help("take at least one row, or leave `take` out for all of them"));
    }
    let at = data.split.at;
    if !(at > 0.0 && at <= 1.0) {
        return Err(DataError::new("data-split", format!("`split = {at}` is not a share of the rows"))
            .about(source)
            .help("the share of training rows is above 0 and at most 1.0, which leaves no validation rows"));
    }
    if let Some(classes) = &data.classes {
        if task == Task::Binary && classes.value != 2 {
            return Err(DataError::new(
                "data-classes",
                format!("`classes = {}`, but the loss is for two classes", classes.value),
            )
            .about(classes.span)
            .help("use `cross_entropy` for more than two classes"));
        }
        if classes.value < 2 && task != Task::Regression {
            return Err(DataError::new(
                "data-classes",
                format!("`classes = {}`: there is nothing to tell apart", classes.value),
            )
            .about(classes.span)
            .help("a classifier needs at least two classes"));
        }
    }
    Ok(())
}

/// The shape of one example: as stated, else all `inputs` in a row.
fn settle_shape(data: &Data, inputs: usize, unstated: &[usize], what: &str) -> Result<Vec<usize>, DataError> {
    let Some(stated) = &data.shape else { return Ok(unstated.to_vec()) };
    let product = stated.value.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    if product == Some(inputs) {
        return Ok(stated.value.clone());
    }
    let numbers = product.map_or_else(|| "more numbers than can be counted".to_owned(), |n| format!("{n} numbers"));
    Err(DataError::new(
        "data-shape",
        format!("an example of shape {:?} has {numbers}, but there are {inputs} {what}", stated.value),
    )
    .about(stated.span)
    .help(format!("the sizes of `shape` multiplied must give {inputs}")))
}

/// Scale, then normalise, inputs and targets.
fn prepare(data: &Data, task: Task, train: &mut Share, mut validation: Option<&mut Share>) -> Result<(), DataError> {
    let scale = Affine::scale(data.scale, train.x.ncols());
    for share in std::iter::once(&mut *train).chain(validation.as_deref_mut()) {
        scale.apply(&mut share.x);
    }
    if let Some(kind) = data.normalize {
        let affine = Affine::fit(kind, &train.x);
        for share in std::iter::once(&mut *train).chain(validation.as_deref_mut()) {
            affine.apply(&mut share.x);
        }
    }
    if let (Some(kind), Task::Regression, Targets::Values(values)) = (data.normalize_target, task, &train.y) {
        let affine = Affine::fit(kind, values);
        for share in std::iter::once(&mut *train).chain(validation.as_deref_mut()) {
            if let Targets::Values(values) = &mut share.y {
                affine.apply(values);
            }
        }
    }
    let finite = |share: &Share| {
        share.x.iter().all(|v| v.is_finite())
            && !matches!(&share.y, Targets::Values(values) if values.iter().any(|v| !v.is_finite()))
    };
    if finite(train) && validation.as_deref().is_none_or(finite) {
        return Ok(());
    }
    Err(DataError::new("data-overflow", "scaling and normalising takes the numbers beyond what 64 bits hold")
        .about(source_span(&data.source))
        .help("look for values far beyond the others, and at `scale`"))
}

/// Where the spec names the source of the rows.
fn source_span(source: &DataSource) -> Span {
    match source {
        DataSource::Csv { path, .. } => path.span,
        DataSource::Synthetic(made_up) => made_up.span,
    }
}

#[cfg(test)]
mod tests;
