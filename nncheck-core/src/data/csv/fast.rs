//! The fast way through a large CSV file of plain numbers: counted once, then read by several threads into the final
//! arrays. Whatever is not plain (quotes, blank lines, text, rows of another length) is left to the careful reader, which
//! has words for it: the numbers that both read are the same.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::super::Values;
use super::super::columns::Columns;
use crate::spec::run::Dtype;

/// Files below this many bytes are read with care from the start.
pub(super) const LARGE: u64 = 1 << 20;
/// Bytes that a thread holds at a time.
const BUFFER: usize = 1 << 18;
/// The longest line that is believed to be one.
const LONGEST_LINE: usize = 1 << 24;

/// Why the careful reader has to look.
#[derive(Debug)]
pub(super) struct NotPlain;

impl From<io::Error> for NotPlain {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// The numbers of a file.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) rows: usize,
    pub(super) x: Values,
    pub(super) y: Vec<f64>,
}

/// What becomes of a field.
#[derive(Clone, Copy)]
enum Slot {
    Input(usize),
    Target(usize),
    Unused,
}

/// Reads the rows of `path` from byte `start` on, `width` fields each.
pub(super) fn read(
    path: &Path,
    start: u64,
    width: usize,
    columns: &Columns,
    dtype: Dtype,
    take: Option<usize>,
) -> Result<Numbers, NotPlain> {
    let size = std::fs::metadata(path)?.len();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, 16);
    let parts = cut(path, start, size, threads)?;
    let counts = count(path, &parts)?;
    let rows = counts.iter().sum::<usize>().min(take.unwrap_or(usize::MAX));
    let mut slots = vec![Slot::Unused; width];
    for (slot, &column) in columns.inputs.iter().enumerate() {
        *slots.get_mut(column).ok_or(NotPlain)? = Slot::Input(slot);
    }
    for (slot, &column) in columns.targets.iter().enumerate() {
        *slots.get_mut(column).ok_or(NotPlain)? = Slot::Target(slot);
    }
    let (inputs, targets) = (columns.inputs.len(), columns.targets.len());
    let mut y = vec![0.0; rows.checked_mul(targets).ok_or(NotPlain)?];
    let numbers = rows.checked_mul(inputs).ok_or(NotPlain)?;
    let work = Work { path, slots: &slots, parts: &parts, counts: &counts, rows, inputs, targets };
    let x = match dtype {
        Dtype::Float32 => {
            let mut x = vec![0_f32; numbers];
            work.run(&mut x, &mut y, |v| v as f32)?;
            Values::F32(x)
        }
        Dtype::Float64 => {
            let mut x = vec![0_f64; numbers];
            work.run(&mut x, &mut y, |v| v)?;
            Values::F64(x)
        }
    };
    Ok(Numbers { rows, x, y })
}

/// Cuts the bytes from `start` to `size` into parts of whole lines.
fn cut(path: &Path, start: u64, size: u64, parts: usize) -> Result<Vec<(u64, u64)>, NotPlain> {
    let mut file = File::open(path)?;
    let mut ends = vec![start];
    for part in 1..parts as u64 {
        let aim = start + (size - start) / parts as u64 * part;
        if aim <= ends[ends.len() - 1] {
            continue;
        }
        file.seek(SeekFrom::Start(aim))?;
        let mut line = vec![0; 1 << 16];
        let mut at = aim;
        let end = loop {
            let read = file.read(&mut line)?;
            if read == 0 {
                break size;
            }
            if let Some(found) = line[..read].iter().position(|&b| b == b'\n') {
                break at + found as u64 + 1;
            }
            at += read as u64;
        };
        if end < size {
            ends.push(end);
        }
    }
    ends.push(size);
    Ok(ends.windows(2).map(|pair| (pair[0], pair[1])).filter(|(from, to)| from < to).collect())
}

/// How many lines each part has.
fn count(path: &Path, parts: &[(u64, u64)]) -> Result<Vec<usize>, NotPlain> {
    let one = |&(from, to): &(u64, u64)| -> Result<usize, NotPlain> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut left = file.take(to - from);
        let mut buffer = vec![0; BUFFER];
        let (mut lines, mut last) = (0, b'\n');
        loop {
            let read = left.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            lines += buffer[..read].iter().filter(|&&b| b == b'\n').count();
            last = buffer[read - 1];
        }
        // A last line may lack its end.
        Ok(lines + usize::from(last != b'\n'))
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = parts.iter().map(|part| scope.spawn(move || one(part))).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| NotPlain)?).collect()
    })
}

struct Work<'a> {
    path: &'a Path,
    slots: &'a [Slot],
    parts: &'a [(u64, u64)],
    counts: &'a [usize],
    rows: usize,
    inputs: usize,
    targets: usize,
}

impl Work<'_> {
    /// Each part into its own share of the arrays.
    fn run<T: Copy + Send>(&self, x: &mut [T], y: &mut [f64], make: fn(f64) -> T) -> Result<(), NotPlain> {
        std::thread::scope(|scope| {
            let (mut x, mut y, mut left) = (x, y, self.rows);
            let mut threads = Vec::new();
            for (&part, &count) in self.parts.iter().zip(self.counts) {
                let rows = count.min(left);
                left -= rows;
                let (own_x, rest_x) = std::mem::take(&mut x).split_at_mut(rows * self.inputs);
                let (own_y, rest_y) = std::mem::take(&mut y).split_at_mut(rows * self.targets);
                (x, y) = (rest_x, rest_y);
                threads.push(scope.spawn(move || self.part(part, rows, own_x, own_y, make)));
            }
            threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| NotPlain)?)
        })
    }

    fn part<T: Copy>(
        &self,
        (from, to): (u64, u64),
        rows: usize,
        x: &mut [T],
        y: &mut [f64],
        make: fn(f64) -> T,
    ) -> Result<(), NotPlain> {
        let mut file = File::open(self.path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut left = file.take(to - from);
        let mut buffer = vec![0; BUFFER];
        // Bytes of the buffer that hold what is not yet read.
        let (mut start, mut end) = (0, 0);
        for row in 0..rows {
            let line = loop {
                if let Some(length) = buffer[start..end].iter().position(|&b| b == b'\n') {
                    break start..start + length;
                }
                if start > 0 {
                    buffer.copy_within(start..end, 0);
                    (start, end) = (0, end - start);
                }
                if end == buffer.len() {
                    if buffer.len() >= LONGEST_LINE {
                        return Err(NotPlain);
                    }
                    buffer.resize(buffer.len() * 2, 0);
                }
                let read = left.read(&mut buffer[end..])?;
                if read == 0 {
                    break start..end;
                }
                end += read;
            };
            let bytes = buffer[line.clone()].strip_suffix(b"\r").unwrap_or(&buffer[line.clone()]);
            start = (line.end + 1).min(end);
            self.line(bytes, &mut x[row * self.inputs..], &mut y[row * self.targets..], make)?;
        }
        Ok(())
    }

    fn line<T: Copy>(&self, line: &[u8], x: &mut [T], y: &mut [f64], make: fn(f64) -> T) -> Result<(), NotPlain> {
        let mut at = 0;
        for (index, &slot) in self.slots.iter().enumerate() {
            let (value, next) = match slot {
                Slot::Unused => (0.0, at + field(&line[at..])?),
                _ => number(line, at)?,
            };
            match slot {
                Slot::Input(slot) => x[slot] = make(value),
                Slot::Target(slot) => y[slot] = value,
                Slot::Unused => {}
            }
            let last = index + 1 == self.slots.len();
            match (line.get(next), last) {
                (None, true) => return Ok(()),
                (Some(b','), false) => at = next + 1,
                _ => return Err(NotPlain),
            }
        }
        Err(NotPlain)
    }
}

/// How long a field is whose value is not wanted.
fn field(bytes: &[u8]) -> Result<usize, NotPlain> {
    let length = bytes.iter().position(|&b| matches!(b, b',' | b'"')).unwrap_or(bytes.len());
    if bytes.get(length) == Some(&b'"') { Err(NotPlain) } else { Ok(length) }
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The number at a place of a line, and where its field ends. A whole number below 2^53 times or over an exact power of
/// ten is rounded once, and so rightly (Clinger 1990); everything else goes through the standard library.
#[inline]
fn number(line: &[u8], start: usize) -> Result<(f64, usize), NotPlain> {
    let mut at = start;
    let negative = line.get(at) == Some(&b'-');
    at += usize::from(negative);
    let (mut mantissa, mut digits, mut after) = (0_u64, 0_usize, 0_usize);
    let mut seen_point = false;
    while let Some(&byte) = line.get(at) {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            digits += 1;
            after += usize::from(seen_point);
        } else if byte == b'.' && !seen_point {
            seen_point = true;
        } else {
            break;
        }
        at += 1;
    }
    let whole_field = matches!(line.get(at), None | Some(b','));
    if whole_field && (1..=18).contains(&digits) && mantissa < 1 << 53 && after < POWERS.len() {
        let value = mantissa as f64 / POWERS[after];
        return Ok((if negative { -value } else { value }, at));
    }
    let end = start + field(&line[start..])?;
    let text = std::str::from_utf8(&line[start..end]).map_err(|_| NotPlain)?;
    match text.trim().parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((value, end)),
        _ => Err(NotPlain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str, width: usize, take: Option<usize>) -> Result<Numbers, NotPlain> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let start = text.find('\n').unwrap() as u64 + 1;
        let columns = Columns { inputs: (0..width - 1).collect(), targets: vec![width - 1] };
        read(file.path(), start, width, &columns, Dtype::Float64, take)
    }

    #[test]
    fn numbers_are_those_of_the_standard_library_bit_for_bit() {
        let words = [
            "0",
            "-0",
            "1.5",
            "-2.25e-3",
            "123456789012345678",
            "0.1",
            "3.14159265358979",
            "1e300",
            "9007199254740993",
            "0.000000000000000000000123",
            " 7 ",
            "+4",
            "12345.678901234567",
            "5e-324",
            ".5",
            "5.",
        ];
        for word in words {
            let numbers = read_text(&format!("a,y\n{word},1\n"), 2, None).unwrap();
            let Values::F64(x) = numbers.x else { panic!("doubles were asked for") };
            let expected: f64 = word.trim().parse().unwrap();
            assert_eq!(x[0].to_bits(), expected.to_bits(), "{word}");
        }
    }

    #[test]
    fn every_row_stands_where_it_belongs_whatever_the_cuts() {
        let body: String = (0..5000).map(|i| format!("{i},{},{}\r\n", i * 2, i % 7)).collect();
        for text in [format!("a,b,y\r\n{body}"), format!("a,b,y\r\n{}", body.trim_end())] {
            let numbers = read_text(&text, 3, None).unwrap();
            let Values::F64(x) = numbers.x else { panic!("doubles were asked for") };
            assert_eq!(numbers.rows, 5000);
            for i in 0..5000 {
                assert_eq!((x[2 * i], x[2 * i + 1], numbers.y[i]), (i as f64, 2.0 * i as f64, (i % 7) as f64));
            }
        }
        assert_eq!(read_text(&format!("a,b,y\n{body}"), 3, Some(17)).unwrap().y.len(), 17);
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_careful_reader() {
        for body in ["1,2\n\n3,4\n", "1,\n", "\"1\",2\n", "1,2,3\n", "1\n", "1,nan\n", "1,x\n", "1,2\n\n"] {
            assert!(read_text(&format!("a,y\n{body}"), 2, None).is_err(), "{body:?}");
        }
    }
}
