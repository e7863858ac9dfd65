//! The text of a data file, or of a part of it, and where the fields of its records stand.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::error::{Place, shown};

/// How many characters of a line are shown at most.
const WIDTH: usize = 76;
/// How many characters before the place are kept, where a line must be cut.
const BEFORE: usize = 30;

/// A data file in memory, or whole lines of it, its byte order mark taken off.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// How many lines of the file come before.
    lines: usize,
}

impl Text {
    pub(super) fn new(path: &Path, text: String) -> Self {
        Self { path: path.to_owned(), text, lines: 0 }
    }

    /// The same text, after so many lines of the file.
    pub(super) fn after(self, lines: usize) -> Self {
        Self { lines, ..self }
    }

    /// The bytes of a field of the record that starts at `record`, quotes included; past the last field, the end of
    /// the record.
    pub(super) fn field(&self, record: usize, index: usize) -> Range<usize> {
        let bytes = self.text.as_bytes();
        let mut start = self.record(record).start;
        for _ in 0..index {
            let end = end_of_field(bytes, start);
            if bytes.get(end) != Some(&b',') {
                return end..end;
            }
            start = end + 1;
        }
        start..end_of_field(bytes, start)
    }

    /// The bytes of the first line of the record that a reader found at `position`: blank lines before it are passed
    /// over.
    pub(super) fn record(&self, position: usize) -> Range<usize> {
        let bytes = self.text.as_bytes();
        let blank = bytes.get(position..).unwrap_or_default().iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let start = (position + blank).min(bytes.len());
        let length = bytes[start..].iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len() - start);
        start..start + length
    }

    /// The place of some bytes of the file.
    pub(super) fn place(&self, range: &Range<usize>) -> Place {
        let bytes = self.text.as_bytes();
        let at = range.start.min(bytes.len());
        let before = &bytes[..at];
        // A line ends at "\n", "\r\n" or a lone "\r".
        let ends = |i: usize| bytes[i] == b'\n' || (bytes[i] == b'\r' && bytes.get(i + 1) != Some(&b'\n'));
        let line = self.lines + (0..before.len()).filter(|&i| ends(i)).count() + 1;
        let start = (0..before.len()).rev().find(|&i| ends(i)).map_or(0, |i| i + 1);
        let end = bytes[at..].iter().position(|b| matches!(b, b'\r' | b'\n')).map_or(bytes.len(), |i| at + i);

        let whole: Vec<char> = self.text.get(start..end).unwrap_or_default().chars().collect();
        let column = self.text.get(start..at).unwrap_or_default().chars().count();
        let marked = self.text.get(at..range.end.min(end)).unwrap_or_default().chars().count();
        let (text, indent) = cut(&whole, column);
        let room = text.chars().count().saturating_sub(indent).max(1);
        Place { shown: shown(&self.path), line, column: column + 1, text, indent, width: marked.clamp(1, room) }
    }
}

/// One past the last byte of the field that starts at `start`; a quoted field may hold commas and line ends.
fn end_of_field(bytes: &[u8], start: usize) -> usize {
    let mut i = start;
    if bytes.get(i) == Some(&b'"') {
        i += 1;
        while i < bytes.len() {
            if bytes[i] != b'"' {
                i += 1;
            } else if bytes.get(i + 1) == Some(&b'"') {
                i += 2;
            } else {
                i += 1;
                break;
            }
        }
    }
    while i < bytes.len() && !matches!(bytes[i], b',' | b'\r' | b'\n') {
        i += 1;
    }
    i
}

/// Cuts a line to [`WIDTH`] characters around the character at `column`; where that one stands then.
fn cut(line: &[char], column: usize) -> (String, usize) {
    let printable =
        |chars: &[char]| -> String { chars.iter().map(|&c| if c.is_control() { ' ' } else { c }).collect() };
    if line.len() <= WIDTH {
        return (printable(line), column);
    }
    let from = column.saturating_sub(BEFORE).min(line.len() - WIDTH);
    let from = if from <= 1 { 0 } else { from };
    let to = (from + WIDTH).min(line.len());
    let mut text = String::new();
    if from > 0 {
        text.push('…');
    }
    text.push_str(&printable(&line[from..to]));
    if to < line.len() {
        text.push('…');
    }
    (text, column - from + usize::from(from > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text::new(Path::new("a.csv"), text.to_owned())
    }

    #[test]
    fn fields_are_found_behind_quotes_with_commas_and_line_ends() {
        let t = text("a,\"b,\"\"\nb\",c\r\n1,2,3\r\n");
        assert_eq!(&t.text[t.field(0, 1)], "\"b,\"\"\nb\"");
        assert_eq!(&t.text[t.field(0, 2)], "c");
        assert_eq!(&t.text[t.field(0, 3)], "");
    }

    #[test]
    fn lines_are_counted_from_one_whatever_ends_them() {
        for end in ["\n", "\r\n", "\r"] {
            let t = text(&["a,b", "1,2", "3,é4", ""].join(end));
            let at = t.text.find('4').unwrap();
            let place = t.place(&(at..at + 1));
            assert_eq!((place.line, place.column, place.text.as_str(), place.indent), (3, 4, "3,é4", 3), "{end:?}");
        }
    }

    #[test]
    fn blank_lines_before_a_record_are_passed_over() {
        let t = text("a\n\n\n5\n");
        assert_eq!(t.field(2, 0), 4..5);
        assert_eq!(t.place(&t.field(2, 0)).line, 4);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let t = text(&format!("{}X{}", "1,".repeat(200), ",2".repeat(200)));
        let place = t.place(&(400..401));
        assert_eq!(place.column, 401);
        assert_eq!(place.text.chars().nth(place.indent), Some('X'));
        assert!(place.text.chars().count() <= WIDTH + 2);
        assert!(place.text.starts_with('…') && place.text.ends_with('…'));
    }

    #[test]
    fn a_place_at_the_end_of_the_text_still_has_a_caret() {
        let t = text("a,b");
        let place = t.place(&(3..3));
        assert_eq!((place.line, place.column, place.width), (1, 4, 1));
    }
}
