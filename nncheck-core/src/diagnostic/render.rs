//! Diagnostics as text, in the manner of rustc: the file, the line, a caret and what was expected there.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Severity, SourceFile, Span};

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Text alone, for pipes and files.
    #[default]
    Plain,
    /// With ANSI colours.
    Coloured,
}

/// The most characters of a line that are shown before the caret, and after it: a line may be a megabyte long.
const MARGIN: usize = 400;

/// One diagnostic, without a newline at its end.
#[must_use]
pub fn render(diagnostic: &Diagnostic, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = printable(&diagnostic.message);
    let excerpt = diagnostic.file.as_ref().map(|file| Excerpt::new(file, diagnostic));
    let mut group = Group::with_title(level.primary_title(message.as_str()).id(diagnostic.code));
    match (&diagnostic.file, &excerpt) {
        (Some(file), Some(Some(excerpt))) => {
            let mut snippet =
                Snippet::source(excerpt.text.as_str()).path(file.shown.as_str()).line_start(excerpt.first_line);
            for (index, (range, words)) in excerpt.marks.iter().enumerate() {
                let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                let mark = kind.span(range.clone());
                snippet = snippet.annotation(if words.is_empty() { mark } else { mark.label(words.as_str()) });
            }
            group = group.element(snippet);
        }
        (Some(file), _) => {
            let mut origin = Origin::path(file.shown.as_str());
            if let Some(span) = diagnostic.span {
                let (line, column) = file.line_column(span.start);
                origin = origin.line(line).char_column(column);
            }
            group = group.element(origin);
            if !diagnostic.label.is_empty() {
                group = group.element(Level::NOTE.message(diagnostic.label.as_str()));
            }
        }
        (None, _) => {
            if !diagnostic.label.is_empty() {
                group = group.element(Level::NOTE.message(diagnostic.label.as_str()));
            }
        }
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    renderer.decor_style(DecorStyle::Ascii).render(&[group])
}

/// Several diagnostics, with an empty line between them.
#[must_use]
pub fn render_all(diagnostics: &[Diagnostic], style: Style) -> String {
    diagnostics.iter().map(|d| render(d, style)).collect::<Vec<_>>().join("\n\n")
}

/// Terminal control sequences in a file must not reach the terminal through a message.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// The lines around the marks of a diagnostic.
struct Excerpt {
    text: String,
    first_line: usize,
    /// Ranges in `text`; the first is the diagnostic's own place.
    marks: Vec<(Range<usize>, String)>,
}

impl Excerpt {
    /// `None` where there is no place, or where its line is too long to be shown whole.
    fn new(file: &SourceFile, diagnostic: &Diagnostic) -> Option<Self> {
        let own = mark(&file.text, diagnostic.span?);
        let mut marks = vec![(own, diagnostic.label.clone())];
        marks.extend(diagnostic.also.iter().map(|(span, words)| (mark(&file.text, *span), words.clone())));

        let first = marks.iter().map(|(range, _)| range.start).min().unwrap_or(0);
        let last = marks.iter().map(|(range, _)| range.end).max().unwrap_or(0);
        let start = file.text[..first].rfind('\n').map_or(0, |i| i + 1);
        let end = file.text[last..].find('\n').map_or(file.text.len(), |i| last + i);
        // Only whole lines have right columns: a line that is too long is named and not shown.
        if file.text[start..end].lines().any(|line| line.len() > 2 * MARGIN) {
            return None;
        }
        let text = file.text[start..end].trim_end_matches('\r').to_owned();
        for (range, _) in &mut marks {
            *range = (range.start - start).min(text.len())..(range.end - start).min(text.len());
        }
        Some(Self { text, first_line: file.line_column(start).0, marks })
    }
}

/// A span as a range that lies in the text, on character boundaries and on one line.
fn mark(text: &str, span: Span) -> Range<usize> {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let line = text[start..].find(['\n', '\r']).map_or(text.len(), |i| start + i);
    start..end.min(line).max(start)
}
