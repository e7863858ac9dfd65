//! The generic reader: a table of a spec into a typed value, with all that is wrong with it at once.
//!
//! serde stops at the first error. So the reader takes away the key that an error is about and tries again, until
//! nothing is wrong with what is left: every key gets its say.

mod shift;
pub(crate) mod words;

use std::ops::Range;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use crate::diagnostic::{Diagnostic, SourceFile, Span, suggest};
use words::Problem;

/// The keys that a table may hold, from the schema of the type that it becomes.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// The names that the documentation uses.
    keys: Vec<String>,
    /// Other names that are accepted.
    aliases: Vec<String>,
    /// Names that others read from the same table.
    others: Vec<String>,
    /// Keys whose value is a table and never a list, with the keys of that table. (serde would fill a struct from a list.)
    tables: Vec<(String, Vec<String>)>,
}

impl Form {
    /// The form of a type.
    #[must_use]
    pub fn of<T: JsonSchema>() -> Self {
        let mut generator = SchemaGenerator::default();
        let schema = T::json_schema(&mut generator);
        let mut form = Self::of_schema(&schema);
        let definitions = generator.definitions();
        for (key, property) in schema.get("properties").and_then(|p| p.as_object()).into_iter().flatten() {
            if let Some(inner) = table_only(property, definitions) {
                form.tables.push((key.clone(), inner));
            }
        }
        form
    }

    /// The form that a schema describes: its `properties`, and their `x-aliases`.
    #[must_use]
    pub fn of_schema(schema: &Schema) -> Self {
        let mut form = Self::default();
        if let Some(properties) = schema.get("properties").and_then(|p| p.as_object()) {
            for (key, property) in properties {
                form.keys.push(key.clone());
                let aliases = property.get("x-aliases").and_then(|a| a.as_array());
                form.aliases.extend(aliases.into_iter().flatten().filter_map(|a| a.as_str()).map(str::to_owned));
            }
        }
        form
    }

    /// Has one more key.
    #[must_use]
    pub fn with(mut self, key: &str) -> Self {
        self.keys.push(key.to_owned());
        self
    }

    /// Accepts further keys of the same table, which somebody else reads.
    #[must_use]
    pub fn beside<'a>(mut self, others: impl IntoIterator<Item = &'a str>) -> Self {
        self.others.extend(others.into_iter().map(str::to_owned));
        self
    }

    /// The documented names.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// Whether this form itself documents the key.
    #[must_use]
    pub fn has_own(&self, key: &str) -> bool {
        self.keys.iter().any(|known| known == key)
    }

    /// Whether this form itself has the key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.keys.iter().chain(&self.aliases).any(|known| known == key)
    }
}

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
                self.error("syntax", place, "this is not TOML").label(text)
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
            if let (Some((_, inner)), DeValue::Array(_)) =
                (form.tables.iter().find(|(k, _)| k == name), value.get_ref())
            {
                attempt.whole = false;
                attempt.dropped.push(place.span);
                self.list_for_table(place, name, value.span().into(), inner);
            } else if form.has(name) {
                left.insert(key.clone(), value.clone());
            } else if !form.others.iter().any(|other| other == name) {
                attempt.whole = false;
                attempt.dropped.push(place.span);
                self.unknown_key(place, name, key.span().into(), form, later);
            }
        }
        loop {
            match read(Spanned::new(place.span.start..place.span.end, left.clone())) {
                Ok(value) => return Read { value: Some(value), whole: attempt.whole },
                Err(error) => {
                    if !self.settle(place, &mut left, &mut attempt, &error) {
                        return Read { value: None, whole: false };
                    }
                }
            }
        }
    }

    /// Reports an error and takes away the key that it is about; `false` where there is none left to take.
    fn settle(&mut self, place: Place<'_>, left: &mut DeTable<'_>, attempt: &mut Attempt, error: &Error) -> bool {
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
        let mut known: Vec<&str> = Vec::new();
        for key in form.keys.iter().chain(&form.others) {
            if !known.contains(&key.as_str()) {
                known.push(key);
            }
        }
        let error = self.error("unknown-key", span, format!("unknown key `{}` in {}", name.escape_debug(), place.what));
        self.push(with_suggestion(error, name, &known, "a key"));
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

/// The keys of a value that is a table and nothing else; `None` where it may be something else.
fn table_only(schema: &Value, definitions: &Map<String, Value>) -> Option<Vec<String>> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return table_only(definitions.get(name)?, definitions);
    }
    let of = |key| schema.get(key).and_then(Value::as_array).filter(|all| !all.is_empty());
    if let Some(choices) = of("anyOf").or_else(|| of("oneOf")) {
        // A choice of several tables is read by whoever knows which one is meant.
        let mut tables = choices.iter().filter(|c| c.get("type").and_then(Value::as_str) != Some("null"));
        return match (tables.next(), tables.next()) {
            (Some(only), None) => table_only(only, definitions),
            _ => None,
        };
    }
    let is_table = match schema.get("type")? {
        Value::String(one) => one == "object",
        Value::Array(several) => several.iter().all(|one| one == "object" || one == "null"),
        _ => false,
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    is_table.then(|| properties.into_iter().flatten().map(|(key, _)| key.clone()).collect())
}

/// What is known about the tries so far.
struct Attempt {
    whole: bool,
    /// Tables that lost a key: what they lack now is no news.
    dropped: Vec<Span>,
}

/// The label and the help of a name that is none of the known ones.
pub(crate) fn with_suggestion(error: Diagnostic, name: &str, known: &[&str], kind: &str) -> Diagnostic {
    let all = || known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match suggest::nearest(name, known.iter().copied()) {
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
