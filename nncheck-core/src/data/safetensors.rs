//! safetensors: a header of names, kinds, shapes and places, then the numbers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use safetensors::tensor::{Dtype as Kind, Metadata, TensorInfo};

use super::Values;
use super::arrays::Archive;
use crate::spec::run::Dtype;

/// The longest header that the format allows.
const LONGEST_HEADER: u64 = 100_000_000;

pub(super) struct Safetensors {
    file: File,
    /// Where the numbers begin.
    start: u64,
    tensors: BTreeMap<String, TensorInfo>,
}

pub(super) fn open(path: &Path) -> Result<Safetensors, String> {
    let mut file = File::open(path).map_err(|why| why.to_string())?;
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
    Ok(Safetensors { file, start, tensors })
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

    fn array(&mut self, name: &str, dtype: Dtype) -> Result<(Vec<usize>, Values), String> {
        let info = self.tensors.get(name).ok_or("it is not there")?;
        let (from, to) = info.data_offsets;
        let size = to.checked_sub(from).ok_or("its place is no place")?;
        self.file.seek(SeekFrom::Start(self.start + from as u64)).map_err(|why| why.to_string())?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut self.file).take(size as u64).read_to_end(&mut bytes).map_err(|why| why.to_string())?;
        Ok((info.shape.clone(), values(info.dtype, &bytes, dtype)?))
    }
}

fn values(kind: Kind, bytes: &[u8], dtype: Dtype) -> Result<Values, String> {
    fn each<const N: usize, T>(bytes: &[u8], number: fn([u8; N]) -> T) -> impl Iterator<Item = T> {
        bytes.chunks_exact(N).map(move |chunk| {
            let mut own = [0; N];
            own.copy_from_slice(chunk);
            number(own)
        })
    }
    let bfloat = |b: [u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16);
    Ok(match (kind, dtype) {
        (Kind::F32, Dtype::Float32) => Values::F32(each(bytes, f32::from_le_bytes).collect()),
        (Kind::F32, Dtype::Float64) => Values::F64(each(bytes, f32::from_le_bytes).map(f64::from).collect()),
        (Kind::F64, Dtype::Float32) => Values::F32(each(bytes, f64::from_le_bytes).map(|v| v as f32).collect()),
        (Kind::F64, Dtype::Float64) => Values::F64(each(bytes, f64::from_le_bytes).collect()),
        (Kind::BF16, Dtype::Float32) => Values::F32(each(bytes, bfloat).collect()),
        (Kind::BF16, Dtype::Float64) => Values::F64(each(bytes, bfloat).map(f64::from).collect()),
        (Kind::I64, _) => Values::I64(each(bytes, i64::from_le_bytes).collect()),
        (Kind::I32, _) => Values::I64(each(bytes, i32::from_le_bytes).map(i64::from).collect()),
        (Kind::I16, _) => Values::I64(each(bytes, i16::from_le_bytes).map(i64::from).collect()),
        (Kind::I8, _) => Values::I64(each(bytes, i8::from_le_bytes).map(i64::from).collect()),
        (Kind::U8 | Kind::BOOL, _) => Values::I64(bytes.iter().map(|&b| i64::from(b)).collect()),
        (other, _) => return Err(format!("its numbers are of the kind {other:?}, which is not read")),
    })
}
