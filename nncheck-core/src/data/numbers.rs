//! Numbers of a binary file, of whatever kind, straight to the format in which they stay.

use std::io::Read;

use half::{bf16, f16};

use super::Values;
use crate::spec::run::Dtype;

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 16;
/// Numbers for which room is made before they are there: what a header claims is not believed beyond this.
const BELIEVED: usize = 1 << 20;

/// What a number of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Two bytes: IEEE 754 binary16.
    Half,
    /// Two bytes: the upper half of a `Single`.
    Brain,
    Single,
    Double,
    /// So many bytes: 1, 2, 4 or 8.
    Signed(usize),
    /// So many bytes: 1, 2, 4 or 8.
    Unsigned(usize),
    /// One byte, zero or not.
    Bool,
}

impl Kind {
    /// Whether its numbers are whole.
    fn is_integer(self) -> bool {
        matches!(self, Self::Signed(_) | Self::Unsigned(_) | Self::Bool)
    }

    /// Bytes of a number.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Half | Self::Brain => 2,
            Self::Single => 4,
            Self::Double => 8,
            Self::Signed(size) | Self::Unsigned(size) => size,
            Self::Bool => 1,
        }
    }
}

/// How numbers stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) kind: Kind,
    pub(super) big_endian: bool,
}

/// How many numbers an array of this shape has.
pub(super) fn count(shape: &[usize]) -> Result<usize, String> {
    let count = shape.iter().try_fold(1_usize, |all, &n| all.checked_mul(n));
    count.filter(|&n| n <= isize::MAX as usize / 8).ok_or_else(|| format!("its shape {shape:?} is too large"))
}

/// Reads `count` numbers: quantities as `dtype`, integers as integers.
pub(super) fn read(from: impl Read, count: usize, element: Element, dtype: Dtype) -> Result<Values, String> {
    if element.kind.is_integer() {
        read_into(Values::I64(Vec::with_capacity(count.min(BELIEVED))), from, count, element)
    } else {
        read_quantities(from, count, element, dtype)
    }
}

/// Reads `count` numbers as `dtype`, integers too.
pub(super) fn read_quantities(from: impl Read, count: usize, element: Element, dtype: Dtype) -> Result<Values, String> {
    let values = match dtype {
        Dtype::Float32 => Values::F32(Vec::with_capacity(count.min(BELIEVED))),
        Dtype::Float64 => Values::F64(Vec::with_capacity(count.min(BELIEVED))),
    };
    read_into(values, from, count, element)
}

fn read_into(mut values: Values, mut from: impl Read, count: usize, element: Element) -> Result<Values, String> {
    let size = element.kind.size();
    let mut block = vec![0; BLOCK];
    let mut left = count;
    while left > 0 {
        let bytes = &mut block[..left.min(BLOCK / size) * size];
        let there = fill(&mut from, bytes)?;
        if there < bytes.len() {
            let got = (count - left) * size + there;
            return Err(format!("it is cut off: {} bytes of numbers should be there, and {got} are", count * size));
        }
        left -= bytes.len() / size;
        if element.big_endian {
            bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        push(&mut values, element.kind, bytes)?;
    }
    Ok(values)
}

/// Nothing comes after the numbers; what is compressed tells only here that it is damaged.
pub(super) fn end(mut from: impl Read) -> Result<(), String> {
    match fill(&mut from, &mut [0])? {
        0 => Ok(()),
        _ => Err("it goes on after as many numbers as its shape tells of".to_owned()),
    }
}

/// Fills the bytes as far as there are some.
fn fill(from: &mut impl Read, bytes: &mut [u8]) -> Result<usize, String> {
    let mut there = 0;
    while there < bytes.len() {
        match from.read(&mut bytes[there..]) {
            Ok(0) => break,
            Ok(n) => there += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(format!("its numbers cannot be read: {e}")),
        }
    }
    Ok(there)
}

/// A block of integers, on the way to quantities.
fn integers(kind: Kind, bytes: &[u8]) -> Result<Vec<i64>, String> {
    let mut block = Values::I64(Vec::with_capacity(bytes.len() / kind.size()));
    push(&mut block, kind, bytes)?;
    if let Values::I64(block) = block { Ok(block) } else { Ok(Vec::new()) }
}

fn push(values: &mut Values, kind: Kind, bytes: &[u8]) -> Result<(), String> {
    /// Numbers of `N` bytes, least significant first.
    fn each<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> impl Iterator<Item = T> {
        bytes.as_chunks::<N>().0.iter().map(move |&chunk| number(chunk))
    }
    match values {
        Values::F32(to) if kind.is_integer() => to.extend(integers(kind, bytes)?.into_iter().map(|i| i as f32)),
        Values::F64(to) if kind.is_integer() => to.extend(integers(kind, bytes)?.into_iter().map(|i| i as f64)),
        Values::F32(to) => match kind {
            Kind::Half => to.extend(each(bytes, |b| f16::from_le_bytes(b).to_f32())),
            Kind::Brain => to.extend(each(bytes, |b| bf16::from_le_bytes(b).to_f32())),
            Kind::Double => to.extend(each(bytes, |b| f64::from_le_bytes(b) as f32)),
            _ => to.extend(each(bytes, f32::from_le_bytes)),
        },
        Values::F64(to) => match kind {
            Kind::Half => to.extend(each(bytes, |b| f16::from_le_bytes(b).to_f64())),
            Kind::Brain => to.extend(each(bytes, |b| bf16::from_le_bytes(b).to_f64())),
            Kind::Double => to.extend(each(bytes, f64::from_le_bytes)),
            _ => to.extend(each(bytes, |b| f64::from(f32::from_le_bytes(b)))),
        },
        Values::I64(to) => match kind {
            Kind::Signed(1) => to.extend(each(bytes, |b| i64::from(i8::from_le_bytes(b)))),
            Kind::Signed(2) => to.extend(each(bytes, |b| i64::from(i16::from_le_bytes(b)))),
            Kind::Signed(4) => to.extend(each(bytes, |b| i64::from(i32::from_le_bytes(b)))),
            Kind::Signed(_) => to.extend(each(bytes, i64::from_le_bytes)),
            Kind::Unsigned(2) => to.extend(each(bytes, |b| i64::from(u16::from_le_bytes(b)))),
            Kind::Unsigned(4) => to.extend(each(bytes, |b| i64::from(u32::from_le_bytes(b)))),
            Kind::Unsigned(8) => {
                for number in each(bytes, u64::from_le_bytes) {
                    to.push(i64::try_from(number).map_err(|_| format!("it holds {number}, which is beyond 63 bits"))?);
                }
            }
            Kind::Bool => to.extend(bytes.iter().map(|&b| i64::from(b != 0))),
            _ => to.extend(bytes.iter().map(|&b| i64::from(b))),
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(kind: Kind, big_endian: bool, bytes: &[u8]) -> Values {
        read(bytes, bytes.len() / kind.size(), Element { kind, big_endian }, Dtype::Float64).unwrap()
    }

    #[test]
    fn numbers_of_every_kind_are_read() {
        assert_eq!(values(Kind::Half, false, &[0x00, 0x3e, 0x00, 0xc0]), Values::F64(vec![1.5, -2.0]));
        assert_eq!(values(Kind::Brain, false, &[0xc0, 0x3f]), Values::F64(vec![1.5]));
        assert_eq!(values(Kind::Single, true, &1.5_f32.to_be_bytes()), Values::F64(vec![1.5]));
        assert_eq!(values(Kind::Double, true, &(-2.5_f64).to_be_bytes()), Values::F64(vec![-2.5]));
        assert_eq!(values(Kind::Signed(1), false, &[0xff, 3]), Values::I64(vec![-1, 3]));
        assert_eq!(values(Kind::Signed(2), true, &[0xff, 0xfe]), Values::I64(vec![-2]));
        assert_eq!(values(Kind::Signed(4), false, &(-7_i32).to_le_bytes()), Values::I64(vec![-7]));
        assert_eq!(values(Kind::Signed(8), false, &i64::MIN.to_le_bytes()), Values::I64(vec![i64::MIN]));
        assert_eq!(values(Kind::Unsigned(1), false, &[0xff]), Values::I64(vec![255]));
        assert_eq!(values(Kind::Unsigned(2), false, &[0xff, 0xff]), Values::I64(vec![65535]));
        assert_eq!(values(Kind::Bool, false, &[0, 1, 2]), Values::I64(vec![0, 1, 1]));
    }

    #[test]
    fn whole_quantities_are_read_without_a_detour() {
        let element = Element { kind: Kind::Unsigned(1), big_endian: false };
        let read = |dtype| read_quantities(&[0_u8, 7, 255][..], 3, element, dtype).unwrap();
        assert_eq!(read(Dtype::Float32), Values::F32(vec![0.0, 7.0, 255.0]));
        assert_eq!(read(Dtype::Float64), Values::F64(vec![0.0, 7.0, 255.0]));
    }

    #[test]
    fn more_than_a_block_is_read_in_order() {
        let bytes: Vec<u8> = (0..100_000_i32).flat_map(i32::to_le_bytes).collect();
        assert_eq!(values(Kind::Signed(4), false, &bytes), Values::I64((0..100_000).collect()));
    }

    #[test]
    fn what_is_not_there_is_told_and_no_room_is_made_for_it() {
        let single = Element { kind: Kind::Single, big_endian: false };
        let error = read(&[0_u8; 6][..], 1 << 40, single, Dtype::Float32).unwrap_err();
        assert_eq!(error, "it is cut off: 4398046511104 bytes of numbers should be there, and 6 are");
        assert!(count(&[usize::MAX, 2]).unwrap_err().contains("too large"));
        let huge = Element { kind: Kind::Unsigned(8), big_endian: false };
        assert!(read(&[0xff_u8; 8][..], 1, huge, Dtype::Float32).unwrap_err().contains("63 bits"));
    }
}
