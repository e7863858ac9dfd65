//! CSV files: a header row, then rows of numbers; commas, quotes as in RFC 4180, any line end, UTF-8 with or without a
//! byte order mark. Only the columns that are used have to hold numbers.
//!
//! A file is read once, in chunks of whole records, and the numbers go straight to where they stay. Chunks are parsed
//! side by side and put together in the order of the file, so that neither the rows nor the first error depend on how
//! many there are at a time.

mod chunks;
mod parse;
mod record;

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use csv::StringRecord;

use super::columns::{Columns, Header};
use super::error::{DataError, Place};
use super::file::{name, open, unreadable};
use super::text::Text;
use super::{Array, Peek, Table, Values, settle_shape};
use crate::diagnostic::{Located, Span};
use crate::spec::data::Data;
use crate::spec::loss::Task;
use crate::spec::run::Dtype;
use chunks::{Chunks, LONGEST, lines_before};
use parse::{Fault, Loaded};
use record::Rows;

/// As much of a file as is looked at first for its header.
const HEAD: u64 = 1 << 20;

/// What a spec says of a CSV file.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Located<PathBuf>,
    pub(super) target: &'a Located<Vec<String>>,
    pub(super) inputs: Option<&'a Located<Vec<String>>>,
}

/// Where the rows of a table came from: enough to find one again.
#[derive(Debug)]
pub(super) struct Origin {
    path: PathBuf,
    /// Where the first record begins.
    start: u64,
    /// The column of the first target.
    target: usize,
}

impl Origin {
    /// Where a row's target stands; the file is read again up to there.
    pub(super) fn target_place(&self, row: usize) -> Option<Place> {
        let mut chunks = Chunks::new(File::open(&self.path).ok()?, self.start).ok()?;
        let mut left = row;
        while let Ok(Some(chunk)) = chunks.next() {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&chunk.bytes[..]);
            let mut record = csv::ByteRecord::new();
            while let Ok(true) = reader.read_byte_record(&mut record) {
                if left == 0 {
                    let begin = usize::try_from(record.position()?.byte()).ok()?;
                    let text = String::from_utf8_lossy(chunk.bytes.get(begin..)?).into_owned();
                    let lines = lines_before(&self.path, chunk.start + begin as u64).ok()?;
                    let text = Text::new(&self.path, text).after(lines);
                    return Some(text.place(&text.field(0, self.target)));
                }
                left -= 1;
            }
        }
        None
    }
}

/// The beginning of a file.
struct Head {
    text: Text,
    names: Vec<String>,
    columns: Columns,
    /// Where the first record after the header begins in the file.
    data: u64,
}

/// Reads the header only.
pub(super) fn peek(data: &Data, task: Task, source: &Source<'_>) -> Result<Peek, DataError> {
    let Head { names, columns, .. } = head(&open(source.path)?, task, source)?;
    let shape = settle_shape(data, columns.inputs.len(), &[columns.inputs.len()], "input columns")?;
    Ok(Peek { shape, columns: columns.inputs.iter().map(|&index| names[index].clone()).collect() })
}

/// Reads the rows.
pub(super) fn load(data: &Data, task: Task, dtype: Dtype, source: &Source<'_>) -> Result<Table, DataError> {
    let file = open(source.path)?;
    let Head { text, names, columns, data: start } = head(&file, task, source)?;
    let inputs = columns.inputs.len();
    let shape = settle_shape(data, inputs, &[inputs], "input columns")?;
    let path = &source.path.value;
    let rows = Rows { path, names: &names, columns: &columns, span: source.path.span, task, dtype };
    let chunks = Chunks::new(file, start).map_err(|e| unreadable(source.path, &e))?;
    let most = data.take.unwrap_or(usize::MAX);
    let (values, loaded) = match dtype {
        Dtype::Float32 => {
            let (x, loaded) = parse::all::<f32>(chunks, &rows, most);
            (Values::F32(x), loaded)
        }
        Dtype::Float64 => {
            let (x, loaded) = parse::all::<f64>(chunks, &rows, most);
            (Values::F64(x), loaded)
        }
    };
    let Loaded { targets, rows: read, fault } = loaded;
    if let Some(fault) = fault {
        return Err(explain(&fault, source.path, &rows));
    }
    if read == 0 {
        return Err(DataError::new("data-no-rows", "the file has a header but no rows")
            .about(source.path.span)
            .at(Some(text.place(&text.record(0)))));
    }
    let target = columns.targets.first().copied().unwrap_or(0);
    Ok(Table {
        inputs: vec![Array { name: "x".to_owned(), rows: read, shape, values }],
        targets: vec![Array {
            name: "y".to_owned(),
            rows: read,
            shape: vec![columns.targets.len()],
            values: Values::F64(targets),
        }],
        origin: Some(Origin { path: path.clone(), start, target }),
        target: source.target.span,
    })
}

/// The words for what stopped the reading; the place is read again for them.
fn explain(fault: &Fault, path: &Located<PathBuf>, rows: &Rows<'_>) -> DataError {
    let again = |at: u64| {
        let lines = lines_before(&path.value, at)?;
        let mut file = File::open(&path.value)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        file.take(LONGEST as u64).read_to_end(&mut bytes)?;
        Ok((bytes, lines))
    };
    let outcome = match fault {
        Fault::Unreadable(error) => return unreadable(path, error),
        Fault::Record(at) => again(*at).map(|(mut bytes, lines)| {
            // What follows the record may be what is not read.
            if let Err(e) = std::str::from_utf8(&bytes) {
                bytes.truncate(e.valid_up_to());
            }
            let text = Text::new(&path.value, String::from_utf8(bytes).unwrap_or_default()).after(lines);
            rows.record(&text).err()
        }),
        Fault::NotUtf8(at) => again(*at).map(|(bytes, lines)| decode(bytes, path, lines).err()),
        Fault::TooLong(at) => again(*at).map(|(bytes, lines)| {
            let text = Text::new(&path.value, String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned());
            let text = text.after(lines);
            Some(
                DataError::new("data-ragged-row", format!("a row is longer than {} MiB", LONGEST >> 20))
                    .about(path.span)
                    .at(Some(text.place(&text.field(0, 0))))
                    .help("a quote in this row may lack its end"),
            )
        }),
    };
    let changed = || DataError::new("data-file", "the file changed while it was read").about(path.span);
    outcome.map_or_else(|e: std::io::Error| unreadable(path, &e), |error| error.unwrap_or_else(changed))
}

/// The header; of a long file no more than its beginning is read.
fn head(file: &File, task: Task, source: &Source<'_>) -> Result<Head, DataError> {
    let read = |limit: u64| {
        let mut bytes = Vec::new();
        let mut from = file;
        std::io::Seek::rewind(&mut from)?;
        from.take(limit).read_to_end(&mut bytes).map(|_| bytes)
    };
    let failed = |e: std::io::Error| unreadable(source.path, &e);
    let mut bytes = read(HEAD).map_err(failed)?;
    for limit in [HEAD, LONGEST as u64] {
        if (bytes.len() as u64) < limit {
            break;
        }
        match bytes.iter().rposition(|&b| matches!(b, b'\r' | b'\n')) {
            // A whole number of lines: a character that was cut in two is no fault of the file.
            Some(end) => {
                bytes.truncate(end + 1);
                break;
            }
            None if limit == HEAD => bytes = read(LONGEST as u64).map_err(failed)?,
            None => {
                return Err(DataError::new(
                    "data-header",
                    format!("the first line is longer than {} MiB", limit >> 20),
                )
                .about(source.path.span)
                .help("is this a CSV file?"));
            }
        }
    }
    // Rows that are not UTF-8 are told when it is their turn.
    let line = bytes.iter().position(|&b| matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
    if let Err(e) = std::str::from_utf8(&bytes)
        && e.valid_up_to() > line
    {
        bytes.truncate(e.valid_up_to());
    }
    let mark = if bytes.starts_with(MARK) { MARK.len() as u64 } else { 0 };
    let text = decode(bytes, source.path, 0)?;
    let mut reader = reader(&text);
    let (names, columns) = header(&mut reader, &text, source, task)?;
    let data = mark + reader.position().byte();
    Ok(Head { text, names, columns, data })
}

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

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

/// The names of the columns and which of them are read.
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

/// The bytes as text, a byte order mark taken off.
fn decode(bytes: Vec<u8>, path: &Located<PathBuf>, lines: usize) -> Result<Text, DataError> {
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    match String::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            Ok(Text::new(&path.value, text).after(lines))
        }
        Err(e) => {
            let valid = e.utf8_error().valid_up_to();
            let bytes = e.into_bytes();
            let byte = bytes.get(valid).copied().unwrap_or_default();
            let text = Text::new(&path.value, String::from_utf8_lossy(&bytes).into_owned()).after(lines);
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
