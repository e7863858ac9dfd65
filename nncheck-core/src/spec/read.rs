//! The generic reader: a table of a spec into a typed value, with all that is wrong with it at once.
//!
//! serde stops at the first error. So the reader takes away the key that an error is about and tries again, until
//! nothing is wrong with what is left: every key gets its say.

mod form;
mod shift;
pub(crate) mod words;

use std::ops::Range;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use crate::diagnostic::{Diagnostic, SourceFile, Span, suggest};
pub use form::Form;
use words::{Problem, computed};

/// Where a table stands and what it is called in messages.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Such as `[data]` or `` `linear` ``.
    pub what: &'a str,
    /// The table, or its header.
    pub span: Span,
}

/// What came of reading a table.
#[derive(Clone, Debug)]
pub struct Read<T> {
    /// The value, where enough was right to make one.
    pub value: Option<T>,
    /// Nothing was left out for being wrong: what is missing now is truly missing.
    pub whole: bool,
}

/// Reads tables of one file and gathers what is wrong.
#[derive(Debug)]
pub struct Reader<'f> {
    /// The file.
    pub file: &'f Arc<SourceFile>,
    errors: Vec<Diagnostic>,
}

impl<'f> Reader<'f> {
    /// A reader that has found nothing wrong yet.
    #[must_use]
    pub fn new(file: &'f Arc<SourceFile>) -> Self {
        Self { file, errors: Vec::new() }
    }

    /// Everything that was wrong, in the order of the file.
    #[must_use]
    pub fn into_errors(mut self) -> Vec<Diagnostic> {
        self.drop_consequences();
        self.errors.sort_by_key(|e| e.span.map(|s| (s.start, s.end)));
        self.errors.dedup();
        self.errors
    }

    /// Where a line could not be read, it is no news that its value is wrong, or that something is missing.
    fn drop_consequences(&mut self) {
        let line = |error: &Diagnostic| {
            error.span.map(|span| (self.file.part_at(span.start).0, self.file.line_column(span.start).0))
        };
        let broken: Vec<_> = self.errors.iter().filter(|e| e.code == "syntax").map(line).collect();
        if broken.is_empty() {
            return;
        }
        let news = |error: &Diagnostic| {
            error.code == "syntax"
                || !(error.code.starts_with("missing-")
                    || error.code.starts_with("no-")
                    || broken.contains(&line(error)))
        };
        let kept = self.errors.iter().filter(|error| news(error)).cloned().collect();
        self.errors = kept;
    }

    /// Whether nothing was wrong so far.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// An error at a place of this file, to be worded and given to [`Reader::push`].
    #[must_use]
    pub fn error(&self, code: &'static str, span: impl Into<Span>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message).at(self.file, span)
    }

    /// Keeps an error.
    pub fn push(&mut self, error: Diagnostic) {
        self.errors.push(error);
    }

    /// Parses the text of one part of the file; what could be made sense of comes back even where the syntax is wrong.
    pub(crate) fn document(&mut self, part: usize) -> DeTable<'f> {
        let file = self.file;
        let Some((start, part)) = file.parts().nth(part) else { return DeTable::new() };
        let (table, errors) = DeTable::parse_recoverable(&part.text);
        for error in errors {
            let text = error.message().to_owned();
            let span = error.span().unwrap_or(part.text.len()..part.text.len());
            let place = span.start + start..span.end + start;
            let diagnostic = if text == "duplicate key" {
                let name = part.text.get(span).unwrap_or_default();
                self.error("duplicate-key", place, format!("`{name}` is written twice")).label("the second one")
            } else {
                let help = arithmetic(&part.text, span.start);
                let error = self.error("syntax", place, "this is not TOML").label(text);
                help.into_iter().fold(error, Diagnostic::help)
            };
            self.push(diagnostic);
        }
        shift::table(table.into_inner(), start)
    }

    /// Reads a plain struct.
    pub fn value<T: DeserializeOwned + JsonSchema>(
        &mut self,
        place: Place<'_>,
        table: &DeTable<'_>,
        later: &[&str],
    ) -> Read<T> {
        self.table(place, table, &Form::of::<T>(), later, |t| T::deserialize(Deserializer::from(t)))
    }

    /// Reads a table of this form with this function; `later` are keys of versions to come.
    pub fn table<'i, T>(
        &mut self,
        place: Place<'_>,
        table: &DeTable<'i>,
        form: &Form,
        later: &[&str],
        read: impl Fn(Spanned<DeTable<'i>>) -> Result<T, Error>,
    ) -> Read<T> {
        let mut left = DeTable::new();
        let mut attempt = Attempt { whole: true, dropped: Vec::new() };
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if let (Some(inner), DeValue::Array(_)) = (form.table_only(name), value.get_ref()) {
                attempt.whole = false;
                attempt.dropped.push(place.span);
                self.list_for_table(place, name, value.span().into(), inner);
            } else if form.has(name) {
                left.insert(key.clone(), value.clone());
            } else if !form.is_of_others(name) {
                attempt.whole = false;
                attempt.dropped.push(place.span);
                self.unknown_key(place, name, key.span().into(), form, later);
            }
        }
        loop {
            match read(Spanned::new(place.span.start..place.span.end, left.clone())) {
                Ok(value) => return Read { value: Some(value), whole: attempt.whole },
                Err(error) => {
                    if !self.settle(place, form, &mut left, &mut attempt, &error) {
                        return Read { value: None, whole: false };
                    }
                }
            }
        }
    }

    /// Reports an error and takes away the key that it is about; `false` where there is none left to take.
    fn settle(
        &mut self,
        place: Place<'_>,
        form: &Form,
        left: &mut DeTable<'_>,
        attempt: &mut Attempt,
        error: &Error,
    ) -> bool {
        let whole_table = place.span.start..place.span.end;
        let at = error.span().unwrap_or_else(|| whole_table.clone());
        let problem = Problem::of(error.message());
        attempt.whole = false;
        if at == whole_table {
            if !(problem.is_of_absence() && attempt.dropped.contains(&place.span)) {
                let diagnostic = problem.diagnostic(self, place.what, at.into());
                self.push(diagnostic);
            }
            return false;
        }
        let Some(taken) = take_at(left, &at, place.span) else {
            let diagnostic = problem.diagnostic(self, place.what, at.into());
            self.push(diagnostic);
            return false;
        };
        // A variant of a choice is a key to whoever writes TOML.
        let problem = if taken.by_key { problem.of_key() } else { problem };
        let problem = match (&taken.path[..], problem) {
            ([key], Problem::NoWord) => {
                Problem::WrongWord(form.words(key), self.file.written(at.clone().into()).to_owned())
            }
            (_, problem) => problem,
        };
        let silent = problem.is_of_absence() && attempt.dropped.contains(&at.clone().into());
        if !silent {
            let what = match &taken.path[..] {
                [] => place.what.to_owned(),
                path => format!("`{}` in {}", path.join("."), place.what),
            };
            let diagnostic = problem.diagnostic(self, &what, at.into());
            self.push(diagnostic);
        }
        attempt.dropped.push(taken.table);
        true
    }

    /// Which of some keys, of which exactly one has to be there; `whole`: nothing was left out for being wrong.
    pub fn one_of<'k>(
        &mut self,
        place: Place<'_>,
        table: &DeTable<'_>,
        keys: &[&'k str],
        whole: bool,
    ) -> Option<&'k str> {
        let mut found: Vec<(Span, &'k str)> = keys
            .iter()
            .filter_map(|key| table.get_key_value(*key).map(|(written, _)| (Span::from(written.span()), *key)))
            .collect();
        found.sort_by_key(|(span, _)| span.start);
        let all = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        match found[..] {
            [(_, key)] => Some(key),
            [] => {
                if whole {
                    let error = self
                        .error("missing-key", place.span, format!("{} lacks one of {all}", place.what))
                        .label(format!("needs one of {all}"));
                    self.push(error);
                }
                None
            }
            [(first, key), (second, other), ..] => {
                let error = self
                    .error(
                        "exclusive-keys",
                        second,
                        format!("`{key}` and `{other}` in {} exclude each other", place.what),
                    )
                    .label("a second choice")
                    .also(first, "the first one")
                    .help(format!("keep one of {all}"));
                self.push(error);
                None
            }
        }
    }

    fn unknown_key(&mut self, place: Place<'_>, name: &str, span: Span, form: &Form, later: &[&str]) {
        if later.contains(&name) {
            return self.not_yet(&format!("`{name}` in {}", place.what), span);
        }
        let error = self.error("unknown-key", span, format!("unknown key `{}` in {}", name.escape_debug(), place.what));
        self.push(with_suggestion(error, name, &form.suggested(), "a key"));
    }

    fn list_for_table(&mut self, place: Place<'_>, name: &str, span: Span, inner: &[String]) {
        let error = self
            .error("wrong-type", span, format!("wrong type of `{name}` in {}", place.what))
            .label("expected a table, found an array");
        let mut keys: Vec<String> = inner.iter().take(3).map(|key| format!("{key} = ...")).collect();
        if inner.len() > keys.len() {
            keys.push("...".to_owned());
        }
        self.push(if keys.is_empty() {
            error
        } else {
            error.help(format!("its values have names: `{name} = {{ {} }}`", keys.join(", ")))
        });
    }

    /// Says that something of the language is for a later version.
    pub fn not_yet(&mut self, what: &str, span: Span) {
        let error = self
            .error("not-yet-supported", span, format!("{what} is not supported by this version of nncheck"))
            .label("not supported yet")
            .help("it is part of the spec language and will come with a later version; remove it to go on");
        self.push(error);
    }
}

/// What is known about the tries so far.
struct Attempt {
    whole: bool,
    /// Tables that lost a key: what they lack now is no news.
    dropped: Vec<Span>,
}

/// Names that other tools have for what is called otherwise here.
const ELSEWHERE: [(&str, &str); 3] = [("learning_rate", "lr"), ("batch_size", "batch"), ("filters", "out")];

/// The label and the help of a name that is none of the known ones.
pub(crate) fn with_suggestion(error: Diagnostic, name: &str, known: &[&str], kind: &str) -> Diagnostic {
    let all = || known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let elsewhere =
        ELSEWHERE.iter().find(|(other, ours)| *other == name && known.contains(ours)).map(|(_, ours)| *ours);
    match elsewhere.or_else(|| suggest::nearest(name, known.iter().copied())) {
        Some(near) => {
            error.label(format!("did you mean `{near}`?")).help(format!("known are {}", suggest::list(known)))
        }
        None => error.label(format!("not {kind} that is known here")).help(format!("known are {}", all())),
    }
}

/// What a value is, in a sentence.
pub(crate) fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Array(_) => "an array".to_owned(),
        other => format!("a {}", other.type_str()),
    }
}

/// What to write where the value of a line is arithmetic.
fn arithmetic(text: &str, at: usize) -> Option<String> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    let (_, value) = text.get(start..)?.lines().next()?.split_once('=')?;
    let value = value.split('#').next()?.trim();
    Some(format!("TOML has no arithmetic: write `{}`", computed(value, false)?))
}

struct Taken {
    /// The keys on the way to the table that the key was taken from, with the key itself.
    path: Vec<String>,
    /// That table.
    table: Span,
    /// The error is about the key and not about its value.
    by_key: bool,
}

/// Takes away the innermost key that an error at `at` is about.
fn take_at(table: &mut DeTable<'_>, at: &Range<usize>, span: Span) -> Option<Taken> {
    let (key, _) = table.iter().find(|(key, value)| covers(&key.span(), at) || holds(value, at))?;
    let (name, by_key) = (key.get_ref().to_string(), key.span() == *at);
    let inner = table.get_mut(name.as_str())?;
    let inner_span = inner.span().into();
    if let DeValue::Table(inner) = inner.get_mut()
        && let Some(mut taken) = take_at(inner, at, inner_span)
    {
        taken.path.insert(0, name);
        return Some(taken);
    }
    table.remove(name.as_str());
    Some(Taken { path: vec![name], table: span, by_key })
}

fn covers(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Whether a value, or anything in it, covers a place. (A table under a header covers only the header.)
fn holds(value: &Spanned<DeValue<'_>>, at: &Range<usize>) -> bool {
    covers(&value.span(), at)
        || match value.get_ref() {
            DeValue::Table(table) => table.iter().any(|(k, v)| covers(&k.span(), at) || holds(v, at)),
            DeValue::Array(items) => items.iter().any(|item| holds(item, at)),
            _ => false,
        }
}
