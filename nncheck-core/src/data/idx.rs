//! idx, the format of MNIST (LeCun): two zeros, a kind, the number of axes, their sizes, then the numbers; often
//! compressed with gzip.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::error::{DataError, shown};
use super::{Array, Peek, Table, Values, settle_shape};
use crate::diagnostic::Located;
use crate::spec::data::Data;
use crate::spec::run::Dtype;

/// What the header of a file says.
struct Header {
    kind: u8,
    shape: Vec<usize>,
}

fn open(path: &Path) -> Result<Box<dyn Read>, String> {
    let file = File::open(path).map_err(|why| why.to_string())?;
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
    let mut shape = Vec::new();
    for _ in 0..axes {
        let mut size = [0_u8; 4];
        reader.read_exact(&mut size).map_err(|_| "it ends in its header".to_owned())?;
        shape.push(u32::from_be_bytes(size) as usize);
    }
    Ok(Header { kind, shape })
}

fn values(header: &Header, reader: &mut dyn Read, rows: usize, dtype: Option<Dtype>) -> Result<Values, String> {
    let size: usize = match header.kind {
        0x08 | 0x09 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        0x0e => 8,
        other => return Err(format!("its numbers are of the kind {other:#04x}, which is not known")),
    };
    let row = header.shape.iter().skip(1).try_fold(size, |all, &n| all.checked_mul(n));
    let wanted = row.and_then(|row| row.checked_mul(rows)).ok_or("its shape is too large")?;
    let mut bytes = Vec::new();
    reader.take(wanted as u64).read_to_end(&mut bytes).map_err(|why| why.to_string())?;
    if bytes.len() < wanted {
        return Err(format!("its shape {:?} wants {wanted} bytes, but there are {}", header.shape, bytes.len()));
    }
    let number = |chunk: &[u8]| match (header.kind, chunk) {
        (0x08, &[a]) => f64::from(a),
        (0x09, &[a]) => f64::from(i8::from_be_bytes([a])),
        (0x0b, &[a, b]) => f64::from(i16::from_be_bytes([a, b])),
        (0x0c, &[a, b, c, d]) => f64::from(i32::from_be_bytes([a, b, c, d])),
        (0x0d, &[a, b, c, d]) => f64::from(f32::from_be_bytes([a, b, c, d])),
        (_, &[a, b, c, d, e, f, g, h]) => f64::from_be_bytes([a, b, c, d, e, f, g, h]),
        _ => f64::NAN,
    };
    let numbers = bytes.chunks_exact(size).map(number);
    Ok(match dtype {
        Some(Dtype::Float32) => Values::F32(numbers.map(|v| v as f32).collect()),
        Some(Dtype::Float64) => Values::F64(numbers.collect()),
        None if header.kind < 0x0d => Values::I64(numbers.map(|v| v as i64).collect()),
        None => Values::F64(numbers.collect()),
    })
}

fn about<T>(path: &Located<PathBuf>, result: Result<T, String>) -> Result<T, DataError> {
    result.map_err(|why| {
        DataError::new("data-file", format!("cannot read `{}`: {why}", shown(&path.value))).about(path.span)
    })
}

/// The shape of one image.
pub(super) fn peek(data: &Data, images: &Located<PathBuf>, labels: &Located<PathBuf>) -> Result<Peek, DataError> {
    let head = |path: &Located<PathBuf>| about(path, open(&path.value).and_then(|mut file| header(&mut *file)));
    let row = head(images)?.shape.split_off(1);
    head(labels)?;
    let numbers = row.iter().try_fold(1_usize, |all, &n| all.checked_mul(n)).unwrap_or(usize::MAX);
    Ok(Peek { shape: settle_shape(data, numbers, &row, "numbers in an image")?, columns: Vec::new() })
}

/// Images as quantities, labels as class ids.
pub(super) fn load(
    data: &Data,
    dtype: Dtype,
    images: &Located<PathBuf>,
    labels: &Located<PathBuf>,
) -> Result<Table, DataError> {
    let read = |path: &Located<PathBuf>, name: &str, dtype: Option<Dtype>| {
        let array = open(&path.value).and_then(|mut file| {
            let header = header(&mut *file)?;
            let rows = data.take.unwrap_or(usize::MAX).min(header.shape[0]);
            let values = values(&header, &mut *file, rows, dtype)?;
            Ok((header.shape[0], Array { name: name.to_owned(), rows, shape: header.shape[1..].to_vec(), values }))
        });
        about(path, array)
    };
    let (all_images, mut x) = read(images, "x", Some(dtype))?;
    let (all_labels, y) = read(labels, "y", None)?;
    if all_images != all_labels {
        return Err(DataError::new("data-rows", format!("there are {all_images} images, but {all_labels} labels"))
            .about(labels.span)
            .help("the two files belong to different sets: training images go with training labels"));
    }
    x.shape = settle_shape(data, x.row_len(), &x.shape, "numbers in an image")?;
    Ok(Table { inputs: vec![x], targets: vec![y], origin: None, target: labels.span })
}
