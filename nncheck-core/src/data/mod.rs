//! The data of a training program: read, taken, split, scaled and normalised, in this order, into plain arrays.
//!
//! Everything here is a function of the spec and the file alone. The split is fixed by a seed of its own, so that runs
//! with different seeds train on the same rows.

mod archive;
mod array;
mod arrays;
mod audit;
mod batches;
mod columns;
mod csv;
mod error;
mod facts;
mod file;
mod idx;
mod normalize;
mod npy;
mod npz;
mod numbers;
mod points;
mod prepare;
mod random;
mod safetensors;
mod split;
mod survey;
mod synthetic;
mod targets;
mod text;

use crate::diagnostic::Span;
use crate::spec::data::{Data, DataSource};
use crate::spec::loss::Task;
use crate::spec::run::Dtype;

pub use array::{Array, Dataset, Share, Values};
use arrays::Format;
pub use audit::audit;
pub use batches::Batches;
pub use error::{DataError, Place};
pub use points::pick_points;
pub use safetensors::names as safetensors_names;
pub use survey::{Column, Survey, survey};

/// The seed of every split: the same rows train whatever the run's seed.
pub const SPLIT_SEED: u64 = 0;

/// What can be told of data without reading its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peek {
    /// Shape of one example of the first input.
    pub shape: Vec<usize>,
    /// Names of the input columns, in the order of the inputs; empty where the source has no columns.
    pub columns: Vec<String>,
}

/// Reads and prepares data: take, then split, then scale, then normalise with statistics of the training share.
///
/// # Errors
/// When the file or what it holds does not suit the spec, with the place in the spec and in the file. The data of a
/// user's function is not read here but given to [`assemble`].
pub fn load(data: &Data, task: Task, dtype: Dtype) -> Result<Dataset, DataError> {
    check(data, task)?;
    let table = match &data.source {
        DataSource::Csv { path, target, inputs } => {
            csv::load(data, task, dtype, &csv::Source { path, target, inputs: inputs.as_ref() })?
        }
        DataSource::Synthetic(made_up) => synthetic::load(data, task, dtype, made_up)?,
        DataSource::Npz(files) => arrays::load(data, dtype, Format::Npz, files)?,
        DataSource::Safetensors(files) => arrays::load(data, dtype, Format::Safetensors, files)?,
        DataSource::Idx { images, labels } => idx::load(data, dtype, images, labels)?,
        DataSource::Function(path) => {
            return Err(DataError::new("data-source", format!("`{}` has to be called for its data", path.value))
                .about(path.span));
        }
        DataSource::None => return Err(DataError::new("data-source", "this spec has no data of its own")),
    };
    prepare::check_arrays(&table, source_span(&data.source))?;
    prepare::finish(data, task, dtype, table, None)
}

/// Prepares arrays that came from somewhere else, such as a user's function, in the same way; the first `train` rows
/// train and the others validate, if it says so.
///
/// # Errors
/// When they do not suit the spec or one another.
pub fn assemble(
    data: &Data,
    task: Task,
    dtype: Dtype,
    inputs: Vec<Array>,
    targets: Vec<Array>,
    train: Option<usize>,
) -> Result<Dataset, DataError> {
    check(data, task)?;
    let span = source_span(&data.source);
    let mut table = Table { inputs, targets, origin: None, target: span };
    prepare::check_arrays(&table, span)?;
    if let Some(take) = data.take {
        table.inputs.iter_mut().chain(&mut table.targets).for_each(|array| array.take(take));
    }
    if let [input] = &mut table.inputs[..] {
        input.shape = settle_shape(data, input.row_len(), &input.shape, "numbers in a row")?;
    }
    prepare::finish(data, task, dtype, table, train)
}

/// Opens the data and reads no further than its header, for checks before anything is built; `None` where only running
/// can tell.
///
/// # Errors
/// When the file is not there, or its columns do not suit the spec.
pub fn peek(data: &Data, task: Task) -> Result<Option<Peek>, DataError> {
    check(data, task)?;
    match &data.source {
        DataSource::Csv { path, target, inputs } => {
            csv::peek(data, task, &csv::Source { path, target, inputs: inputs.as_ref() }).map(Some)
        }
        DataSource::Synthetic(made_up) => synthetic::peek(data, task, made_up).map(Some),
        DataSource::Npz(files) => arrays::peek(data, Format::Npz, files).map(Some),
        DataSource::Safetensors(files) => arrays::peek(data, Format::Safetensors, files).map(Some),
        DataSource::Idx { images, labels } => idx::peek(data, images, labels).map(Some),
        DataSource::Function(_) | DataSource::None => {
            Ok(data.shape.as_ref().map(|shape| Peek { shape: shape.value.clone(), columns: Vec::new() }))
        }
    }
}

/// Rows as they came from their source, `take` already heeded.
#[derive(Debug)]
struct Table {
    inputs: Vec<Array>,
    targets: Vec<Array>,
    /// The file, for errors that show only after reading.
    origin: Option<csv::Origin>,
    /// Where the spec names the targets.
    target: Span,
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

/// Where the spec names the source of the rows.
fn source_span(source: &DataSource) -> Span {
    match source {
        DataSource::Csv { path, .. } => path.span,
        DataSource::Npz(arrays) | DataSource::Safetensors(arrays) => arrays.path.span,
        DataSource::Idx { images, .. } => images.span,
        DataSource::Synthetic(made_up) => made_up.span,
        DataSource::Function(path) => path.span,
        DataSource::None => Span::default(),
    }
}

#[cfg(test)]
mod tests;
