//! numpy's array format (NEP 1): a header that is a Python literal, then the numbers.

use super::Values;
use crate::spec::run::Dtype;

/// The longest header that is believed.
const LONGEST_HEADER: usize = 64 * 1024;

/// What the header of an array says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) shape: Vec<usize>,
    kind: Kind,
    big_endian: bool,
    /// The first axis runs fastest.
    fortran: bool,
    /// Where the numbers begin.
    pub(super) start: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Float(usize),
    Signed(usize),
    Unsigned(usize),
    Bool,
}

impl Header {
    /// How many bytes the numbers take.
    pub(super) fn bytes(&self) -> Option<usize> {
        let count = self.shape.iter().try_fold(1_usize, |all, &n| all.checked_mul(n))?;
        count.checked_mul(self.kind.size())
    }

    /// Reads the header at the start of an array.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let Some(rest) = bytes.strip_prefix(b"\x93NUMPY") else {
            return Err("it is no array of numpy's".to_owned());
        };
        let cut = || "it ends in its header".to_owned();
        let (length, start) = match rest.first() {
            Some(1) => match rest.get(2..4) {
                Some(&[a, b]) => (usize::from(u16::from_le_bytes([a, b])), 10),
                _ => return Err(cut()),
            },
            Some(2 | 3) => match rest.get(2..6) {
                Some(&[a, b, c, d]) => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
                _ => return Err(cut()),
            },
            _ => return Err("it is of a version of numpy's format that is not known".to_owned()),
        };
        if length > LONGEST_HEADER {
            return Err("its header is too long to be one".to_owned());
        }
        let text = bytes.get(start..start + length).ok_or_else(cut)?;
        let text = std::str::from_utf8(text).map_err(|_| "its header is not text".to_owned())?;
        let descr = quoted(text, "descr").ok_or_else(|| {
            if text.contains("'descr': [") {
                "its elements are records, not numbers".to_owned()
            } else {
                "its header does not say what its numbers are".to_owned()
            }
        })?;
        let (kind, big_endian) = kind(descr)?;
        let fortran = after(text, "fortran_order").is_some_and(|rest| rest.starts_with("True"));
        let shape = shape(text).ok_or_else(|| "its header does not say its shape".to_owned())?;
        Ok(Self { shape, kind, big_endian, fortran, start: start + length })
    }

    /// The numbers of an array, `bytes` being those behind the header.
    pub(super) fn values(&self, bytes: &[u8], dtype: Dtype) -> Result<Values, String> {
        let wanted = self.bytes().ok_or_else(|| "its shape is too large".to_owned())?;
        let Some(bytes) = bytes.get(..wanted) else {
            return Err(format!("its shape {:?} wants {wanted} bytes, but there are {}", self.shape, bytes.len()));
        };
        let size = self.kind.size();
        let element = |chunk: &[u8]| {
            let mut wide = [0_u8; 8];
            for (i, byte) in chunk.iter().enumerate() {
                wide[if self.big_endian { size - 1 - i } else { i }] = *byte;
            }
            wide
        };
        let values = match self.kind {
            Kind::Float(size) => {
                let float = |chunk: &[u8]| {
                    let wide = element(chunk);
                    match size {
                        2 => half(u16::from_le_bytes([wide[0], wide[1]])),
                        4 => f64::from(f32::from_le_bytes([wide[0], wide[1], wide[2], wide[3]])),
                        _ => f64::from_le_bytes(wide),
                    }
                };
                match dtype {
                    Dtype::Float32 => Values::F32(bytes.chunks_exact(size).map(|c| float(c) as f32).collect()),
                    Dtype::Float64 => Values::F64(bytes.chunks_exact(size).map(float).collect()),
                }
            }
            Kind::Signed(size) => Values::I64(
                bytes
                    .chunks_exact(size)
                    .map(|chunk| {
                        let unused = 64 - 8 * size as u32;
                        (i64::from_le_bytes(element(chunk)) << unused) >> unused
                    })
                    .collect(),
            ),
            Kind::Unsigned(size) => {
                let whole: Result<Vec<i64>, _> =
                    bytes.chunks_exact(size).map(|c| i64::try_from(u64::from_le_bytes(element(c)))).collect();
                Values::I64(whole.map_err(|_| "it holds a number beyond what 63 bits hold".to_owned())?)
            }
            Kind::Bool => Values::I64(bytes.iter().map(|&b| i64::from(b != 0)).collect()),
        };
        Ok(if self.fortran && self.shape.len() > 1 { transposed(&values, &self.shape) } else { values })
    }
}

impl Kind {
    fn size(self) -> usize {
        match self {
            Self::Float(size) | Self::Signed(size) | Self::Unsigned(size) => size,
            Self::Bool => 1,
        }
    }
}

/// What stands behind a key of the header.
fn after<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let at = text.find(&format!("'{key}'")).or_else(|| text.find(&format!("\"{key}\"")))?;
    Some(text.get(at + key.len() + 2..)?.trim_start().strip_prefix(':')?.trim_start())
}

fn quoted<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let rest = after(text, key)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    rest.get(1..)?.split(quote).next()
}

fn shape(text: &str) -> Option<Vec<usize>> {
    let inner = after(text, "shape")?.strip_prefix('(')?.split(')').next()?;
    inner.split(',').map(str::trim).filter(|n| !n.is_empty()).map(|n| n.parse().ok()).collect()
}

fn kind(descr: &str) -> Result<(Kind, bool), String> {
    let (order, rest) = match descr.chars().next() {
        Some(order @ ('<' | '>' | '|' | '=')) => (order, descr.get(1..).unwrap_or_default()),
        _ => ('<', descr),
    };
    let size = rest.get(1..).and_then(|size| size.parse::<usize>().ok());
    let kind = match (rest.chars().next(), size) {
        (Some('f'), Some(size @ (2 | 4 | 8))) => Kind::Float(size),
        (Some('i'), Some(size @ (1 | 2 | 4 | 8))) => Kind::Signed(size),
        (Some('u'), Some(size @ (1 | 2 | 4 | 8))) => Kind::Unsigned(size),
        (Some('b'), Some(1)) => Kind::Bool,
        (Some('O'), _) => return Err("its elements are Python objects, not numbers".to_owned()),
        (Some('U' | 'S'), _) => return Err("its elements are text, not numbers".to_owned()),
        _ => return Err(format!("its elements are of the kind `{}`, not numbers", descr.escape_debug())),
    };
    Ok((kind, order == '>'))
}

/// A half-precision number (IEEE 754 binary16).
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    match exponent {
        0 => sign * fraction * 2_f64.powi(-24),
        0x1f if fraction == 0.0 => sign * f64::INFINITY,
        0x1f => f64::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
    }
}

/// From the first axis fastest to the last axis fastest.
fn transposed(values: &Values, shape: &[usize]) -> Values {
    fn reorder<T: Copy>(values: &[T], shape: &[usize]) -> Vec<T> {
        let mut strides = Vec::with_capacity(shape.len());
        let mut stride = 1;
        for &size in shape {
            strides.push(stride);
            stride *= size;
        }
        let mut index = vec![0; shape.len()];
        let mut out = Vec::with_capacity(values.len());
        for _ in 0..values.len() {
            let at: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
            out.push(values[at]);
            for axis in (0..shape.len()).rev() {
                index[axis] += 1;
                if index[axis] < shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        out
    }
    match values {
        Values::F32(values) => Values::F32(reorder(values, shape)),
        Values::F64(values) => Values::F64(reorder(values, shape)),
        Values::I64(values) => Values::I64(reorder(values, shape)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(descr: &str, fortran: bool, shape: &str, body: &[u8]) -> Vec<u8> {
        let fortran = if fortran { "True" } else { "False" };
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(body);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<(Vec<usize>, Values), String> {
        let header = Header::read(bytes)?;
        Ok((header.shape.clone(), header.values(&bytes[header.start..], Dtype::Float64)?))
    }

    #[test]
    fn numbers_of_every_kind_are_read() {
        assert_eq!(read(&array("<f4", false, "(1,)", &1.5_f32.to_le_bytes())).unwrap().1, Values::F64(vec![1.5]));
        assert_eq!(read(&array(">f8", false, "(1,)", &(-2.5_f64).to_be_bytes())).unwrap().1, Values::F64(vec![-2.5]));
        assert_eq!(
            read(&array("<f2", false, "(2,)", &[0x00, 0x3e, 0x00, 0xc0])).unwrap().1,
            Values::F64(vec![1.5, -2.0])
        );
        assert_eq!(read(&array("|i1", false, "(2,)", &[0xff, 3])).unwrap().1, Values::I64(vec![-1, 3]));
        assert_eq!(read(&array("<u2", false, "(1,)", &[0xff, 0xff])).unwrap().1, Values::I64(vec![65535]));
        assert_eq!(read(&array("|b1", false, "(2,)", &[0, 1])).unwrap().1, Values::I64(vec![0, 1]));
    }

    #[test]
    fn the_order_of_fortran_is_turned() {
        let (shape, values) = read(&array("|u1", true, "(2, 3)", &[1, 4, 2, 5, 3, 6])).unwrap();
        assert_eq!((shape, values), (vec![2, 3], Values::I64(vec![1, 2, 3, 4, 5, 6])));
    }

    #[test]
    fn what_is_no_array_of_numbers_is_told() {
        for (bytes, words) in [
            (array("|O", false, "(1,)", &[]), "Python objects"),
            (array("<U3", false, "(1,)", &[]), "text"),
            (array("<f4", false, "(9999999, 9999999999, 99999999)", &[]), "too large"),
            (array("<f4", false, "(2,)", &[0; 4]), "wants 8 bytes"),
            (b"PK".to_vec(), "no array"),
            (b"\x93NUMPY\x01\x00\xff".to_vec(), "ends in its header"),
        ] {
            let error = read(&bytes).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
