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
    let label = printable(&diagnostic.label);
    let helps: Vec<String> = diagnostic.help.iter().map(|help| printable(help)).collect();
    let marks =
        diagnostic.file.as_ref().zip(diagnostic.span).map_or_else(Vec::new, |(f, span)| excerpts(f, span, diagnostic));
    let mut group = Group::with_title(level.primary_title(message.as_str()).id(diagnostic.code));
    for (index, (part, place, excerpt)) in marks.iter().enumerate() {
        let Some(excerpt) = excerpt else {
            let (line, column) = part.line_column(*place);
            group = group.element(Origin::path(part.shown.as_str()).line(line).char_column(column));
            if index == 0 && !label.is_empty() {
                group = group.element(Level::NOTE.message(label.as_str()));
            }
            continue;
        };
        let mut snippet =
            Snippet::source(excerpt.text.as_str()).path(part.shown.as_str()).line_start(excerpt.first_line);
        for (nth, (range, words)) in excerpt.marks.iter().enumerate() {
            let kind = if index == 0 && nth == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let mark = kind.span(range.clone());
            snippet = snippet.annotation(if words.is_empty() { mark } else { mark.label(words.as_str()) });
        }
        group = group.element(snippet);
    }
    if marks.is_empty() {
        if let Some(file) = &diagnostic.file {
            group = group.element(Origin::path(file.shown.as_str()));
        }
        if !label.is_empty() {
            group = group.element(Level::NOTE.message(label.as_str()));
        }
    }
    for help in &helps {
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

/// The lines around marks of a diagnostic that lie in one file.
struct Excerpt {
    text: String,
    first_line: usize,
    /// Ranges in `text`; the first is the diagnostic's own place, where that lies in this file.
    marks: Vec<(Range<usize>, String)>,
}

/// Where a file begins in the space of offsets, the file, and what is marked in it.
type Part<'f> = (usize, &'f SourceFile, Vec<(Span, String)>);

/// One excerpt a file, the diagnostic's own place first; without one where a line is too long to be shown whole.
fn excerpts<'f>(
    file: &'f SourceFile,
    span: Span,
    diagnostic: &Diagnostic,
) -> Vec<(&'f SourceFile, usize, Option<Excerpt>)> {
    let own = std::iter::once((span, &diagnostic.label));
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (span, words) in own.chain(diagnostic.also.iter().map(|(span, words)| (*span, words))) {
        let (start, part) = file.part_at(span.start);
        let local = Span { start: span.start - start, end: span.end.saturating_sub(start) };
        let mark = (local, printable(words));
        match parts.iter_mut().find(|(begins, ..)| *begins == start) {
            Some((.., marks)) => marks.push(mark),
            None => parts.push((start, part, vec![mark])),
        }
    }
    parts.into_iter().map(|(_, part, marks)| (part, marks[0].0.start, Excerpt::new(&part.text, &marks))).collect()
}

impl Excerpt {
    /// `None` where a line is too long to be shown whole.
    fn new(text: &str, marks: &[(Span, String)]) -> Option<Self> {
        let mut marks: Vec<_> = marks.iter().map(|(span, words)| (mark(text, *span), words.clone())).collect();
        let first = marks.iter().map(|(range, _)| range.start).min().unwrap_or(0);
        let last = marks.iter().map(|(range, _)| range.end).max().unwrap_or(0);
        let start = text[..first].rfind('\n').map_or(0, |i| i + 1);
        let end = text[last..].find('\n').map_or(text.len(), |i| last + i);
        // Only whole lines have right columns: a line that is too long is named and not shown.
        if text[start..end].lines().any(|line| line.len() > 2 * MARGIN) {
            return None;
        }
        let first_line = text[..start].bytes().filter(|&b| b == b'\n').count() + 1;
        let text = text[start..end].trim_end_matches('\r').to_owned();
        for (range, _) in &mut marks {
            *range = (range.start - start).min(text.len())..(range.end - start).min(text.len());
        }
        Some(Self { text, first_line, marks })
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn file(text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile::new("specs/a.toml", "specs/a.toml", text))
    }

    fn at(text: &str, span: Range<usize>) -> String {
        render(&Diagnostic::error("some-code", "it is wrong").at(&file(text), span).label("here"), Style::Plain)
    }

    #[test]
    fn a_place_has_file_line_column_caret_label_and_help() {
        let error = Diagnostic::error("unknown-key", "unknown key `foo` in [data]")
            .at(&file("[data]\nfoo = 1\nbar = 2\n"), 7..10)
            .label("did you mean `bar`?")
            .also(15..18, "it is here")
            .help("remove it");
        assert_eq!(
            render(&error, Style::Plain),
            "\
error[unknown-key]: unknown key `foo` in [data]
 --> specs/a.toml:2:1
  |
2 | foo = 1
  | ^^^ did you mean `bar`?
3 | bar = 2
  | --- it is here
  |
  = help: remove it"
        );
    }

    #[test]
    fn places_of_two_files_are_each_shown_in_their_own() {
        let mut file = SourceFile::new("specs/a.toml", "specs/a.toml", "lr = 2\n");
        file.inherit(SourceFile::new("base.toml", "base.toml", "# base\nkind = 3\n"));
        let error =
            Diagnostic::error("some-code", "no").at(&Arc::new(file), 15..19).label("here").also(0..2, "and here");
        assert_eq!(
            render(&error, Style::Plain),
            "\
error[some-code]: no
 --> base.toml:2:1
  |
2 | kind = 3
  | ^^^^ here
  |
 ::: specs/a.toml:1:1
  |
1 | lr = 2
  | -- and here"
        );
    }

    #[test]
    fn colours_are_asked_for() {
        let error = Diagnostic::error("a", "b").at(&file("c"), 0..1);
        assert!(!render(&error, Style::Plain).contains('\u{1b}'));
        assert!(render(&error, Style::Coloured).contains('\u{1b}'));
    }

    #[test]
    fn a_warning_is_called_one() {
        let warning = Diagnostic { severity: Severity::Warning, ..Diagnostic::error("a", "b") };
        assert_eq!(render(&warning, Style::Plain), "warning[a]: b");
    }

    #[test]
    fn spans_outside_of_the_text_are_at_its_end() {
        assert!(at("ab\ncd", 90..99).contains("a.toml:2:3"));
        assert!(at("", 5..9).contains("a.toml:1:1"));
        let backwards = Range { start: 3, end: 1 };
        assert!(at("ab\ncd", backwards).contains("a.toml:2:1"));
    }

    #[test]
    fn a_span_inside_of_a_character_covers_it() {
        let text = at("\u{e4}\u{e4} = 1", 1..3);
        assert!(text.contains("a.toml:1:1") && text.contains("| ^^ here"), "{text}");
    }

    #[test]
    fn a_span_over_several_lines_marks_the_first() {
        let text = at("a = [\n  1,\n]\n", 4..12);
        assert!(text.contains("1 | a = [\n  |     ^ here"), "{text}");
    }

    #[test]
    fn windows_line_ends_do_not_show() {
        assert_eq!(at("a = 1\r\nb = 2\r\n", 7..8).replace(' ', ""), at("a = 1\nb = 2\n", 6..7).replace(' ', ""));
    }

    #[test]
    fn a_very_long_line_is_named_and_not_shown() {
        let text = at(&format!("a = \"{}\"\n", "x".repeat(100_000)), 50_000..50_001);
        assert_eq!(text, "error[some-code]: it is wrong\n--> specs/a.toml:1:50001\n = note: here");
    }

    #[test]
    fn control_sequences_do_not_reach_the_terminal() {
        let error = Diagnostic::error("a", "unknown key `\u{1b}[2J`").at(&file("\u{1b}[2J = 1"), 0..1);
        assert!(!render(&error, Style::Plain).contains('\u{1b}'));
    }

    proptest! {
        #[test]
        fn no_span_and_no_text_makes_it_panic(
            text in "(?s)[a\u{e4}\u{4e2d}\u{1f600}\u{feff}\u{200d}\t\r\n\u{0} ]{0,40}",
            spans in proptest::collection::vec((0_usize..60, 0_usize..60), 1..4),
            words in "(?s).{0,20}",
        ) {
            let mut error = Diagnostic::error("a", words.clone()).at(&file(&text), spans[0].0..spans[0].1).label(words.clone());
            for &(start, end) in &spans[1..] {
                error = error.also(start..end, words.clone());
            }
            for style in [Style::Plain, Style::Coloured] {
                prop_assert!(!render(&error.clone().help(words.clone()), style).is_empty());
            }
        }
    }
}
