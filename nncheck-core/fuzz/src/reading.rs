//! Data files of every format, read in several ways, and what must hold of what comes of it.

use std::io::Write as _;
use std::path::Path;

use nncheck_core::data::{DataError, Dataset, load, peek};
use nncheck_core::diagnostic::Located;
use nncheck_core::spec::data::{Arrays, Data, DataSource, NamedArray, NextToken};
use nncheck_core::spec::loss::Task;
use nncheck_core::spec::run::Dtype;

/// A file of these bytes, as long as `work` runs.
pub fn with_file<T>(bytes: &[u8], work: impl FnOnce(&Path) -> T) -> T {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    file.write_all(bytes).expect("a temporary file can be written");
    work(file.path())
}

/// Reads data in several ways; what must not be is a panic.
pub fn several_ways(source: &DataSource) {
    for (task, take, dtype) in [
        (Task::Multiclass, None, Dtype::Float32),
        (Task::Regression, Some(3), Dtype::Float32),
        (Task::Binary, None, Dtype::Float64),
    ] {
        let data = Data { take, ..Data::of(source.clone()) };
        if let Err(error) = peek(&data, task) {
            shown(&error);
        }
        match load(&data, task, dtype) {
            Ok(dataset) => sound(&dataset),
            Err(error) => shown(&error),
        }
    }
}

/// An error can be shown: it has words and a place, and nothing of the file gets through to the terminal.
pub fn shown(error: &DataError) {
    assert!(!error.message.is_empty() && error.span.is_some(), "{error:?}");
    let words = error.help.iter().chain([&error.message]).chain(error.at.iter().map(|place| &place.text));
    assert!(words.into_iter().all(|text| !text.contains(char::is_control)), "{error:?}");
}

/// What passes is whole: as many numbers as the shapes say, all of them finite, every row in one share.
pub fn sound(dataset: &Dataset) {
    let rows = dataset.inputs[0].rows;
    for array in dataset.inputs.iter().chain(&dataset.targets) {
        assert_eq!((array.rows, array.values.len()), (rows, rows * array.row_len()));
        assert!((0..array.values.len()).all(|at| array.values.at(at).is_finite()));
    }
    let mut all = dataset.train.clone();
    all.extend(dataset.validation.iter().flatten());
    all.sort_unstable();
    assert!(all.iter().copied().eq(0..rows));
}

/// The arrays `x` and `y` of a file, or the tokens `x`.
pub fn arrays(file: &Path, next_token: Option<NextToken>) -> Arrays {
    let named = |name: &str| NamedArray { name: name.to_owned(), array: Located::new(name.to_owned(), 0..1) };
    Arrays {
        path: Located::new(file.to_owned(), 0..1),
        inputs: vec![named("x")],
        targets: if next_token.is_some() { Vec::new() } else { vec![named("y")] },
        next_token: next_token.map(|next| Located::new(next, 0..1)),
    }
}
