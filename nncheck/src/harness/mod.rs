//! The harness: the `main` of a test binary that runs the specs of a package, one libtest test a property. Under
//! `cargo nncheck` it writes events; under `cargo test` and `cargo nextest` it looks and behaves like libtest.

mod arguments;
mod command;
mod libtest;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nncheck_core::diagnostic::{self, Diagnostic};
use nncheck_core::suite::{self, Overrides, Sources, Suite, options};

use crate::bindings::Bindings;
use crate::worker;

/// The command line or a spec is wrong.
const WRONG: u8 = 2;
/// The test binary's own sign of failure, as libtest has it.
const FAILED: u8 = 101;
/// Threads that wait for verdicts, at most; the measuring is done by the workers.
const WAITING: usize = 64;

/// Runs the harness: as a worker, for `cargo nncheck`, or as a libtest look-alike.
#[must_use]
pub fn main(root: &str, specs: &str, bindings: &Bindings) -> ExitCode {
    if worker::is_worker() {
        return worker::serve(bindings);
    }
    match std::env::var(options::VARIABLE) {
        Ok(options) => command::main(&options, bindings),
        Err(_) => libtest::main(&root_of(root), specs, bindings),
    }
}

/// The package's folder: where it was built, or, when it was moved since, where cargo runs it.
fn root_of(built: &str) -> PathBuf {
    let built = Path::new(built);
    if built.is_dir() {
        return built.to_owned();
    }
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// The specs, read and found sound; `None`: what is wrong has been shown.
fn sound_suite(sources: &Sources, overrides: &Overrides, bindings: &Bindings) -> Option<Suite> {
    let (suite, errors) = match suite::load(sources, overrides) {
        Ok(suite) => {
            let errors = unbound(&suite, bindings);
            (Some(suite), errors)
        }
        Err(errors) => (None, errors),
    };
    if !errors.is_empty() {
        show(&errors);
        return None;
    }
    suite
}

/// A path of a spec that no entry of the harness binds is an error of the spec, at its place.
fn unbound(suite: &Suite, bindings: &Bindings) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for spec in &suite.specs {
        for (role, path) in spec.paths() {
            let Err(known) = bindings.bound(role, &path.value) else { continue };
            let error = Diagnostic::error("unbound-path", format!("no entry of the harness binds `{}`", path.value))
                .at(&spec.file, path.span)
                .label("named here")
                .help(format!(
                    "list it where the harness is made: `nncheck::harness! {{ .., {}: [{}] }}`",
                    role.harness_key(),
                    path.value
                ));
            errors.push(if known.is_empty() { error } else { error.help(format!("bound are: {}", known.join(", "))) });
        }
    }
    errors
}

/// Shows what is wrong with the specs, on standard error.
fn show(errors: &[Diagnostic]) {
    let style = if std::io::stderr().is_terminal() { diagnostic::Style::Coloured } else { diagnostic::Style::Plain };
    eprintln!("{}", diagnostic::render_all(errors, style));
}

/// How many worker processes run at once where nobody says.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
