//! safetensors: a header of names, kinds, shapes and places, then the numbers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use safetensors::tensor::{Dtype as Stored, Metadata, TensorInfo};

use super::Values;
use super::archive::Archive;
use super::numbers::{self, Element, Kind};
use crate::spec::run::Dtype;

/// The longest header that the format allows.
const LONGEST_HEADER: u64 = 100_000_000;

pub(super) struct Safetensors {
    file: File,
    /// Where the numbers begin.
    start: u64,
    tensors: BTreeMap<String, TensorInfo>,
}

pub(super) fn open(mut file: File) -> Result<Safetensors, String> {
    let size = file.metadata().map_err(|why| why.to_string())?.len();
    let mut length = [0_u8; 8];
    let no = || "it is no safetensors file".to_owned();
    file.read_exact(&mut length).map_err(|_| no())?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER || length.saturating_add(8) > size {
        return Err(no());
    }
    let mut header = Vec::new();
    Read::by_ref(&mut file).take(length).read_to_end(&mut header).map_err(|why| why.to_string())?;
    let metadata: Metadata = serde_json::from_slice(&header).map_err(|why| format!("its header is broken: {why}"))?;
    let tensors: BTreeMap<String, TensorInfo> =
        metadata.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
    let start = 8 + length;
    let end = tensors.values().map(|info| info.data_offsets.1 as u64).max().unwrap_or(0);
    if start.saturating_add(end) > size {
        return Err(format!(
            "it is cut off: its header tells of {end} bytes of numbers, and {} are there",
            size - start
        ));
    }
    if start + end < size {
        return Err(format!(
            "it goes on after the {end} bytes of numbers that its header tells of: {} are there",
            size - start
        ));
    }
    Ok(Safetensors { file, start, tensors })
}

/// The names of the tensors in a file.
///
/// # Errors
/// When it cannot be read, or is no safetensors file.
pub fn names(path: &Path) -> Result<Vec<String>, String> {
    let file = File::open(path).map_err(|why| why.to_string())?;
    Ok(open(file)?.names())
}

impl Archive for Safetensors {
    fn what(&self) -> &'static str {
        "safetensors.torch.save_file({\"x\": x, \"y\": y}, \"data.safetensors\")"
    }

    fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn shape(&mut self, name: &str) -> Result<Vec<usize>, String> {
        self.tensors.get(name).map(|info| info.shape.clone()).ok_or_else(|| "it is not there".to_owned())
    }

    fn array(&mut self, name: &str, most: usize, dtype: Dtype) -> Result<(Vec<usize>, Values), String> {
        let info = self.tensors.get(name).ok_or("it is not there")?;
        let (from, to) = info.data_offsets;
        let kind = kind(info.dtype)?;
        let mut shape = info.shape.clone();
        if numbers::count(&shape)?.checked_mul(kind.size()) != to.checked_sub(from) {
            return Err(format!("its shape {shape:?} and its place, {from} to {to}, do not agree"));
        }
        if let Some(rows) = shape.first_mut() {
            *rows = most.min(*rows);
        }
        self.file.seek(SeekFrom::Start(self.start + from as u64)).map_err(|why| why.to_string())?;
        let element = Element { kind, big_endian: false };
        let values = numbers::read(&mut self.file, numbers::count(&shape)?, element, dtype)?;
        Ok((shape, values))
    }
}

fn kind(stored: Stored) -> Result<Kind, String> {
    Ok(match stored {
        Stored::F16 => Kind::Half,
        Stored::BF16 => Kind::Brain,
        Stored::F32 => Kind::Single,
        Stored::F64 => Kind::Double,
        Stored::I8 => Kind::Signed(1),
        Stored::I16 => Kind::Signed(2),
        Stored::I32 => Kind::Signed(4),
        Stored::I64 => Kind::Signed(8),
        Stored::U8 => Kind::Unsigned(1),
        Stored::U16 => Kind::Unsigned(2),
        Stored::U32 => Kind::Unsigned(4),
        Stored::U64 => Kind::Unsigned(8),
        Stored::BOOL => Kind::Bool,
        other => return Err(format!("its numbers are of the kind {other:?}, which is not read")),
    })
}
