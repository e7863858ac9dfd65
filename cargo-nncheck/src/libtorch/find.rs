//! Looks for libtorch, in the order that the user may rely on.

use std::fmt;
use std::path::PathBuf;

use semver::Version;

use super::cache::{Cache, State};
use super::python::{self, Python};
use super::version::Wanted;
use super::{LibtorchError, layout};
use crate::surroundings::Surroundings;

/// A place where libtorch may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The environment variable `LIBTORCH`.
    Variable,
    /// Python, because `LIBTORCH_USE_PYTORCH` says so.
    UsePytorch,
    /// The torch of the active Python environment.
    Python,
    /// nncheck's own cache.
    Cache,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Variable => "LIBTORCH",
            Self::UsePytorch => "LIBTORCH_USE_PYTORCH",
            Self::Python => "the active Python environment",
            Self::Cache => "nncheck's cache",
        })
    }
}

/// A libtorch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it was found.
    pub source: Source,
    /// Its folder: `include` lies in it, and `build-version` perhaps.
    pub root: PathBuf,
    /// The folder of its shared libraries.
    pub libraries: PathBuf,
    /// Its version, as far as it is written down.
    pub version: Option<String>,
}

/// A place that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Which.
    pub source: Source,
    /// Why.
    pub reason: String,
}

/// How the search went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// What was found, if anything was.
    pub found: Option<Found>,
    /// What was passed over before.
    pub passed_over: Vec<PassedOver>,
}

/// Looks for libtorch.
///
/// What the user set is taken at its word: a `LIBTORCH` or `LIBTORCH_USE_PYTORCH` that leads nowhere, or to another
/// version, is an error and no reason to look elsewhere.
pub fn find(wanted: &Wanted, surroundings: &Surroundings) -> Result<Search, LibtorchError> {
    let mut passed_over = Vec::new();
    for source in [Source::Variable, Source::UsePytorch, Source::Python, Source::Cache] {
        let looked = match source {
            Source::Variable => variable(wanted, surroundings)?,
            Source::UsePytorch => use_pytorch(wanted, surroundings)?,
            Source::Python => python(wanted, surroundings),
            Source::Cache => cache(wanted, surroundings)?,
        };
        match looked {
            Ok(found) => return Ok(Search { found: Some(found), passed_over }),
            Err(reason) => passed_over.push(PassedOver { source, reason }),
        }
    }
    Ok(Search { found: None, passed_over })
}

/// A libtorch, or the reason why this place was passed over.
type Looked = Result<Found, String>;

fn variable(wanted: &Wanted, surroundings: &Surroundings) -> Result<Looked, LibtorchError> {
    let Some(root) = surroundings.path("LIBTORCH") else { return Ok(Err("not set".to_owned())) };
    // torch-sys lets the libraries lie elsewhere.
    let libraries = layout::libraries(&surroundings.path("LIBTORCH_LIB").unwrap_or_else(|| root.clone()));
    if let Some(problem) = layout::problem(&root, &libraries) {
        return Err(LibtorchError::BadVariable { path: root, problem, wanted: wanted.torch.clone() });
    }
    let version = layout::version_text(&root);
    let bypass = surroundings.is_set("LIBTORCH_BYPASS_VERSION_CHECK");
    match version {
        Some(actual) if !bypass && !layout::is_version(&actual, &wanted.torch) => {
            Err(LibtorchError::WrongVersionInVariable {
                path: root,
                actual,
                wanted: wanted.torch.clone(),
                why: wanted.origin.to_string(),
            })
        }
        version => Ok(Ok(Found { source: Source::Variable, root, libraries, version })),
    }
}

fn use_pytorch(wanted: &Wanted, surroundings: &Surroundings) -> Result<Looked, LibtorchError> {
    if !surroundings.is_set("LIBTORCH_USE_PYTORCH") {
        return Ok(Err("not set".to_owned()));
    }
    let name = python::name(surroundings);
    let failed =
        |problem: String| LibtorchError::NoPytorch { problem, python: name.to_owned(), wanted: wanted.torch.clone() };
    let python = Python::active(surroundings).ok_or_else(|| failed(format!("there is no {name} on PATH")))?;
    let torch = python.torch(surroundings).map_err(failed)?;
    let torch = torch.ok_or_else(|| failed(format!("{name} has no torch")))?;
    let libraries = layout::libraries(&torch.folder);
    if let Some(problem) = layout::problem(&torch.folder, &libraries) {
        return Err(failed(format!("the torch in `{}` is not whole: {problem}", torch.folder.display())));
    }
    match torch.version {
        Some(actual)
            if !surroundings.is_set("LIBTORCH_BYPASS_VERSION_CHECK") && !layout::is_version(&actual, &wanted.torch) =>
        {
            Err(LibtorchError::WrongPytorch {
                path: torch.folder,
                actual,
                python: name.to_owned(),
                wanted: wanted.torch.clone(),
                why: wanted.origin.to_string(),
            })
        }
        version => Ok(Ok(Found { source: Source::UsePytorch, root: torch.folder, libraries, version })),
    }
}

fn python(wanted: &Wanted, surroundings: &Surroundings) -> Looked {
    let name = python::name(surroundings);
    let python = Python::active(surroundings).ok_or_else(|| format!("there is no {name} on PATH"))?;
    let torch = python.torch(surroundings)?.ok_or_else(|| format!("{name} has no torch"))?;
    let folder = torch.folder.display();
    let version = torch.version.ok_or_else(|| format!("the torch in `{folder}` does not tell its version"))?;
    if !layout::is_version(&version, &wanted.torch) {
        return Err(format!("its torch, in `{folder}`, is {version}, and {} is wanted", wanted.torch));
    }
    let libraries = layout::libraries(&torch.folder);
    if let Some(problem) = layout::problem(&torch.folder, &libraries) {
        return Err(format!("its torch, in `{folder}`, is not whole: {problem}"));
    }
    Ok(Found { source: Source::Python, root: torch.folder, libraries, version: Some(version) })
}

fn cache(wanted: &Wanted, surroundings: &Surroundings) -> Result<Looked, LibtorchError> {
    let cache = Cache::of(surroundings)?;
    Ok(match cache.state(&wanted.torch) {
        State::Whole(_) => Ok(in_cache(&cache, &wanted.torch)),
        State::Absent => Err(format!("there is no libtorch {} in `{}`", wanted.torch, cache.folder().display())),
        State::Damaged(damage) => Err(format!(
            "the libtorch in `{}` is damaged: {damage}; the next run that needs it installs it anew, as does `cargo \
             nncheck libtorch install`",
            cache.libtorch(&wanted.torch).display()
        )),
    })
}

/// The libtorch of nncheck's cache.
pub(super) fn in_cache(cache: &Cache, torch: &Version) -> Found {
    let root = cache.libtorch(torch);
    Found { source: Source::Cache, libraries: layout::libraries(&root), root, version: Some(torch.to_string()) }
}
