//! Chunks of records to numbers, side by side, in the order of the file.

use std::io;
use std::num::NonZeroUsize;
use std::thread;

use super::super::text::Text;
use super::chunks::{Chunk, Chunks, Stop, end_of_quotes, end_of_record, end_of_records};
use super::record::Rows;

/// Chunks that are parsed at a time, at most: more would only take memory.
const MOST_AT_A_TIME: usize = 8;

/// The number format of the inputs.
pub(super) trait Number: Copy + Send {
    fn of(value: f64) -> Self;
    fn is_finite(self) -> bool;
}

impl Number for f32 {
    fn of(value: f64) -> Self {
        value as Self
    }
    fn is_finite(self) -> bool {
        self.is_finite()
    }
}

impl Number for f64 {
    fn of(value: f64) -> Self {
        value
    }
    fn is_finite(self) -> bool {
        self.is_finite()
    }
}

/// What stops the reading, and at which byte of the file.
#[derive(Debug)]
pub(super) enum Fault {
    Unreadable(io::Error),
    TooLong(u64),
    NotUtf8(u64),
    /// The record that begins here.
    Record(u64),
}

/// What was read beside the inputs.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) targets: Vec<f64>,
    pub(super) rows: usize,
    /// What is wrong with the row after the last one.
    pub(super) fault: Option<Fault>,
}

/// The rows of one chunk.
struct Parsed<T> {
    inputs: Vec<T>,
    targets: Vec<f64>,
    rows: usize,
    fault: Option<Fault>,
}

/// Reads up to `most` rows: the inputs, and the rest.
pub(super) fn all<T: Number>(mut chunks: Chunks, rows: &Rows<'_>, most: usize) -> (Vec<T>, Loaded) {
    let at_a_time = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MOST_AT_A_TIME);
    let (size, mut seen) = (chunks.size(), 0_u64);
    let slots = Slots::new(rows);
    let mut inputs = Vec::new();
    let mut loaded = Loaded { targets: Vec::new(), rows: 0, fault: None };
    loop {
        let (batch, stop) = some(&mut chunks, at_a_time);
        seen += batch.iter().map(|chunk| chunk.bytes.len() as u64).sum::<u64>();
        let last = batch.len() < at_a_time;
        for parsed in side_by_side::<T>(batch, rows, &slots) {
            let take = parsed.rows.min(most - loaded.rows);
            inputs.extend_from_slice(&parsed.inputs[..take * slots.inputs]);
            loaded.targets.extend_from_slice(&parsed.targets[..take * slots.targets]);
            loaded.rows += take;
            if loaded.rows == most {
                return (inputs, loaded);
            }
            if parsed.fault.is_some() {
                loaded.fault = parsed.fault;
                return (inputs, loaded);
            }
        }
        if stop.is_some() || last {
            loaded.fault = stop;
            inputs.shrink_to_fit();
            return (inputs, loaded);
        }
        reserve(&mut inputs, size, seen);
    }
}

/// Makes room for what is to be expected of the rest of the file, so that the numbers need not be moved again.
fn reserve<T>(inputs: &mut Vec<T>, size: u64, seen: u64) {
    let expected = (inputs.len() as f64 * 1.01 * size as f64 / seen.max(1) as f64).ceil();
    // A number takes a digit and a comma at least.
    let most = (size / 2) as f64;
    inputs.reserve_exact((expected.min(most) as usize).saturating_sub(inputs.len()));
}

/// Up to `n` chunks, and what stopped the reading.
fn some(chunks: &mut Chunks, n: usize) -> (Vec<Chunk>, Option<Fault>) {
    let mut batch = Vec::new();
    while batch.len() < n {
        match chunks.next() {
            Ok(Some(chunk)) => batch.push(chunk),
            Ok(None) => break,
            Err(Stop::Unreadable(error)) => return (batch, Some(Fault::Unreadable(error))),
            Err(Stop::TooLong(at)) => return (batch, Some(Fault::TooLong(at))),
        }
    }
    (batch, None)
}

/// Parses chunks, each in a thread of its own where there are several and threads can be had.
fn side_by_side<T: Number>(batch: Vec<Chunk>, rows: &Rows<'_>, slots: &Slots) -> Vec<Parsed<T>> {
    if batch.len() < 2 {
        return batch.into_iter().map(|chunk| parse(chunk, rows, slots)).collect();
    }
    thread::scope(|scope| {
        enum Work<'s, T> {
            There(thread::ScopedJoinHandle<'s, Parsed<T>>),
            Here(Chunk),
        }
        let works: Vec<Work<'_, T>> = batch
            .into_iter()
            .map(|chunk| {
                // Without a thread the chunk is handed back through the slot.
                let slot = std::sync::Arc::new(std::sync::Mutex::new(Some(chunk)));
                let theirs = std::sync::Arc::clone(&slot);
                let taken = |slot: &std::sync::Mutex<Option<Chunk>>| {
                    slot.lock().ok().and_then(|mut chunk| chunk.take()).unwrap_or(Chunk { bytes: Vec::new(), start: 0 })
                };
                let spawned = thread::Builder::new()
                    .name("csv".to_owned())
                    .spawn_scoped(scope, move || parse(taken(&theirs), rows, slots));
                spawned.map_or_else(|_| Work::Here(taken(&slot)), Work::There)
            })
            .collect();
        works
            .into_iter()
            .map(|work| match work {
                Work::There(handle) => handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Work::Here(chunk) => parse(chunk, rows, slots),
            })
            .collect()
    })
}

/// Where the number of a column goes.
#[derive(Clone, Copy)]
enum Slot {
    Skip,
    Input(usize),
    Target(usize),
}

/// Where the numbers of all columns go.
struct Slots {
    columns: Vec<Slot>,
    inputs: usize,
    targets: usize,
}

impl Slots {
    fn new(rows: &Rows<'_>) -> Self {
        let mut columns = vec![Slot::Skip; rows.names.len()];
        for (at, &column) in rows.columns.inputs.iter().enumerate() {
            columns[column] = Slot::Input(at);
        }
        for (at, &column) in rows.columns.targets.iter().enumerate() {
            columns[column] = Slot::Target(at);
        }
        Self { columns, inputs: rows.columns.inputs.len(), targets: rows.columns.targets.len() }
    }
}

fn parse<T: Number>(chunk: Chunk, rows: &Rows<'_>, slots: &Slots) -> Parsed<T> {
    let Chunk { bytes, start } = chunk;
    let mut parsed = Parsed { inputs: Vec::new(), targets: Vec::new(), rows: 0, fault: None };
    let valid = match std::str::from_utf8(&bytes) {
        Ok(_) => bytes.len(),
        Err(e) => {
            parsed.fault = Some(Fault::NotUtf8(start + e.valid_up_to() as u64));
            // The record that it is in is not read.
            end_of_records(&bytes[..e.valid_up_to()]).unwrap_or(0)
        }
    };
    let bytes = &bytes[..valid];
    // Room for what the chunk holds, counted by its first record's length.
    let first = memchr::memchr2(b'\n', b'\r', bytes).map_or(bytes.len(), |at| at + 1).max(1);
    parsed.inputs.reserve((bytes.len() / first + 1).saturating_mul(slots.inputs).min(bytes.len() / 2 + 1));
    let mut at = 0;
    while at < bytes.len() {
        if matches!(bytes[at], b'\n' | b'\r') {
            at += 1;
            continue;
        }
        if let Some(end) = plain(&bytes[at..], slots, &mut parsed) {
            at += end;
            continue;
        }
        // Whatever else there is, faults above all, is for the reader that knows about them all.
        let length = end_of_record(&bytes[at..]).unwrap_or(bytes.len() - at);
        let text = String::from_utf8_lossy(&bytes[at..][..length]).into_owned();
        match rows.record(&Text::new(rows.path, text)) {
            Ok(Some(record)) => {
                parsed.inputs.extend(record.inputs.into_iter().map(T::of));
                parsed.targets.extend(record.targets);
                parsed.rows += 1;
                at += record.end.max(1);
            }
            Ok(None) => break,
            Err(_) => {
                parsed.fault = Some(Fault::Record(start + at as u64));
                break;
            }
        }
    }
    parsed
}

/// Reads a record of plain numbers, one past which is returned; `None` where it holds anything else, and nothing is
/// kept of it.
fn plain<T: Number>(bytes: &[u8], slots: &Slots, parsed: &mut Parsed<T>) -> Option<usize> {
    let (inputs, targets) = (parsed.inputs.len(), parsed.targets.len());
    parsed.inputs.resize(inputs + slots.inputs, T::of(0.0));
    parsed.targets.resize(targets + slots.targets, 0.0);
    let end = fields(bytes, slots, &mut parsed.inputs[inputs..], &mut parsed.targets[targets..]);
    if end.is_some() {
        parsed.rows += 1;
    } else {
        parsed.inputs.truncate(inputs);
        parsed.targets.truncate(targets);
    }
    end
}

fn fields<T: Number>(bytes: &[u8], slots: &Slots, inputs: &mut [T], targets: &mut [f64]) -> Option<usize> {
    let last = slots.columns.len().checked_sub(1)?;
    let mut at = 0;
    for (column, &slot) in slots.columns.iter().enumerate() {
        let rest = bytes.get(at..)?;
        at += match slot {
            Slot::Skip if rest.first() == Some(&b'"') => end_of_quotes(rest, 1)?,
            Slot::Skip => memchr::memchr3(b',', b'\n', b'\r', rest).unwrap_or(rest.len()),
            Slot::Input(to) => {
                let (value, length) = number(rest)?;
                let value = T::of(value);
                if !value.is_finite() {
                    return None;
                }
                *inputs.get_mut(to)? = value;
                length
            }
            Slot::Target(to) => {
                let (value, length) = number(rest)?;
                *targets.get_mut(to)? = value;
                length
            }
        };
        match (bytes.get(at), column == last) {
            (Some(b','), false) => at += 1,
            (Some(b'\n' | b'\r'), true) => return Some(at + 1),
            (None, true) => return Some(at),
            _ => return None,
        }
    }
    None
}

/// A finite number at the beginning of some bytes, in quotes or between spaces, and how many bytes it takes.
#[inline]
fn number(bytes: &[u8]) -> Option<(f64, usize)> {
    if let Some(found) = short(bytes) {
        return Some(found);
    }
    let spaces = |bytes: &[u8]| bytes.iter().take_while(|&&b| b == b' ').count();
    let before = spaces(bytes);
    let quote = usize::from(before == 0 && bytes.first() == Some(&b'"'));
    let (value, length) = fast_float2::parse_partial::<f64, _>(bytes.get(before + quote..)?).ok()?;
    let mut end = before + quote + length;
    if quote == 1 {
        if bytes.get(end) != Some(&b'"') {
            return None;
        }
        end += 1;
    } else {
        end += spaces(bytes.get(end..)?);
    }
    value.is_finite().then_some((value, end))
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// A number of few digits without an exponent, as most are: a whole number below 2^53 over an exact power of ten is
/// rounded once, and so rightly (Clinger 1990).
#[inline]
fn short(bytes: &[u8]) -> Option<(f64, usize)> {
    let negative = bytes.first() == Some(&b'-');
    let mut at = usize::from(negative);
    let (mut mantissa, mut digits, mut point) = (0_u64, 0_usize, None);
    while let Some(&byte) = bytes.get(at) {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            digits += 1;
        } else if byte == b'.' && point.is_none() {
            point = Some(digits);
        } else {
            break;
        }
        at += 1;
    }
    let ended = matches!(bytes.get(at), None | Some(b',' | b'\n' | b'\r'));
    if !ended || !(1..=18).contains(&digits) || mantissa >= 1 << 53 {
        return None;
    }
    let value = mantissa as f64 / POWERS[point.map_or(0, |point| digits - point)];
    Some((if negative { -value } else { value }, at))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "12345.678901234567",
            "5e-324",
            ".5",
            "5.",
            "9007199254740992",
            "0.3",
        ];
        for word in words {
            let expected: f64 = word.parse().unwrap();
            for after in ["", ",2", "\n"] {
                let (value, length) = number(format!("{word}{after}").as_bytes()).unwrap();
                assert_eq!((value.to_bits(), length), (expected.to_bits(), word.len()), "{word}");
            }
        }
        for word in ["", "-", ".", "nan", "inf", "1e999", "x", "\"1"] {
            assert_eq!(number(word.as_bytes()), None, "{word}");
        }
    }

    proptest::proptest! {
        #[test]
        fn decimal_numbers_are_rounded_rightly(whole in 0_u64..1 << 55, after in 0_usize..19) {
            let digits = format!("{whole:019}");
            let word = format!("{}.{}", &digits[..19 - after], &digits[19 - after..]);
            let (value, _) = number(word.as_bytes()).unwrap();
            proptest::prop_assert_eq!(value.to_bits(), word.parse::<f64>().unwrap().to_bits());
        }
    }
}
