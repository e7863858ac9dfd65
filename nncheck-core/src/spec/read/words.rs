//! serde's messages in the words of someone who writes TOML and no Rust.

use super::{Reader, with_suggestion};
use crate::diagnostic::{Diagnostic, Span};
use crate::spec::expression::Expression;

/// What a message of serde says.
#[derive(Debug, PartialEq)]
pub(super) enum Problem {
    /// A key that a nested table may not hold, and those that it may.
    UnknownKey(String, Vec<String>),
    /// A word that is none of the allowed ones.
    UnknownValue(String, Vec<String>),
    /// A key that is not there.
    MissingKey(String),
    /// The same under two names.
    Duplicate(String),
    /// Expected and found.
    WrongType(String, String),
    /// A number in quotes: the text, and what is expected.
    QuotedNumber(String, String),
    /// A string that says what is meant in a way that is not read: what is expected, and what to write.
    Instead(String, String),
    /// Something else where there has to be a word.
    NoWord,
    /// The same where the words are known: these, and what is written.
    WrongWord(Vec<String>, String),
    /// Not exactly one key, where there has to be one.
    NotOneKey,
    /// Of the right type, but not allowed.
    WrongValue(String),
}

impl Problem {
    /// Whether something is not there; it may have been taken away for being wrong.
    pub(super) fn is_of_absence(&self) -> bool {
        matches!(self, Self::MissingKey(_) | Self::NotOneKey)
    }

    /// The same where the place is a key's.
    pub(super) fn of_key(self) -> Self {
        match self {
            Self::UnknownValue(name, known) => Self::UnknownKey(name, known),
            other => other,
        }
    }

    pub(super) fn of(message: &str) -> Self {
        let mut names = message.split('`').skip(1).step_by(2).map(str::to_owned);
        let mut name = || names.next().unwrap_or_default();
        if message.starts_with("unknown field `") {
            Self::UnknownKey(name(), names.collect())
        } else if message.starts_with("unknown variant `") {
            Self::UnknownValue(name(), names.collect())
        } else if message.starts_with("missing field `") {
            Self::MissingKey(name())
        } else if message.starts_with("duplicate field `") {
            Self::Duplicate(name())
        } else if let Some(rest) = message.strip_prefix("invalid type: ") {
            let (found, wanted) = rest.rsplit_once(", expected ").unwrap_or((rest, "something else"));
            match quoted_number(found) {
                Some(text) if matches!(expected(wanted).split_once(' '), Some(("a", rest)) if rest.starts_with("number") || rest.starts_with("whole number")) => {
                    Self::QuotedNumber(text, expected(wanted))
                }
                _ => match instead(found, &expected(wanted)) {
                    Some(help) => Self::Instead(expected(wanted), help),
                    None => Self::WrongType(expected(wanted), self::found(found)),
                },
            }
        } else if let Some(rest) = message.strip_prefix("invalid value: ") {
            let (found, wanted) = rest.rsplit_once(", expected ").unwrap_or((rest, "something else"));
            Self::WrongValue(format!("expected {}, found {}", expected(wanted), self::found(found)))
        } else if let Some(rest) = message.strip_prefix("invalid length ") {
            let (found, wanted) = rest.split_once(", expected ").unwrap_or((rest, "another number"));
            Self::WrongType(expected(wanted), format!("{found} of them"))
        } else if message.starts_with("wanted exactly 1 element") {
            Self::NotOneKey
        } else if message == "wanted string or table" {
            Self::NoWord
        } else {
            Self::WrongValue(message.to_owned())
        }
    }

    /// `what` is the table for keys, and the key for values.
    pub(super) fn diagnostic(self, reader: &Reader<'_>, what: &str, span: Span) -> Diagnostic {
        match self {
            Self::UnknownKey(name, known) => {
                let what = what.replacen(&format!(".{name}`"), "`", 1);
                let error =
                    reader.error("unknown-key", span, format!("unknown key `{}` in {what}", name.escape_debug()));
                with_suggestion(error, &name, &strs(&known), "a key")
            }
            Self::UnknownValue(name, known) => {
                let error =
                    reader.error("unknown-value", span, format!("unknown value `{}` of {what}", name.escape_debug()));
                with_suggestion(error, &name, &strs(&known), "a value")
            }
            Self::MissingKey(name) => reader
                .error("missing-key", span, format!("missing key `{name}` in {what}"))
                .label(format!("needs `{name} = ...`")),
            Self::Duplicate(name) => reader
                .error("duplicate-key", span, format!("`{name}` is written twice in {what}"))
                .label("the same under another name"),
            Self::WrongType(expected, found) => {
                // To serde a date is a table, to whoever wrote it it is none.
                let written = reader.file.text.get(span.start..span.end).unwrap_or_default();
                let date = found == "a table" && written.starts_with(|c: char| c.is_ascii_digit());
                reader
                    .error("wrong-type", span, format!("wrong type of {what}"))
                    .label(format!("expected {expected}, found {}", if date { "a date" } else { &found }))
            }
            Self::QuotedNumber(text, expected) => {
                let error = reader
                    .error("wrong-type", span, format!("wrong type of {what}"))
                    .label(format!("expected {expected}, found a string"));
                match text.strip_suffix('%').map(|share| share.trim().parse::<f64>()) {
                    Some(Ok(share)) => error.help(format!("a share is written without a unit: `{}`", share / 100.0)),
                    _ => error.help(format!("numbers are written without quotes: `{text}`")),
                }
            }
            Self::Instead(expected, help) => reader
                .error("wrong-type", span, format!("wrong type of {what}"))
                .label(format!("expected {expected}, found a string"))
                .help(help),
            Self::NoWord => Self::WrongWord(Vec::new(), String::new()).diagnostic(reader, what, span),
            Self::WrongWord(words, written) => {
                let error = reader.error("wrong-value", span, format!("wrong value of {what}"));
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                let error = match &words[..] {
                    [] => return error.label("expected a string"),
                    [one] => error.label(format!("expected {one}")),
                    [first @ .., last] => error.label(format!("expected {} or {last}", first.join(", "))),
                };
                if written == "false" { error.help("for the default, leave it out") } else { error }
            }
            Self::NotOneKey => {
                reader.error("wrong-value", span, format!("wrong value of {what}")).label("expected exactly one key")
            }
            Self::WrongValue(label) => {
                let help = as_share(&label);
                let error = reader.error("wrong-value", span, format!("wrong value of {what}")).label(label);
                match help {
                    Some(help) => error.help(help),
                    None => error,
                }
            }
        }
    }
}

/// What to write where a share was given in percent.
pub(crate) fn as_share(label: &str) -> Option<String> {
    let (wanted, found) = label.rsplit_once(", found ")?;
    let percent = found.parse::<f64>().ok().filter(|n| (5.0..=100.0).contains(n))?;
    wanted.contains("a share").then(|| format!("{percent} % is written `{}`", percent / 100.0))
}

/// The number that a string of serde's message holds, perhaps in percent.
fn quoted_number(found: &str) -> Option<String> {
    let text = found.strip_prefix("string \"")?.strip_suffix('"')?.trim();
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    number.parse::<f64>().ok().filter(|n| n.is_finite()).map(|_| text.to_owned())
}

/// What to write instead of a string, where it tells what is meant.
fn instead(found: &str, expected: &str) -> Option<String> {
    let text = found.strip_prefix("string \"")?.strip_suffix('"')?.trim();
    if expected == "true or false" {
        let yes = match text.to_lowercase().as_str() {
            "true" | "yes" | "on" => true,
            "false" | "no" | "off" => false,
            _ => return None,
        };
        return Some(format!("write `{yes}`, without quotes"));
    }
    let whole = expected.starts_with("a whole number");
    let number = computed(text, whole).filter(|_| whole || expected.starts_with("a number"))?;
    Some(format!("only `expect`, `min` and `max` of a property read arithmetic: write `{number}`"))
}

/// What arithmetic of plain numbers comes to, as TOML has it.
pub(super) fn computed(text: &str, whole: bool) -> Option<String> {
    let value = Expression::parse(text).ok()?.constant().filter(|value| value.is_finite())?;
    match whole {
        true if value.fract() != 0.0 || value.abs() > 1e15 => None,
        true => Some(format!("{value:.0}")),
        false => Some(format!("{value:?}")),
    }
}

fn strs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// What serde expected.
fn expected(words: &str) -> String {
    let plain = match words {
        "f64" | "f32" => "a number",
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number of 0 or more",
        "i64" | "i32" => "a whole number",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "a map" => "a table",
        words if words.starts_with("a nonzero ") => "a whole number of 1 or more",
        words if words.starts_with("struct ") => "a table",
        words if words.starts_with("an array of length ") => {
            return words.replace("an array of length ", "an array of ") + " values";
        }
        words => words,
    };
    plain.to_owned()
}

/// What serde found.
fn found(words: &str) -> String {
    let tick = |words: &str| words.split('`').nth(1).unwrap_or(words).to_owned();
    match words {
        "sequence" => "an array".to_owned(),
        "map" => "a table".to_owned(),
        words if words.starts_with("string ") => "a string".to_owned(),
        words if words.starts_with("integer ") => tick(words),
        words if words.starts_with("floating point ") => tick(words),
        words if words.starts_with("boolean ") => tick(words),
        words => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_serde_are_told_apart() {
        let of = Problem::of;
        let strings = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        assert_eq!(of("unknown field `a`, expected `b` or `c`"), Problem::UnknownKey("a".into(), strings(&["b", "c"])));
        assert_eq!(
            of("unknown variant `a`, expected one of `b`, `c`, `d`"),
            Problem::UnknownValue("a".into(), strings(&["b", "c", "d"]))
        );
        assert_eq!(
            of("invalid type: string \"1e-3\", expected f64"),
            Problem::QuotedNumber("1e-3".into(), "a number".into())
        );
        assert_eq!(
            of("invalid type: string \"10 %\", expected f64"),
            Problem::QuotedNumber("10 %".into(), "a number".into())
        );
        assert_eq!(of("missing field `lr`"), Problem::MissingKey("lr".into()));
        assert_eq!(
            of("invalid type: string \"x, expected y\", expected f64"),
            Problem::WrongType("a number".into(), "a string".into())
        );
        assert_eq!(
            of("invalid value: integer `-1`, expected usize"),
            Problem::WrongValue("expected a whole number of 0 or more, found -1".into())
        );
        assert_eq!(
            of("invalid length 3, expected an array of length 2"),
            Problem::WrongType("an array of 2 values".into(), "3 of them".into())
        );
        let instead = |expected: &str, help: &str| Problem::Instead(expected.into(), help.into());
        let write = "only `expect`, `min` and `max` of a property read arithmetic: write";
        assert_eq!(
            of("invalid type: string \"1/255\", expected f64"),
            instead("a number", &format!("{write} `0.00392156862745098`"))
        );
        assert_eq!(
            of("invalid type: string \"2 * 32\", expected a nonzero usize"),
            instead("a whole number of 1 or more", &format!("{write} `64`"))
        );
        assert_eq!(
            of("invalid type: string \"yes\", expected a boolean"),
            instead("true or false", "write `true`, without quotes")
        );
        assert_eq!(of("wanted string or table"), Problem::NoWord);
        assert_eq!(of("no"), Problem::WrongValue("no".into()));
    }
}
