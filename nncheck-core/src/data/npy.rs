//! numpy's array format (NEP 1): a header that is a Python literal, then the numbers.

use super::Values;
use super::numbers::{Element, Kind};

/// The longest header that is believed.
const LONGEST_HEADER: usize = 64 * 1024;

/// What the header of an array says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) shape: Vec<usize>,
    pub(super) element: Element,
    /// The first axis runs fastest.
    pub(super) fortran: bool,
    /// Where the numbers begin.
    pub(super) start: usize,
}

impl Header {
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
        let element = element(descr)?;
        let fortran = after(text, "fortran_order").is_some_and(|rest| rest.starts_with("True"));
        let shape = shape(text).ok_or_else(|| "its header does not say its shape".to_owned())?;
        Ok(Self { shape, element, fortran, start: start + length })
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

fn element(descr: &str) -> Result<Element, String> {
    let (order, rest) = match descr.chars().next() {
        Some(order @ ('<' | '>' | '|' | '=')) => (order, descr.get(1..).unwrap_or_default()),
        _ => ('<', descr),
    };
    let size = rest.get(1..).and_then(|size| size.parse::<usize>().ok());
    let kind = match (rest.chars().next(), size) {
        (Some('f'), Some(2)) => Kind::Half,
        (Some('f'), Some(4)) => Kind::Single,
        (Some('f'), Some(8)) => Kind::Double,
        (Some('i'), Some(size @ (1 | 2 | 4 | 8))) => Kind::Signed(size),
        (Some('u'), Some(size @ (1 | 2 | 4 | 8))) => Kind::Unsigned(size),
        (Some('b'), Some(1)) => Kind::Bool,
        (Some('O'), _) => return Err("its elements are Python objects, not numbers".to_owned()),
        (Some('U' | 'S'), _) => return Err("its elements are text, not numbers".to_owned()),
        (Some('c'), _) => return Err("its elements are complex numbers".to_owned()),
        _ => return Err(format!("its elements are of the kind `{}`, not numbers", descr.escape_debug())),
    };
    Ok(Element { kind, big_endian: order == '>' })
}

/// From the first axis fastest to the last axis fastest.
pub(super) fn transposed(values: &Values, shape: &[usize]) -> Values {
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

    #[test]
    fn headers_are_read() {
        let bytes = array(">f8", true, "(2, 3)", &[]);
        let header = Header::read(&bytes).unwrap();
        assert_eq!((header.shape, header.fortran, header.start), (vec![2, 3], true, bytes.len()));
        assert_eq!(header.element, Element { kind: Kind::Double, big_endian: true });
        assert_eq!(Header::read(&array("<u2", false, "()", &[])).unwrap().shape, Vec::<usize>::new());
    }

    #[test]
    fn the_order_of_fortran_is_turned() {
        let values = Values::I64(vec![1, 4, 2, 5, 3, 6]);
        assert_eq!(transposed(&values, &[2, 3]), Values::I64(vec![1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn what_is_no_array_of_numbers_is_told() {
        for (bytes, words) in [
            (array("|O", false, "(1,)", &[]), "Python objects"),
            (array("<U3", false, "(1,)", &[]), "text"),
            (array("<c8", false, "(1,)", &[]), "complex"),
            (array("<f3", false, "(1,)", &[]), "of the kind `<f3`"),
            (array("<f4", false, "2", &[]), "does not say its shape"),
            (b"PK".to_vec(), "no array"),
            (b"\x93NUMPY\x01\x00\xff".to_vec(), "ends in its header"),
        ] {
            let error = Header::read(&bytes).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
