//! idx, the format of MNIST (LeCun): two zeros, a kind, the number of axes, their sizes, then the numbers; often
//! compressed with gzip.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;

use flate2::read::MultiGzDecoder;

use super::error::{DataError, shown};
use super::numbers::{self, Element, Kind};
use super::{Array, Peek, Table, Values, settle_shape};
use crate::diagnostic::{Located, Span};
use crate::spec::data::Data;
use crate::spec::run::Dtype;

/// What the header of a file says.
struct Header {
    kind: Kind,
    shape: Vec<usize>,
}

fn open(file: File) -> Result<Box<dyn Read>, String> {
    let mut reader = BufReader::new(file);
    let start = std::io::BufRead::fill_buf(&mut reader).map_err(|why| why.to_string())?;
    Ok(if start.starts_with(&[0x1f, 0x8b]) { Box::new(MultiGzDecoder::new(reader)) } else { Box::new(reader) })
}

fn header(reader: &mut dyn Read) -> Result<Header, String> {
    let mut start = [0_u8; 4];
    reader.read_exact(&mut start).map_err(|_| "it is too short for an idx file".to_owned())?;
    let [0, 0, kind, axes @ 1..=8] = start else {
        return Err("it is no idx file: one begins with two zeros, a kind and a number of axes".to_owned());
    };
    let kind = match kind {
        0x08 => Kind::Unsigned(1),
        0x09 => Kind::Signed(1),
        0x0b => Kind::Signed(2),
        0x0c => Kind::Signed(4),
        0x0d => Kind::Single,
        0x0e => Kind::Double,
        other => return Err(format!("its numbers are of the kind {other:#04x}, which is not known")),
    };
    let mut shape = Vec::new();
    for _ in 0..axes {
        let mut size = [0_u8; 4];
        reader.read_exact(&mut size).map_err(|_| "it ends in its header".to_owned())?;
        shape.push(u32::from_be_bytes(size) as usize);
    }
    Ok(Header { kind, shape })
}

/// The shape of a file's array, and as many of its rows as hold no more than so many numbers.
pub(super) fn beginning(file: File, most: usize) -> Result<(Vec<usize>, Values), String> {
    let mut file = open(file)?;
    let Header { kind, shape } = header(&mut *file)?;
    let mut some = shape.clone();
    let row = numbers::count(&shape[1..])?;
    some[0] = some[0].min((most / row.max(1)).max(1));
    let values = numbers::read(file, numbers::count(&some)?, Element { kind, big_endian: true }, Dtype::Float64)?;
    Ok((shape, values))
}

fn about<T>(path: &Located<PathBuf>, result: Result<T, String>) -> Result<T, DataError> {
    result.map_err(|why| {
        DataError::new("data-file", format!("cannot read `{}`: {why}", shown(&path.value))).about(path.span)
    })
}

/// What two headers say of each other.
fn check(images: &Header, labels: &Header, span: Span) -> Result<(), DataError> {
    let (all_images, all_labels) = (images.shape[0], labels.shape[0]);
    if all_images != all_labels {
        return Err(DataError::new("data-rows", format!("there are {all_images} images, but {all_labels} labels"))
            .about(span)
            .help("the two files belong to different sets: training images go with training labels"));
    }
    Ok(())
}

/// The shape of one image.
pub(super) fn peek(data: &Data, images: &Located<PathBuf>, labels: &Located<PathBuf>) -> Result<Peek, DataError> {
    let head = |path: &Located<PathBuf>| {
        let file = super::file::open(path)?;
        about(path, open(file).and_then(|mut file| header(&mut *file)))
    };
    let first = head(images)?;
    check(&first, &head(labels)?, labels.span)?;
    let row = first.shape[1..].to_vec();
    let numbers = about(images, numbers::count(&row))?;
    Ok(Peek { shape: settle_shape(data, numbers, &row, "numbers in an image")?, columns: Vec::new() })
}

/// Images as quantities, labels as class ids.
pub(super) fn load(
    data: &Data,
    dtype: Dtype,
    images: &Located<PathBuf>,
    labels: &Located<PathBuf>,
) -> Result<Table, DataError> {
    let start = |path: &Located<PathBuf>| {
        let file = super::file::open(path)?;
        about(
            path,
            open(file).and_then(|mut file| {
                let header = header(&mut *file)?;
                Ok((header, file))
            }),
        )
    };
    let (image, x) = start(images)?;
    let (label, y) = start(labels)?;
    check(&image, &label, labels.span)?;
    // The bytes of images are brightnesses, not tokens.
    let read = |path: &Located<PathBuf>, name: &str, header: Header, mut file: Box<dyn Read>, quantities: bool| {
        let mut shape = header.shape;
        let all = shape[0];
        shape[0] = all.min(data.take.unwrap_or(usize::MAX));
        let element = Element { kind: header.kind, big_endian: true };
        let numbers = if quantities { numbers::read_quantities } else { numbers::read };
        let read = numbers::count(&shape).and_then(|count| numbers(&mut file, count, element, dtype));
        let whole = |values| if shape[0] == all { numbers::end(file).map(|()| values) } else { Ok(values) };
        let values = about(path, read.and_then(whole))?;
        Ok::<_, DataError>(Array { name: name.to_owned(), rows: shape[0], shape: shape[1..].to_vec(), values })
    };
    let mut x = read(images, "x", image, x, true)?;
    let y = read(labels, "y", label, y, false)?;
    x.shape = settle_shape(data, x.row_len(), &x.shape, "numbers in an image")?;
    Ok(Table { inputs: vec![x], targets: vec![y], origin: None, target: labels.span })
}
