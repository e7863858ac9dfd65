//! `extends`: a spec and all that it builds upon as one file with one space of offsets, and as one document.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::builtin;
use super::text_file::read;
use crate::diagnostic::{Diagnostic, SourceFile, Span, suggest};
use crate::spec::merge::merge;
use crate::spec::read::{Reader, with_suggestion};

/// How built-in specs are told from paths.
const BUILT_IN: &str = "nncheck:";

/// A spec with all that it builds upon.
#[derive(Debug)]
pub(super) struct Extended {
    /// The spec, with the inherited files behind it.
    pub(super) file: Arc<SourceFile>,
    /// What is wrong with `extends` itself.
    pub(super) errors: Vec<Diagnostic>,
    parts: Vec<Part>,
}

/// One of the files.
#[derive(Debug)]
struct Part {
    /// A built-in spec by its name, a file by its canonical path.
    identity: PathBuf,
    /// The files that it extends, the first one lowest.
    extends: Vec<usize>,
    /// Where in its text the document is.
    root: Root,
}

/// Where in a text the document is.
#[derive(Clone, Copy, Debug)]
enum Root {
    /// All of it.
    Spec,
    /// `metadata.nncheck` below this key of a manifest; only its `[run]` counts.
    Manifest(&'static str),
}

/// A manifest with defaults for `[run]`.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) file: SourceFile,
    pub(super) key: &'static str,
}

impl Extended {
    /// Follows `extends` from a file on; `defaults` lie below everything, the first one lowest.
    pub(super) fn new(file: SourceFile, defaults: &[Defaults]) -> Self {
        let identity = canonical(&file.path);
        let mut parts = vec![Part { identity, extends: Vec::new(), root: Root::Spec }];
        let mut follow = Follow { file, errors: Vec::new() };
        let mut lowest = Vec::new();
        for Defaults { file, key } in defaults {
            parts.push(Part { identity: file.path.join(key), extends: Vec::new(), root: Root::Manifest(key) });
            lowest.push(follow.file.inherit(file.clone()));
        }
        follow.part(&mut parts, 0, &mut vec![0]);
        parts[0].extends.splice(0..0, lowest);
        let Follow { file, mut errors } = follow;
        let file = Arc::new(file);
        for error in &mut errors {
            error.file = Some(Arc::clone(&file));
        }
        Self { file, errors, parts }
    }

    /// The files that it builds upon.
    pub(super) fn inherited(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().skip(1).map(|part| part.identity.as_path())
    }

    /// The file itself.
    pub(super) fn identity(&self) -> &Path {
        &self.parts[0].identity
    }

    /// All files merged, `extends` left out.
    pub(super) fn document<'f>(&self, reader: &mut Reader<'f>) -> DeTable<'f> {
        self.merged(reader, 0)
    }

    fn merged<'f>(&self, reader: &mut Reader<'f>, index: usize) -> DeTable<'f> {
        let part = &self.parts[index];
        let own = match part.root {
            Root::Spec => reader.document(index),
            Root::Manifest(key) => manifest(reader, index, key),
        };
        let mut whole = DeTable::new();
        for &below in &part.extends {
            let below = self.merged(reader, below);
            whole = merge(whole, below);
        }
        whole = merge(whole, own);
        whole.remove("extends");
        whole
    }
}

/// What `metadata.nncheck` may hold.
const OF_MANIFESTS: [&str; 2] = ["specs", "run"];

/// `[run]` of a manifest; what else is below `metadata.nncheck` is refused. That a manifest is no TOML is cargo's to say.
fn manifest<'f>(reader: &mut Reader<'f>, index: usize, key: &str) -> DeTable<'f> {
    let mut quiet = Reader::new(reader.file);
    let mut table = quiet.document(index);
    for name in [key, "metadata", "nncheck"] {
        match table.remove(name) {
            None => return DeTable::new(),
            Some(value) => {
                let span = value.span();
                match value.into_inner() {
                    DeValue::Table(inner) => table = inner,
                    other if name == "nncheck" => {
                        let what = format!("[{key}.metadata.nncheck]");
                        let error = reader.error("wrong-type", span, format!("wrong type of {what}"));
                        reader.push(error.label(format!("expected a table {what}, found {}", other.type_str())));
                        return DeTable::new();
                    }
                    _ => return DeTable::new(),
                }
            }
        }
    }
    for (name, value) in &table {
        let (name, span) = (name.get_ref().as_ref(), name.span());
        if !OF_MANIFESTS.contains(&name) {
            let words = format!("unknown key `{}` in [{key}.metadata.nncheck]", name.escape_debug());
            let error = with_suggestion(reader.error("unknown-key", span, words), name, &OF_MANIFESTS, "a key");
            reader.push(error.help("what is said for all specs of a package are `specs`, their folders, and `run`"));
        } else if name == "specs" && !names_folders(value.get_ref()) {
            let words = format!("wrong value of `specs` in [{key}.metadata.nncheck]");
            let error = reader.error("wrong-value", value.span(), words);
            reader.push(error.label("expected folders, such as `specs = [\"specs\"]`"));
        }
    }
    let run = table.get_key_value("run").map(|(key, value)| (key.clone(), value.clone()));
    run.into_iter().collect()
}

/// One folder, or a list of them.
fn names_folders(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::String(_) => true,
        DeValue::Array(items) => !items.is_empty() && items.iter().all(|item| item.get_ref().is_str()),
        _ => false,
    }
}

/// Follows `extends` through the files.
struct Follow {
    file: SourceFile,
    errors: Vec<Diagnostic>,
}

impl Follow {
    /// Reads what a part extends; `chain` leads from the spec to it.
    fn part(&mut self, parts: &mut Vec<Part>, index: usize, chain: &mut Vec<usize>) {
        for (name, span) in self.stated(index) {
            let (identity, file) = match self.named(&name, span) {
                Ok(found) => found,
                Err(error) => {
                    self.errors.push(*error);
                    continue;
                }
            };
            if let Some(at) = chain.iter().position(|&link| parts[link].identity == identity) {
                let shown = |part: usize| self.file.parts().nth(part).map_or("", |(_, file)| file.shown.as_str());
                let mut ring: Vec<String> = chain[at..].iter().map(|&link| format!("`{}`", shown(link))).collect();
                ring.push(ring[0].clone());
                let error = error("extends-cycle", span, format!("a circle: {}", ring.join(" extends ")));
                self.errors.push(error.label("leads back to where it came from").help("remove one of these `extends`"));
                continue;
            }
            let known = parts.iter().position(|part| part.identity == identity);
            let below = known.unwrap_or_else(|| {
                parts.push(Part { identity, extends: Vec::new(), root: Root::Spec });
                let below = self.file.inherit(file);
                chain.push(below);
                self.part(parts, below, chain);
                chain.pop();
                below
            });
            parts[index].extends.push(below);
        }
    }

    /// What a part says that it extends, with places.
    fn stated(&mut self, index: usize) -> Vec<(String, Span)> {
        let Some((start, part)) = self.file.parts().nth(index) else { return Vec::new() };
        let (table, _) = DeTable::parse_recoverable(&part.text);
        let Some(value) = table.get_ref().get("extends") else { return Vec::new() };
        let place = |span: std::ops::Range<usize>| Span { start: span.start + start, end: span.end + start };
        let items = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        let (mut stated, mut errors) = (Vec::new(), Vec::new());
        for item in items {
            match item.get_ref().as_str() {
                Some(name) => stated.push((name.to_owned(), place(item.span()))),
                None => errors.push(
                    error("wrong-type", place(item.span()), "wrong type of `extends`")
                        .label(format!("expected names and paths, found {}", item.get_ref().type_str()))
                        .help("such as `extends = [\"nncheck:classification\"]`"),
                ),
            }
        }
        self.errors.extend(errors);
        stated
    }

    /// The file of a name, and what tells it from others.
    fn named(&self, name: &str, span: Span) -> Result<(PathBuf, SourceFile), Box<Diagnostic>> {
        if let Some(built_in) = name.strip_prefix(BUILT_IN) {
            let Some(text) = builtin::find(built_in) else {
                let known: Vec<&str> = builtin::ALL.iter().map(|(name, _)| *name).collect();
                let words = format!("there is no built-in spec `{}`", built_in.escape_debug());
                let near = suggest::nearest(built_in, known.iter().copied());
                let label =
                    near.map_or_else(|| "not known".to_owned(), |near| format!("did you mean `nncheck:{near}`?"));
                let all: Vec<String> = known.iter().map(|name| format!("`nncheck:{name}`")).collect();
                let error = error("unknown-value", span, words).label(label);
                return Err(Box::new(error.help(format!("there are {}", all.join(", ")))));
            };
            return Ok((PathBuf::from(name), SourceFile::new(name, name, text)));
        }
        let path = self.file.resolve(span, name);
        let (_, from) = self.file.part_at(span.start);
        match read(&path) {
            Ok(text) => {
                let shown = match from.shown.rsplit_once('/') {
                    Some((folder, _)) => tidy(&format!("{folder}/{name}")),
                    None => tidy(name),
                };
                Ok((canonical(&path), SourceFile::new(path, shown, text)))
            }
            Err(why) => {
                let mut error = error("unreadable", span, format!("cannot read `{}`: {why}", name.escape_debug()))
                    .label(format!("looked for at `{}`", path.display()))
                    .help("a path is seen from the folder of the file that says it");
                if let Some((known, _)) = builtin::ALL.iter().find(|(known, _)| *known == name) {
                    error = error.help(format!("the built-in spec is called `{BUILT_IN}{known}`"));
                }
                Err(Box::new(error))
            }
        }
    }
}

fn error(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
    let mut error = Diagnostic::error(code, message);
    error.span = Some(span);
    error
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// A path without `.` and `..` inside.
fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    format!("{}{}", if path.starts_with('/') { "/" } else { "" }, parts.join("/"))
}
