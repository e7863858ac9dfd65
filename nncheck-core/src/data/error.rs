//! What is wrong with data: in the spec, and in the data file.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, SourceFile, Span};

/// Why data cannot be had, with the key of the spec and the place in the data file that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataError {
    /// A stable, searchable name such as `data-ragged-row`.
    pub code: &'static str,
    /// What is wrong, in lower case; one line.
    pub message: String,
    /// The key of the spec that it is about.
    pub span: Option<Span>,
    /// The place in the data file.
    pub at: Option<Box<Place>>,
    /// What to do, one line each.
    pub help: Vec<String>,
}

/// A place in a data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as it is shown, with forward slashes.
    pub shown: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// The line, cut to a sensible width around the place.
    pub text: String,
    /// How many characters of `text` stand before the place.
    pub indent: usize,
    /// How many characters of `text` the place takes, at least 1.
    pub width: usize,
}

impl DataError {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: printable(message.into()), span: None, at: None, help: Vec::new() }
    }

    pub(super) fn about(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    pub(super) fn at(mut self, place: Option<Place>) -> Self {
        self.at = place.map(Box::new);
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(printable(help.into()));
        self
    }

    /// Shows the data file as the spec's own path is shown: relative to the package where it lies within it.
    #[must_use]
    pub fn shown_beside(mut self, spec: &SourceFile) -> Self {
        if let (Some(place), Some(root)) = (&mut self.at, root_of(spec))
            && let Ok(below) = Path::new(&place.shown).strip_prefix(&root)
        {
            place.shown = shown(below);
        }
        self
    }

    /// A diagnostic that points at the spec's key and tells the place in the data file.
    #[must_use]
    pub fn into_diagnostic(self, spec: &Arc<SourceFile>) -> Diagnostic {
        let this = self.shown_beside(spec);
        let message = match &this.at {
            Some(place) => format!("{}:{}:{}: {}", place.shown, place.line, place.column, this.message),
            None => this.message,
        };
        let mut diagnostic = Diagnostic::error(this.code, message);
        if let Some(span) = this.span {
            diagnostic = diagnostic.at(spec, span);
        } else {
            diagnostic.file = Some(Arc::clone(spec));
        }
        if let Some(place) = &this.at {
            diagnostic = diagnostic.help(format!("line {} of the data reads `{}`", place.line, place.text));
        }
        for help in this.help {
            diagnostic = diagnostic.help(help);
        }
        diagnostic
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let Some(place) = &self.at else { return Ok(()) };
        let line = place.line.to_string();
        let gutter = " ".repeat(line.len());
        write!(f, "\n{gutter}--> {}:{}:{}", place.shown, place.line, place.column)?;
        write!(f, "\n{gutter} |\n{line} | {}", place.text)?;
        write!(f, "\n{gutter} | {}{}", " ".repeat(place.indent), "^".repeat(place.width))
    }
}

impl std::error::Error for DataError {}

/// A file may hold anything, and what controls a terminal must not reach it.
fn printable(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// A path as it is shown: `..` resolved by name, forward slashes.
pub(super) fn shown(path: &Path) -> String {
    normalise(path).to_string_lossy().replace('\\', "/")
}

/// The folder that the spec's shown path is relative to.
fn root_of(spec: &SourceFile) -> Option<PathBuf> {
    let mut root = normalise(&spec.path);
    let tail = normalise(Path::new(&spec.shown));
    if !tail.is_relative() || !root.ends_with(&tail) {
        return None;
    }
    for _ in tail.components() {
        root.pop();
    }
    Some(root)
}

/// Resolves `.` and `..` by name alone, without asking the file system.
fn normalise(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error() -> DataError {
        DataError::new("data-text", "the numeric column `b` holds the text `x`").about(Span { start: 3, end: 7 }).at(
            Some(Place {
                shown: "/home/me/pkg/data/a.csv".into(),
                line: 12,
                column: 3,
                text: "1,x,2".into(),
                indent: 2,
                width: 1,
            }),
        )
    }

    #[test]
    fn the_line_and_a_caret_are_shown() {
        let expected =
            "the numeric column `b` holds the text `x`\n  --> /home/me/pkg/data/a.csv:12:3\n   |\n12 | 1,x,2\n   |   ^";
        assert_eq!(error().to_string(), expected);
    }

    #[test]
    fn a_diagnostic_points_at_the_spec_and_names_the_data_relative_to_the_package() {
        let spec = Arc::new(SourceFile::new("/home/me/pkg/specs/./a.toml", "specs/a.toml", "a = \"b.csv\""));
        let diagnostic = error().help("put a number there").into_diagnostic(&spec);
        assert_eq!(diagnostic.message, "data/a.csv:12:3: the numeric column `b` holds the text `x`");
        assert_eq!(diagnostic.span, Some(Span { start: 3, end: 7 }));
        assert_eq!(diagnostic.help, ["line 12 of the data reads `1,x,2`", "put a number there"]);
    }

    #[test]
    fn nothing_in_an_error_controls_the_terminal() {
        let error = DataError::new("data-text", "a\u{1b}[2Jb\0").help("c\r\u{85}d");
        assert_eq!((error.message.as_str(), error.help[0].as_str()), ("a\\u{1b}[2Jb\\u{0}", "c\\r\\u{85}d"));
    }

    #[test]
    fn paths_are_normalised_by_name() {
        assert_eq!(shown(Path::new("/a/specs/../data/./x.csv")), "/a/data/x.csv");
        assert_eq!(shown(Path::new("../x.csv")), "../x.csv");
    }
}
