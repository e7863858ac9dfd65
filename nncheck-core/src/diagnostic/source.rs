//! The text that diagnostics point into: a spec, and behind it what it extends.

use std::path::{Path, PathBuf};

use super::Span;

/// A text file, with the files that it builds upon.
///
/// All of them share one space of offsets, so that a [`Span`] alone says in which file it lies: the file's own text comes
/// first, and each inherited text begins one past the end of the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it was read from.
    pub path: PathBuf,
    /// How the path is shown: relative to the package, with forward slashes.
    pub shown: String,
    /// Its text.
    pub text: String,
    /// The files that it builds upon, in the order of their offsets.
    pub inherited: Vec<Inherited>,
}

/// A file that another one builds upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited {
    /// Where its text begins in the common space of offsets.
    pub start: usize,
    /// The file; it has no inherited files of its own.
    pub file: SourceFile,
}

impl SourceFile {
    /// A file that builds upon no other.
    pub fn new(path: impl Into<PathBuf>, shown: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), shown: shown.into(), text: text.into(), inherited: Vec::new() }
    }

    /// Puts a file behind all others; its number among [`SourceFile::parts`].
    pub fn inherit(&mut self, file: Self) -> usize {
        let start = self.parts().last().map_or(0, |(start, file)| start + file.text.len() + 1);
        self.inherited.push(Inherited { start, file });
        self.inherited.len()
    }

    /// The file itself and all that it builds upon, each with the offset at which it begins.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = (usize, &Self)> {
        std::iter::once((0, self)).chain(self.inherited.iter().map(|inherited| (inherited.start, &inherited.file)))
    }

    /// The file that an offset lies in, and where that file begins.
    #[must_use]
    pub fn part_at(&self, byte: usize) -> (usize, &Self) {
        self.parts().rev().find(|(start, _)| *start <= byte).unwrap_or((0, self))
    }

    /// The line and column, both from 1, of an offset in its file; columns count characters.
    #[must_use]
    pub fn line_column(&self, byte: usize) -> (usize, usize) {
        let (start, file) = self.part_at(byte);
        let byte = (byte - start).min(file.text.len());
        let before = file.text.get(..byte).unwrap_or("");
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        (line, before[start..].chars().count() + 1)
    }

    /// What is written at a place; empty where the place is none.
    #[must_use]
    pub fn written(&self, span: Span) -> &str {
        let (start, file) = self.part_at(span.start);
        file.text.get(span.start - start..span.end.saturating_sub(start)).unwrap_or_default()
    }

    /// The folder that relative paths of this file start from.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or_else(|| Path::new("."))
    }

    /// A path that is written at a place, seen from the file that it is written in.
    pub fn resolve(&self, place: impl Into<Span>, path: impl AsRef<Path>) -> PathBuf {
        self.part_at(place.into().start).1.folder().join(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_finds_its_file_line_and_folder() {
        let mut file = SourceFile::new("/p/specs/a.toml", "specs/a.toml", "x\ny");
        assert_eq!(file.inherit(SourceFile::new("/p/base/b.toml", "base/b.toml", "u\nvw")), 1);
        assert_eq!(file.inherit(SourceFile::new("c.toml", "c.toml", "")), 2);
        assert_eq!(file.inherited.iter().map(|i| i.start).collect::<Vec<_>>(), [4, 9]);
        assert_eq!(file.part_at(3).1.shown, "specs/a.toml");
        assert_eq!(file.part_at(4).1.shown, "base/b.toml");
        assert_eq!(file.part_at(900).1.shown, "c.toml");
        assert_eq!((file.line_column(2), file.line_column(7), file.line_column(9)), ((2, 1), (2, 2), (1, 1)));
        assert_eq!(file.written(Span { start: 6, end: 8 }), "vw");
        assert_eq!(file.written(Span { start: 6, end: 80 }), "");
        assert_eq!(file.resolve(4..5, "d.csv"), Path::new("/p/base/d.csv"));
        assert_eq!(file.resolve(0..1, "d.csv"), Path::new("/p/specs/d.csv"));
    }
}
