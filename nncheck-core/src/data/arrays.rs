//! Files of named arrays, npz and safetensors: which arrays are inputs and targets, and what is wrong with them.

use super::archive::Archive;
use super::error::{DataError, shown};
use super::{Array, Peek, Table, Values, npz, numbers, safetensors, settle_shape};
use crate::diagnostic::{Located, Span, suggest};
use crate::spec::data::{Arrays, Data, NamedArray, NextToken};
use crate::spec::run::Dtype;

/// Which format a file is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Npz,
    Safetensors,
}

fn open(format: Format, arrays: &Arrays) -> Result<Box<dyn Archive>, DataError> {
    let file = super::file::open(&arrays.path)?;
    let opened = match format {
        Format::Npz => npz::open(file).map(|archive| Box::new(archive) as Box<dyn Archive>),
        Format::Safetensors => safetensors::open(file).map(|archive| Box::new(archive) as Box<dyn Archive>),
    };
    opened.map_err(|why| {
        DataError::new("data-file", format!("cannot read `{}`: {why}", shown(&arrays.path.value)))
            .about(arrays.path.span)
    })
}

/// The name of an array as the file has it, or what is wrong with it.
fn known(archive: &dyn Archive, array: &Located<String>) -> Result<(), DataError> {
    let names = archive.names();
    if names.contains(&array.value) {
        return Ok(());
    }
    let error = DataError::new("data-array", format!("the file has no array `{}`", array.value.escape_debug()))
        .about(array.span);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let error = match suggest::nearest(&array.value, names.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    };
    Err(error.help(if names.is_empty() {
        format!("it has none at all; save them with {}", archive.what())
    } else {
        format!("it has {}", suggest::list(&names))
    }))
}

fn about<T>(array: &Located<String>, result: Result<T, String>) -> Result<T, DataError> {
    result.map_err(|why| {
        DataError::new("data-array", format!("the array `{}` cannot be used: {why}", array.value)).about(array.span)
    })
}

/// The shapes of all inputs and targets, which have equally many rows.
fn shapes(archive: &mut dyn Archive, arrays: &Arrays) -> Result<Vec<Vec<usize>>, DataError> {
    let mut shapes: Vec<Vec<usize>> = Vec::new();
    for named in arrays.inputs.iter().chain(&arrays.targets) {
        known(archive, &named.array)?;
        let shape = about(&named.array, archive.shape(&named.array.value))?;
        let Some(&rows) = shape.first() else {
            return about(&named.array, Err("it is a single number; the first axis is that of the rows".to_owned()));
        };
        about(&named.array, numbers::count(&shape))?;
        if let (Some(first), Some(other)) = (shapes.first().and_then(|first| first.first()), arrays.inputs.first())
            && *first != rows
        {
            let message = format!("`{}` has {rows} rows, but `{}` has {first}", named.array.value, other.array.value);
            return Err(DataError::new("data-rows", message)
                .about(named.array.span)
                .help("the first axis of every array is that of the rows"));
        }
        shapes.push(shape);
    }
    Ok(shapes)
}

/// The shape of one example of the first input, from headers alone.
pub(super) fn peek(data: &Data, format: Format, arrays: &Arrays) -> Result<Peek, DataError> {
    let mut archive = open(format, arrays)?;
    let first = shapes(&mut *archive, arrays)?.into_iter().next().unwrap_or_default();
    let row = match arrays.next_token.as_ref().map(|next| next.value) {
        Some(NextToken::Windows(length)) => vec![length],
        Some(NextToken::Rows) => vec![first.get(1).copied().unwrap_or(1).saturating_sub(1)],
        None => first.get(1..).unwrap_or_default().to_vec(),
    };
    let shape = if arrays.inputs.len() == 1 {
        let numbers = row.iter().try_fold(1_usize, |all, &n| all.checked_mul(n)).unwrap_or(usize::MAX);
        settle_shape(data, numbers, &row, "numbers in a row")?
    } else {
        row
    };
    Ok(Peek { shape, columns: Vec::new() })
}

/// All inputs and targets.
pub(super) fn load(data: &Data, dtype: Dtype, format: Format, arrays: &Arrays) -> Result<Table, DataError> {
    let mut archive = open(format, arrays)?;
    shapes(&mut *archive, arrays)?;
    // Of one long sequence `take` counts the windows.
    let most = match (data.take, arrays.next_token.as_ref().map(|next| next.value)) {
        (None, _) => usize::MAX,
        (Some(take), Some(NextToken::Windows(length))) => take.saturating_mul(length).saturating_add(1),
        (Some(take), _) => take,
    };
    let mut read = |named: &NamedArray| -> Result<Array, DataError> {
        let (shape, values) = about(&named.array, archive.array(&named.array.value, most, dtype))?;
        let (rows, row) = shape.split_first().map_or((0, &[][..]), |(&rows, row)| (rows, row));
        Ok(Array { name: named.name.clone(), rows, shape: row.to_vec(), values })
    };
    let mut inputs = arrays.inputs.iter().map(&mut read).collect::<Result<Vec<_>, _>>()?;
    let mut targets = arrays.targets.iter().map(&mut read).collect::<Result<Vec<_>, _>>()?;
    let span = arrays.targets.first().map_or(arrays.path.span, |target| target.array.span);
    if let Some(next) = &arrays.next_token {
        let Some(sequence) = inputs.pop() else { return Err(nothing(arrays.path.span)) };
        let (x, y) = next_tokens(sequence, next)?;
        inputs.push(x);
        targets.push(y);
    }
    if let Some(take) = data.take {
        inputs.iter_mut().chain(&mut targets).for_each(|array| array.take(take));
    }
    if let [input] = &mut inputs[..] {
        input.shape = settle_shape(data, input.row_len(), &input.shape, "numbers in a row")?;
    }
    Ok(Table { inputs, targets, origin: None, target: span })
}

fn nothing(span: Span) -> DataError {
    DataError::new("data-arrays", "data needs at least one input").about(span)
}

/// Inputs and targets `[n, t]` out of sequences of tokens.
fn next_tokens(sequence: Array, next: &Located<NextToken>) -> Result<(Array, Array), DataError> {
    let refuse = |message: String, help: &str| Err(DataError::new("data-tokens", message).about(next.span).help(help));
    let Values::I64(tokens) = sequence.values else {
        return refuse(
            format!("`{}` holds quantities, and tokens are integers", sequence.name),
            "save the tokens as integers",
        );
    };
    let (rows, stride, length) = match (next.value, &sequence.shape[..]) {
        (NextToken::Rows, &[length]) if length >= 2 => (sequence.rows, length, length - 1),
        (NextToken::Rows, shape) => {
            return refuse(
                format!(
                    "`{}` has rows of shape {shape:?}, and a row is a sequence of two tokens or more",
                    sequence.name
                ),
                "for one long sequence say how long the windows are: `next_token = 32`",
            );
        }
        (NextToken::Windows(length), []) => {
            let windows = tokens.len().saturating_sub(1) / length;
            if windows == 0 {
                return refuse(
                    format!("`{}` has {} tokens, too few for one window of {length}", sequence.name, tokens.len()),
                    "shorten the windows",
                );
            }
            (windows, length, length)
        }
        (NextToken::Windows(_), shape) => {
            return refuse(
                format!(
                    "`{}` has rows of shape {shape:?}, and windows are cut out of one long sequence",
                    sequence.name
                ),
                "for rows that are sequences already: `next_token = true`",
            );
        }
    };
    let cut = |from: usize| -> Vec<i64> {
        (0..rows)
            .flat_map(|row| tokens.get(row * stride + from..row * stride + from + length).unwrap_or_default())
            .copied()
            .collect()
    };
    let array = |name: &str, values| Array { name: name.to_owned(), rows, shape: vec![length], values };
    Ok((array(&sequence.name, Values::I64(cut(0))), array("y", Values::I64(cut(1)))))
}
