//! Colours and line breaks of text reports.

use std::fmt::Display;

use anstyle::{AnsiColor, Style as Ansi};

/// What a piece of text is, and so how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    Unsure,
    Quiet,
    Place,
}

/// Text in the colour of its tone.
pub(super) fn paint(colour: bool, tone: Tone, text: impl Display) -> String {
    if !colour {
        return text.to_string();
    }
    let style = match tone {
        Tone::Good => AnsiColor::Green.on_default().bold(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
        Tone::Unsure => AnsiColor::Yellow.on_default().bold(),
        Tone::Quiet => Ansi::new().dimmed(),
        Tone::Place => AnsiColor::Blue.on_default().bold(),
    };
    format!("{style}{text}{style:#}")
}

/// Breaks a text at spaces so that its lines, `first` before the first and as much room before the others, fit the
/// width. A word that is longer stands alone; a width of 0 breaks nothing.
pub(super) fn wrap(text: &str, first: &str, width: usize) -> String {
    let indent = first.chars().count();
    let mut out = first.to_owned();
    let mut column = indent;
    for (i, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if i > 0 {
            if width > 0 && column + 1 + length > width && column > indent {
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                column = indent;
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(word);
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_spaces_and_hang_under_the_first() {
        assert_eq!(wrap("one two three", "help: ", 14), "help: one two\n      three");
    }

    #[test]
    fn a_long_word_stands_alone_and_width_zero_breaks_nothing() {
        assert_eq!(wrap("a incomprehensibilities b", "", 8), "a\nincomprehensibilities\nb");
        assert_eq!(wrap("one two three", "", 0), "one two three");
    }

    #[test]
    fn text_without_colour_stays_as_it_is() {
        assert_eq!(paint(false, Tone::Bad, "FAIL"), "FAIL");
        assert!(paint(true, Tone::Bad, "FAIL").contains("\u{1b}["));
    }
}
