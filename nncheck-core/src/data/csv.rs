//! CSV files: a header row, then rows of numbers; commas, quotes as in RFC 4180, any line end, UTF-8 with or without a
//! byte order mark. Only the columns that are used have to hold numbers.

mod fast;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use csv::StringRecord;

use super::columns::{Columns, Header};
use super::error::{DataError, Place};
use super::text::Text;
use super::{Array, Peek, Table, Values, settle_shape};
use crate::diagnostic::suggest::nearest;
use crate::diagnostic::{Located, Span};
use crate::spec::data::Data;
use crate::spec::loss::Task;
use crate::spec::run::Dtype;

/// As much of a file as a header may take, for looking without reading the rows.
const HEAD: u64 = 1 << 20;

/// What a spec says of a CSV file.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Located<PathBuf>,
    pub(super) target: &'a Located<Vec<String>>,
    pub(super) inputs: Option<&'a Located<Vec<String>>>,
}

/// Where the rows of a table came from.
#[derive(Debug)]
pub(super) struct Origin {
    path: Located<PathBuf>,
    /// Indices of the target columns.
    targets: Vec<usize>,
}

impl Origin {
    /// Where a row's target stands. The file is read again: that is only needed where something is wrong.
    pub(super) fn target_place(&self, row: usize) -> Option<Place> {
        let text = decode(read(&self.path, u64::MAX).ok()?, &self.path).ok()?;
        let mut reader = reader(&text);
        let mut record = StringRecord::new();
        for _ in 0..row + 2 {
            if !read_record(&mut reader, &mut record, self.path.span).ok()? {
                return None;
            }
        }
        let start = usize::try_from(record.position()?.byte()).ok()?;
        Some(text.place(&text.field(start, self.targets.first().copied().unwrap_or(0))))
    }
}

/// Reads the header only.
pub(super) fn peek(data: &Data, task: Task, source: &Source<'_>) -> Result<Peek, DataError> {
    let mut bytes = read(source.path, HEAD)?;
    if bytes.len() as u64 == HEAD {
        match bytes.iter().rposition(|&b| matches!(b, b'\r' | b'\n')) {
            // A whole number of lines: a character that was cut in two is no fault of the file.
            Some(end) => bytes.truncate(end),
            None => bytes = read(source.path, u64::MAX)?,
        }
    }
    let text = decode(bytes, source.path)?;
    let mut reader = reader(&text);
    let (names, columns) = header(&mut reader, &text, source, task)?;
    let shape = settle_shape(data, columns.inputs.len(), &[columns.inputs.len()], "input columns")?;
    Ok(Peek { shape, columns: columns.inputs.iter().map(|&index| names[index].clone()).collect() })
}

/// Reads the rows.
pub(super) fn load(data: &Data, task: Task, dtype: Dtype, source: &Source<'_>) -> Result<Table, DataError> {
    if let Some(table) = load_fast(data, task, dtype, source)? {
        return Ok(table);
    }
    let text = decode(read(source.path, u64::MAX)?, source.path)?;
    let mut reader = reader(&text);
    let (names, columns) = header(&mut reader, &text, source, task)?;
    let inputs = columns.inputs.len();
    let shape = settle_shape(data, inputs, &[inputs], "input columns")?;

    let rows = Rows { text: &text, names: &names, span: source.path.span };
    let (mut x, mut y, mut records) = (Vec::new(), Vec::new(), Vec::new());
    let mut record = StringRecord::new();
    while data.take.is_none_or(|take| records.len() < take) {
        if !read_record(&mut reader, &mut record, source.path.span)? {
            break;
        }
        let start = record.position().map_or(0, |p| usize::try_from(p.byte()).unwrap_or(usize::MAX));
        rows.check_length(&record, start)?;
        for &index in &columns.inputs {
            x.push(rows.number(&record, start, index)?);
        }
        for &index in &columns.targets {
            y.push(rows.number(&record, start, index)?);
        }
        records.push(start);
    }
    if records.is_empty() {
        return Err(DataError::new("data-no-rows", "the file has a header but no rows")
            .about(source.path.span)
            .at(Some(text.place(&text.record(0)))));
    }
    let rows = records.len();
    Ok(Table {
        inputs: vec![Array { name: "x".to_owned(), rows, shape, values: Values::floats(x, dtype) }],
        targets: vec![Array { name: "y".to_owned(), rows, shape: vec![columns.targets.len()], values: Values::F64(y) }],
        origin: Some(Origin { path: source.path.clone(), targets: columns.targets }),
        target: source.target.span,
    })
}

/// A large file of plain numbers; `None` where it is small, or has to be looked at with care.
fn load_fast(data: &Data, task: Task, dtype: Dtype, source: &Source<'_>) -> Result<Option<Table>, DataError> {
    let path = &source.path.value;
    if !std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() >= fast::LARGE) {
        return Ok(None);
    }
    let mut head = read(source.path, HEAD)?;
    let mark = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let Some(end) = head.iter().rposition(|&b| b == b'\n') else { return Ok(None) };
    head.truncate(end + 1);
    let text = decode(head, source.path)?;
    let mut reader = reader(&text);
    let (names, columns) = header(&mut reader, &text, source, task)?;
    let inputs = columns.inputs.len();
    let shape = settle_shape(data, inputs, &[inputs], "input columns")?;
    let start = reader.position().byte() + mark;
    let Ok(numbers) = fast::read(path, start, names.len(), &columns, dtype, data.take) else { return Ok(None) };
    let rows = numbers.rows;
    Ok(Some(Table {
        inputs: vec![Array { name: "x".to_owned(), rows, shape, values: numbers.x }],
        targets: vec![Array {
            name: "y".to_owned(),
            rows,
            shape: vec![columns.targets.len()],
            values: Values::F64(numbers.y),
        }],
        origin: Some(Origin { path: source.path.clone(), targets: columns.targets }),
        target: source.target.span,
    }))
}

type Reader<'a> = csv::Reader<&'a [u8]>;

fn reader(text: &Text) -> Reader<'_> {
    // Rows of another length are told apart here, with both numbers, not by the reader.
    csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.text.as_bytes())
}

fn read_record(reader: &mut Reader<'_>, record: &mut StringRecord, span: Span) -> Result<bool, DataError> {
    reader
        .read_record(record)
        .map_err(|e| DataError::new("data-csv", format!("cannot read the file as CSV: {e}")).about(span))
}

fn header(
    reader: &mut Reader<'_>,
    text: &Text,
    source: &Source<'_>,
    task: Task,
) -> Result<(Vec<String>, Columns), DataError> {
    let span = source.path.span;
    let mut record = StringRecord::new();
    if !read_record(reader, &mut record, span)? || text.text.trim().is_empty() {
        return Err(DataError::new("data-no-header", format!("the file `{}` is empty", name(&text.path)))
            .about(span)
            .help("the first line has to hold the names of the columns"));
    }
    let names: Vec<String> = record.iter().map(|name| name.trim().to_owned()).collect();
    let start = record.position().map_or(0, |p| usize::try_from(p.byte()).unwrap_or(usize::MAX));
    let place = |index| text.place(&text.field(start, index));
    let columns = Header { names: &names, place: &place, span }.choose(source.target, source.inputs, task)?;
    Ok((names, columns))
}

/// The rows of a file, and the words for what is wrong with them.
struct Rows<'a> {
    text: &'a Text,
    names: &'a [String],
    span: Span,
}

impl Rows<'_> {
    fn check_length(&self, record: &StringRecord, start: usize) -> Result<(), DataError> {
        let (got, expected) = (record.len(), self.names.len());
        if got == expected {
            return Ok(());
        }
        // An open quote is where the trouble began; else the first field too many, or the end of the row.
        let open = record.iter().position(|field| field.contains('\n'));
        let at = self.text.field(start, open.unwrap_or(got.min(expected)));
        let fields = if got == 1 { "1 field".to_owned() } else { format!("{got} fields") };
        let error = DataError::new("data-ragged-row", format!("a row of {fields} under a header of {expected}"))
            .about(self.span)
            .at(Some(self.text.place(&at)));
        Err(if open.is_some() {
            error.help("a quote in this row spans several lines: is one missing its end?")
        } else if got > expected {
            error.help("a field that holds a comma has to stand in quotes")
        } else {
            error.help("give every row a field for each column")
        })
    }

    fn number(&self, record: &StringRecord, start: usize, index: usize) -> Result<f64, DataError> {
        let field = record.get(index).unwrap_or_default().trim();
        let value = field.parse::<f64>();
        if let Ok(value) = value
            && value.is_finite()
        {
            return Ok(value);
        }
        let column = &self.names[index];
        let error = match value {
            Ok(value) if value.is_nan() => {
                DataError::new("data-non-finite", format!("column `{column}` holds NaN (`{field}`)"))
                    .help("a NaN in the data makes every loss NaN: drop the row or fill in the value")
            }
            Ok(_) if field.contains(|c: char| c.is_ascii_digit()) => DataError::new(
                "data-non-finite",
                format!("column `{column}` holds `{}`, which is beyond what 64 bits hold", short(field)),
            ),
            Ok(_) => DataError::new("data-non-finite", format!("column `{column}` holds an infinity (`{field}`)"))
                .help("an infinity in the data makes every loss infinite or NaN: drop the row or fill in the value"),
            Err(_) if field.is_empty() => {
                DataError::new("data-missing-value", format!("column `{column}` has no value here"))
                    .help("drop the row or fill in the value")
            }
            Err(_) if ["na", "n/a", "null", "none", "?", "-", "nil"].contains(&field.to_lowercase().as_str()) => {
                DataError::new("data-missing-value", format!("column `{column}` has no value here (`{field}`)"))
                    .help("drop the row or fill in the value")
            }
            Err(_) => self.text_error(column, field),
        };
        Err(error.about(self.span).at(Some(self.text.place(&self.text.field(start, index)))))
    }

    fn text_error(&self, column: &str, field: &str) -> DataError {
        let error =
            DataError::new("data-text", format!("column `{column}` holds the text `{}`, not a number", short(field)));
        if ["true", "false", "yes", "no"].contains(&field.to_lowercase().as_str()) {
            return error.help("write 1 and 0");
        }
        error
            .help("nncheck reads numbers only: encode the column before")
            .help("or leave it out: `inputs = [...]` in [data] lists the columns that are inputs")
    }
}

fn short(field: &str) -> String {
    const MOST: usize = 40;
    if field.chars().count() <= MOST {
        return field.to_owned();
    }
    field.chars().take(MOST).chain(['…']).collect()
}

/// At most `limit` bytes of a file.
fn read(path: &Located<PathBuf>, limit: u64) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    File::open(&path.value)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|e| unreadable(path, &e))?;
    Ok(bytes)
}

fn unreadable(path: &Located<PathBuf>, error: &io::Error) -> DataError {
    let shown = super::error::shown(&path.value);
    let name = name(&path.value);
    if path.value.is_dir() {
        return DataError::new("data-file", format!("`{name}` is a folder, not a file"))
            .about(path.span)
            .help(format!("looked at {shown}"));
    }
    if error.kind() != io::ErrorKind::NotFound {
        return DataError::new("data-file", format!("cannot read `{shown}`: {error}")).about(path.span);
    }
    let missing = DataError::new("data-file", format!("there is no file `{name}`")).about(path.span);
    let folder = path.value.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else {
        return missing.help(format!("there is no folder {}", super::error::shown(folder)));
    };
    let mut files: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    files.sort();
    let missing = match nearest(&name, files.iter().map(String::as_str)) {
        Some(near) => missing.help(format!("did you mean `{near}`, which is in the same folder?")),
        None => missing,
    };
    missing.help(format!("looked for {shown}; paths start from the folder of the file that names them"))
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.to_string_lossy(), |n| n.to_string_lossy()).into_owned()
}

/// The bytes as text, a byte order mark taken off.
fn decode(bytes: Vec<u8>, path: &Located<PathBuf>) -> Result<Text, DataError> {
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    match String::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            Ok(Text::new(&path.value, text))
        }
        Err(e) => {
            let valid = e.utf8_error().valid_up_to();
            let bytes = e.into_bytes();
            let byte = bytes.get(valid).copied().unwrap_or_default();
            let text = Text::new(&path.value, String::from_utf8_lossy(&bytes).into_owned());
            let place = text.place(&(valid..valid + '\u{fffd}'.len_utf8()));
            let error =
                DataError::new("data-utf8", format!("the file is not UTF-8: byte {byte:#04x} makes no character"))
                    .about(path.span)
                    .at(Some(place));
            Err(if utf16 {
                error.help("it looks like UTF-16: save it as UTF-8")
            } else {
                error.help("save the file as UTF-8")
            })
        }
    }
}

#[cfg(test)]
mod tests;
