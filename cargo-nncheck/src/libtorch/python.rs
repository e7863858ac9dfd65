//! The Python that the user has.

use std::path::PathBuf;

use semver::Version;

use super::{LibtorchError, layout};
use crate::child;
use crate::surroundings::Surroundings;

/// Finds torch without importing it: that would take seconds.
const WHERE_IS_TORCH: &str = "\
import sys
sys.path = [folder for folder in sys.path if folder]
import importlib.util
spec = importlib.util.find_spec('torch')
for folder in (spec.submodule_search_locations or []) if spec else []:
    print('torch-folder:' + folder)
";

/// A Python on `PATH`.
#[derive(Clone, Debug)]
pub struct Python {
    /// How it is called: `python3`.
    pub name: String,
    program: PathBuf,
}

/// A torch in a Python environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torch {
    /// The folder of the package, which is laid out like a libtorch folder.
    pub folder: PathBuf,
    /// Its version, with the local part.
    pub version: Option<String>,
}

/// How Python is called: as torch-sys calls it, so that both speak of the same one.
pub fn name(surroundings: &Surroundings) -> &'static str {
    if cfg!(windows) {
        "python.exe"
    } else if surroundings.is_set("VIRTUAL_ENV") {
        "python"
    } else {
        "python3"
    }
}

impl Python {
    /// The active Python, if there is one.
    pub fn active(surroundings: &Surroundings) -> Option<Self> {
        let name = name(surroundings);
        let program = surroundings.find_program(name)?;
        Some(Self { name: name.to_owned(), program })
    }

    /// A command that starts it.
    pub fn command(&self, surroundings: &Surroundings) -> std::process::Command {
        let mut command = surroundings.command(&self.program);
        command.env("PYTHONUTF8", "1").env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// The torch that it would import; an error says why it could not be asked.
    pub fn torch(&self, surroundings: &Surroundings) -> Result<Option<Torch>, String> {
        let output = child::output(self.command(surroundings).args(["-c", WHERE_IS_TORCH]))
            .map_err(|error| format!("{} could not be started: {error}", self.name))?;
        if !output.status.success() {
            let report = String::from_utf8_lossy(&output.stderr);
            let last = report.trim_end().lines().next_back().unwrap_or("no message");
            return Err(format!("{} failed: {last}", self.name));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().find_map(|line| line.strip_prefix("torch-folder:")).map(|folder| {
            let folder = PathBuf::from(folder);
            Torch { version: layout::version_text(&folder), folder }
        }))
    }

    /// Makes sure that it has pip.
    pub fn require_pip(&self, wanted: &Version, surroundings: &Surroundings) -> Result<(), LibtorchError> {
        let output = child::output(self.command(surroundings).args(["-m", "pip", "--version"]))
            .map_err(LibtorchError::io("could not start", &self.program))?;
        if output.status.success() {
            return Ok(());
        }
        if crate::interrupt::requested() {
            return Err(LibtorchError::Interrupted);
        }
        Err(LibtorchError::NoPip { python: self.name.clone(), wanted: wanted.clone() })
    }
}
