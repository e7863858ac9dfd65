//! A file in pieces of whole records.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes of a piece, unless a record is longer; tests and fuzzers see many pieces in small files.
const PIECE: usize = match (cfg!(fuzzing), cfg!(test)) {
    (true, _) => 1 << 7,
    (_, true) => 1 << 12,
    _ => 4 << 20,
};
/// The longest record: what is longer has lost a quote.
pub(super) const LONGEST: usize = if cfg!(fuzzing) { 1 << 10 } else { 64 << 20 };

/// Whole records.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    /// Where it begins in the file.
    pub(super) start: u64,
}

/// Why there is no further chunk.
#[derive(Debug)]
pub(super) enum Stop {
    Unreadable(io::Error),
    /// The record that begins here has no end in sight.
    TooLong(u64),
}

/// Reads a file piece by piece.
#[derive(Debug)]
pub(super) struct Chunks {
    file: File,
    /// Bytes of the file, at least of what is left of it.
    size: u64,
    /// The beginning of a record whose end was not in the piece.
    carry: Vec<u8>,
    /// Where `carry` begins in the file.
    start: u64,
    ended: bool,
}

impl Chunks {
    /// The pieces of a file from `start`, where a record begins.
    pub(super) fn new(mut file: File, start: u64) -> io::Result<Self> {
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(start))?;
        Ok(Self { file, size, carry: Vec::new(), start, ended: false })
    }

    /// How many bytes there are from the first piece on.
    pub(super) fn size(&self) -> u64 {
        self.size.saturating_sub(self.start)
    }

    /// The next piece; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Chunk>, Stop> {
        if self.ended {
            return Ok(None);
        }
        let mut bytes = std::mem::take(&mut self.carry);
        loop {
            bytes.reserve(PIECE);
            let read =
                Read::by_ref(&mut self.file).take(PIECE as u64).read_to_end(&mut bytes).map_err(Stop::Unreadable)?;
            let start = self.start;
            if read < PIECE {
                self.ended = true;
                return Ok((!bytes.is_empty()).then_some(Chunk { bytes, start }));
            }
            if let Some(end) = end_of_records(&bytes) {
                self.carry = bytes[end..].to_vec();
                bytes.truncate(end);
                self.start += end as u64;
                return Ok(Some(Chunk { bytes, start }));
            }
            if bytes.len() >= LONGEST {
                self.ended = true;
                return Err(Stop::TooLong(start));
            }
        }
    }
}

/// One past the last line end that ends a record; a quoted field may hold line ends.
pub(super) fn end_of_records(bytes: &[u8]) -> Option<usize> {
    let Some(first) = memchr::memchr(b'"', bytes) else {
        return memchr::memrchr2(b'\n', b'\r', bytes).map(|at| at + 1);
    };
    // Up to the first quote every line end ends a record, and the field that the quote is in begins after it.
    let plain = memchr::memrchr2(b'\n', b'\r', &bytes[..first]).map(|at| at + 1);
    let from = plain.unwrap_or(0);
    let mut end = plain;
    walk(&bytes[from..], |at| {
        end = Some(from + at);
        true
    });
    end
}

/// One past the line end that ends the first record.
pub(super) fn end_of_record(bytes: &[u8]) -> Option<usize> {
    let mut end = None;
    walk(bytes, |at| {
        end = Some(at);
        false
    });
    end
}

/// Where a quote of the first record stands that has no end.
pub(super) fn open_quote(bytes: &[u8]) -> Option<usize> {
    walk(bytes, |_| false)
}

/// Tells of one past the end of each record until `go_on` says no; where a quote stands that has no end.
fn walk(bytes: &[u8], mut go_on: impl FnMut(usize) -> bool) -> Option<usize> {
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' {
            match end_of_quotes(bytes, at + 1) {
                Some(end) => at = end,
                None => return Some(at),
            }
        }
        // What follows a quoted field, and a quote within a field, are characters.
        at += memchr::memchr3(b',', b'\n', b'\r', &bytes[at..]).unwrap_or(bytes.len() - at);
        if matches!(bytes.get(at), Some(b'\n' | b'\r')) && !go_on(at + 1) {
            return None;
        }
        at += 1;
    }
    None
}

/// One past the quote that ends a quoted field; a doubled one does not.
pub(super) fn end_of_quotes(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(found) = memchr::memchr(b'"', bytes.get(at..)?) {
        at += found + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// How many line ends stand before a byte of a file: "\n", "\r\n" or a lone "\r".
pub(super) fn lines_before(path: &Path, byte: u64) -> io::Result<usize> {
    let mut file = File::open(path)?.take(byte);
    let mut buffer = vec![0; 1 << 16];
    let (mut lines, mut carriage) = (0, false);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(lines);
        }
        for &byte in &buffer[..read] {
            // The "\n" of a "\r\n" was counted with its "\r".
            lines += usize::from(byte == b'\r' || (byte == b'\n' && !carriage));
            carriage = byte == b'\r';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_ends_with_a_record() {
        assert_eq!(end_of_records(b"1,2\n3,4\n5"), Some(8));
        assert_eq!(end_of_records(b"1,2\r3"), Some(4));
        assert_eq!(end_of_records(b"1,2"), None);
        assert_eq!(end_of_records(b""), None);
    }

    #[test]
    fn line_ends_in_quotes_end_no_record() {
        assert_eq!(end_of_records(b"1,2\n\"a\nb\",3\n4,\"c\n"), Some(12));
        assert_eq!(end_of_records(b"\"a\nb"), None);
        assert_eq!(end_of_records(b"1\n\"a\nb"), Some(2));
        assert_eq!(end_of_records(b"\"a\"\"\nb\"\n"), Some(8));
    }

    #[test]
    fn a_quote_without_end_is_found_in_the_first_record_alone() {
        assert_eq!(open_quote(b"1,\"2\n3\n"), Some(2));
        assert_eq!(open_quote(b"1,\"2\"\n\"3\n"), None);
        assert_eq!((end_of_record(b"1,\"2\n3\",4\n5\n"), end_of_record(b"\"1\n")), (Some(10), None));
    }

    #[test]
    fn a_quote_within_a_field_is_a_character() {
        assert_eq!(end_of_records(b"5\" 3,1\n2,3\n"), Some(11));
        assert_eq!(end_of_records(b"1,x\"\n2,\"\n"), Some(5));
    }

    #[test]
    fn pieces_put_together_are_the_file() {
        use std::io::Write as _;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let text: Vec<u8> = (0..2_000).flat_map(|i| format!("{i},\"a\nb\"\n").into_bytes()).collect();
        file.write_all(b"head\n").unwrap();
        file.write_all(&text).unwrap();
        let mut chunks = Chunks::new(File::open(file.path()).unwrap(), 5).unwrap();
        let mut all = Vec::new();
        let mut pieces = 0;
        while let Some(chunk) = chunks.next().unwrap() {
            assert_eq!(chunk.start, 5 + all.len() as u64);
            assert!(chunk.bytes.ends_with(b"\"\n"));
            all.extend(chunk.bytes);
            pieces += 1;
        }
        assert!(pieces > 2 && all == text);
        assert_eq!(lines_before(file.path(), 5).unwrap(), 1);
    }
}
