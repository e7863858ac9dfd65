//! What can go wrong in a command, and how it is printed.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use thiserror::Error;

use crate::libtorch::LibtorchError;

/// Why a command could not do its work.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The command line asks for something that cannot be done.
    #[error("{0}")]
    Usage(String),
    /// `--manifest-path` names a file that is not there.
    #[error("there is no manifest at `{path}`: --manifest-path takes the path of a Cargo.toml")]
    NoManifest {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// Cargo could not read the project.
    #[error("cargo could not read the project at `{manifest}`:\n{report}")]
    Project {
        /// The manifest that was read.
        manifest: PathBuf,
        /// What cargo had to say.
        report: String,
    },
    /// A program could not be started.
    #[error("could not start `{program}`: {source}")]
    Start {
        /// The program's name.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The working directory is gone or unreadable.
    #[error("the current directory cannot be read: {0}")]
    Directory(io::Error),
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Standard output was closed, or could not be written to.
    #[error("could not print: {0}")]
    Output(io::Error),
    /// The harness package could not be written.
    #[error("could not write the harness package below the target folder: {0}")]
    Generate(io::Error),
    /// The harness could not be built; the compiler has said why.
    #[error("the harness of `{package}` could not be built; the messages above say why")]
    Build {
        /// The package.
        package: String,
    },
    /// The harness ended before it had judged everything.
    #[error("the harness of `{package}` ended before its time ({status}); this is a fault in nncheck")]
    Harness {
        /// The package.
        package: String,
        /// How it ended.
        status: String,
    },
    /// libtorch could not be provided.
    #[error(transparent)]
    Libtorch(#[from] LibtorchError),
}

/// Prints an error the way cargo does, and the cause of it where the message does not tell it already.
pub fn print(error: &CommandError) {
    // Whoever read our output has had enough of it; that is no news.
    if matches!(error, CommandError::Output(source) if source.kind() == io::ErrorKind::BrokenPipe) {
        return;
    }
    let bold_red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let text = error.to_string();
    anstream::eprintln!("{bold_red}error{bold_red:#}: {text}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let line = error.to_string();
        if !text.contains(&line) {
            anstream::eprintln!("  caused by: {line}");
        }
        cause = error.source();
    }
}
