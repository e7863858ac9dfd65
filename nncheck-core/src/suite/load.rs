//! From a folder of files to a suite, or to everything that is wrong with them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::baseline;
use super::bind::Binder;
use super::extend::{Defaults, Extended};
use super::text_file::read;
use super::{BoundSpec, Suite, settled};
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::spec::read::Reader;
use crate::spec::run::Device;
use crate::spec::{Parsed, ladder, parse};

/// Where specs are read from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    /// Folders and single files.
    pub sources: Vec<Source>,
    /// Manifests with defaults for `[run]`, the lowest first.
    #[serde(default)]
    pub manifests: Vec<Manifest>,
}

/// A manifest that may hold `metadata.nncheck`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Where it is.
    pub path: PathBuf,
    /// How it is shown.
    pub shown: String,
    /// Whose defaults it holds.
    pub kind: ManifestKind,
}

/// Whose defaults a manifest holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ManifestKind {
    /// `[workspace.metadata.nncheck]`.
    Workspace,
    /// `[package.metadata.nncheck]`.
    Package,
}

impl ManifestKind {
    /// The key above `metadata`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Package => "package",
        }
    }
}

/// A folder of specs, or a single one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// How it is shown: relative to the package, with forward slashes.
    pub shown: String,
}

impl Sources {
    /// One folder, or one file.
    pub fn one(path: impl Into<PathBuf>, shown: impl Into<String>) -> Self {
        Self::default().and(path, shown)
    }

    /// Another folder or file.
    #[must_use]
    pub fn and(mut self, path: impl Into<PathBuf>, shown: impl Into<String>) -> Self {
        self.sources.push(Source { path: path.into(), shown: shown.into() });
        self
    }
}

/// What the command line says and no spec can contradict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    /// Seeds to begin with, of every property.
    pub seeds: Option<u32>,
    /// The first seed.
    pub seed: Option<u64>,
    /// Where the model lives.
    pub device: Option<Device>,
    /// The longest a measurement may take, in milliseconds.
    pub timeout_ms: Option<u64>,
}

/// A file and the name of its spec.
struct Found {
    name: String,
    path: PathBuf,
    shown: String,
}

/// Reads all specs.
///
/// # Errors
/// Everything that is wrong with any of them, sorted by file and place; that there are none is an error too.
pub fn load(sources: &Sources, overrides: &Overrides) -> Result<Suite, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let mut found = Vec::new();
    for source in &sources.sources {
        find(source, &mut found, &mut errors);
    }
    found.sort_by(|a, b| (&a.name, &a.shown).cmp(&(&b.name, &b.shown)));
    for pair in found.windows(2) {
        if pair[0].name == pair[1].name && pair[0].path != pair[1].path {
            errors.push(
                Diagnostic::error(
                    "duplicate-name",
                    format!("`{}` and `{}` are both the spec `{}`", pair[0].shown, pair[1].shown, pair[0].name),
                )
                .help("rename one of them: a spec is named by its path, with `.` for `/`"),
            );
        }
    }
    found.dedup_by(|a, b| a.path == b.path);
    if found.is_empty() && errors.is_empty() {
        let places: Vec<String> = sources.sources.iter().map(|s| format!("`{}`", s.shown)).collect();
        return Err(vec![
            Diagnostic::error("no-specs", format!("there are no specs in {}", places.join(", ")))
                .help("`cargo nncheck init` writes a first one"),
        ]);
    }
    let defaults = defaults(sources);
    let mut read_all = Vec::new();
    for Found { name, path, shown } in found {
        let spec = match read(&path) {
            Ok(text) => Ok(Extended::new(SourceFile::new(path, shown, text), &defaults)),
            Err(why) => Err(Diagnostic::error("unreadable", format!("cannot read `{shown}`: {why}"))),
        };
        read_all.push((name, spec));
    }
    let mut suite = bind_all(read_all, overrides, errors)?;
    let errors = baseline::attach(&mut suite);
    if errors.is_empty() { Ok(suite) } else { Err(errors) }
}

/// Reads specs from texts, each with its name, without a file behind it; `specs/NAME.toml` is shown.
///
/// # Errors
/// As [`load`].
pub fn from_texts(texts: &[(&str, &str)], overrides: &Overrides) -> Result<Suite, Vec<Diagnostic>> {
    let of = |(name, text): &(&str, &str)| {
        let shown = format!("specs/{name}.toml");
        ((*name).to_owned(), Ok(Extended::new(SourceFile::new(&shown, shown.as_str(), *text), &[])))
    };
    bind_all(texts.iter().map(of).collect(), overrides, Vec::new())
}

/// The manifests that hold defaults, the workspace's below the package's.
fn defaults(sources: &Sources) -> Vec<Defaults> {
    let of = |manifest: &Manifest| {
        let text = read(&manifest.path).ok()?;
        Some(Defaults {
            file: SourceFile::new(&manifest.path, manifest.shown.as_str(), text),
            key: manifest.kind.key(),
        })
    };
    sources.manifests.iter().filter_map(of).collect()
}

/// Binds what could be read; what could not is told when it is its turn.
fn bind_all(
    specs: Vec<(String, Result<Extended, Diagnostic>)>,
    overrides: &Overrides,
    mut errors: Vec<Diagnostic>,
) -> Result<Suite, Vec<Diagnostic>> {
    let read = specs.iter().filter_map(|(_, spec)| spec.as_ref().ok());
    let inherited: BTreeSet<PathBuf> =
        read.flat_map(|spec| spec.inherited().map(Path::to_owned).collect::<Vec<_>>()).collect();
    let binder = Binder::new();
    let mut suite = Suite::default();
    for (name, extended) in specs {
        let extended = match extended {
            Ok(extended) => extended,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        match spec(&binder, &name, &extended, inherited.contains(extended.identity()), overrides) {
            Ok(rungs) => suite.specs.extend(rungs),
            // What is wrong with a file that several build upon is told once.
            Err(more) => more.into_iter().for_each(|error| {
                if !errors.iter().any(|known| known.to_string() == error.to_string()) {
                    errors.push(error);
                }
            }),
        }
    }
    if errors.is_empty() { Ok(suite) } else { Err(errors) }
}

/// The bound specs of a file: one, or one a rung. A file that others build upon and that has no model of its own is no
/// spec itself.
fn spec(
    binder: &Binder,
    name: &str,
    extended: &Extended,
    is_base: bool,
    overrides: &Overrides,
) -> Result<Vec<BoundSpec>, Vec<Diagnostic>> {
    let mut reader = Reader::new(&extended.file);
    extended.errors.iter().for_each(|error| reader.push(error.clone()));
    let document = extended.document(&mut reader);
    let broken = !reader.is_clean();
    if is_base && !broken && !document.contains_key("model") && !document.contains_key("ladder") {
        return Ok(Vec::new());
    }
    let mut bound = Vec::new();
    for (rung, document) in ladder::rungs(&mut reader, document) {
        let settled = settled::of(&extended.file, &document, overrides);
        let Parsed { spec, properties, has_optimizer } = parse(&mut reader, document, broken);
        let Some(spec) = spec else {
            binder.bind(&mut reader, properties, has_optimizer, None);
            continue;
        };
        let mut subject = spec.subject;
        let mut run = spec.run;
        run.seed = overrides.seed.unwrap_or(run.seed);
        run.seeds = overrides.seeds.unwrap_or(run.seeds);
        run.max_seeds = run.max_seeds.max(run.seeds);
        subject.device = overrides.device.unwrap_or(subject.device);
        subject.timeout_ms = overrides.timeout_ms.unwrap_or(subject.timeout_ms);
        let (properties, variants) = binder.bind(&mut reader, spec.properties, has_optimizer, Some(&subject));
        let mut spec = BoundSpec {
            file: Arc::clone(&extended.file),
            name: name.to_owned(),
            rung,
            subject: Arc::new(subject),
            variants,
            run,
            properties,
            settled,
        };
        if overrides.seeds.is_some() {
            spec.properties.iter_mut().for_each(|property| property.settings.seeds = None);
        }
        bound.push(spec);
    }
    if reader.is_clean() && bound.is_empty() {
        let error = reader
            .error("empty-spec", 0..0, "this spec is empty")
            .label("expected [model], [data], [loss] and properties")
            .help("`cargo nncheck init` writes a first one");
        reader.push(error);
    }
    if reader.is_clean() { Ok(bound) } else { Err(reader.into_errors()) }
}

fn find(source: &Source, found: &mut Vec<Found>, errors: &mut Vec<Diagnostic>) {
    let folder = match fs::metadata(&source.path) {
        Ok(metadata) => metadata.is_dir(),
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            errors.push(
                Diagnostic::error("no-specs", format!("`{}` does not exist", source.shown))
                    .help("`cargo nncheck init` writes a first spec"),
            );
            return;
        }
        Err(why) => {
            errors.push(Diagnostic::error("unreadable", format!("cannot read `{}`: {why}", source.shown)));
            return;
        }
    };
    if folder {
        let mut walk = Walk { seen: BTreeSet::new(), found, errors };
        walk.folder(&source.path, source.shown.trim_end_matches('/'), "");
    } else {
        let name = source.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        check_name(&name, &source.shown, errors);
        found.push(Found { name, path: source.path.clone(), shown: source.shown.clone() });
    }
}

/// A walk through a folder and those below it.
struct Walk<'w> {
    /// Folders that were visited: a link may lead back to one.
    seen: BTreeSet<PathBuf>,
    found: &'w mut Vec<Found>,
    errors: &'w mut Vec<Diagnostic>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, shown: &str, prefix: &str) {
        if !self.seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.to_owned())) {
            return;
        }
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut paths: Vec<PathBuf> = match entries {
            Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
            Err(why) => {
                self.errors.push(Diagnostic::error("unreadable", format!("cannot read `{shown}`: {why}")));
                return;
            }
        };
        paths.sort();
        for path in paths {
            let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { continue };
            // Editors leave hidden files behind.
            if name.starts_with('.') {
                continue;
            }
            let shown = if shown.is_empty() { name.clone() } else { format!("{shown}/{name}") };
            if path.is_dir() {
                self.folder(&path, &shown, &format!("{prefix}{name}."));
            } else if let Some(stem) = name.strip_suffix(".toml") {
                let name = format!("{prefix}{stem}");
                check_name(&name, &shown, self.errors);
                self.found.push(Found { name, path, shown });
            }
        }
    }
}

fn check_name(name: &str, shown: &str, errors: &mut Vec<Diagnostic>) {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(good) {
        errors.push(
            Diagnostic::error("bad-name", format!("`{}` cannot be the name of a spec", shown.escape_debug()))
                .help("rename the file: letters, digits, `_`, `-` and `.` make names that filters can name"),
        );
    }
}
