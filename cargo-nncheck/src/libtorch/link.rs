//! Makes a `libtorch.so` that leads to the CPU's library alone.
//!
//! torch-sys links to `libtorch.so`; the one in a wheel leads to CUDA's libraries as well, a gigabyte that the CPU
//! has no use for.

use std::path::Path;
use std::process::Command;

use super::LibtorchError;
use super::layout::CPU_LIBRARY;
use crate::child;
use crate::surroundings::Surroundings;

/// The name of the library.
pub const LIBRARY: &str = "libtorch.so";

/// A C compiler.
#[derive(Clone, Debug)]
pub struct Compiler {
    name: String,
    arguments: Vec<String>,
}

impl Compiler {
    /// The one that `CC` names, else `cc`.
    pub fn of(surroundings: &Surroundings) -> Result<Self, LibtorchError> {
        let variable = surroundings.variable("CC").map(|value| value.to_string_lossy().into_owned());
        // As build scripts read it: a program, perhaps with arguments behind it.
        let mut words = variable.as_deref().unwrap_or("cc").split_whitespace().map(str::to_owned);
        let name = words.next().unwrap_or_else(|| "cc".to_owned());
        if surroundings.find_program(&name).is_none() {
            return Err(LibtorchError::NoCompiler { compiler: name });
        }
        Ok(Self { name, arguments: words.collect() })
    }

    /// Makes the library in the folder that has the CPU's.
    pub fn link(&self, libraries: &Path, surroundings: &Surroundings) -> Result<(), LibtorchError> {
        let mut command: Command = surroundings.command(&self.name);
        command.args(&self.arguments).current_dir(libraries).args([
            "-shared",
            "-o",
            LIBRARY,
            "-Wl,--no-as-needed",
            "-Wl,-soname,libtorch.so",
            "-Wl,-rpath,$ORIGIN",
            "-L.",
        ]);
        command.arg(format!("-l:{CPU_LIBRARY}"));
        let output = child::output(&mut command).map_err(LibtorchError::io("could not start", &self.name))?;
        if output.status.success() {
            return Ok(());
        }
        if crate::interrupt::requested() {
            return Err(LibtorchError::Interrupted);
        }
        let report = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        Err(LibtorchError::Compiler { compiler: self.name.clone(), report })
    }
}
