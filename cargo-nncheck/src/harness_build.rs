//! Builds the generated harness package, and turns the compiler's errors about the bound paths into errors of the specs
//! that named them.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::diagnostic::{Diagnostic as CompilerDiagnostic, DiagnosticLevel, DiagnosticSpan};
use cargo_metadata::{CompilerMessage, Message};
use nncheck_core::diagnostic::Diagnostic;
use nncheck_core::spec::rust_path::Role;
use nncheck_core::suite::Suite;

use crate::child;
use crate::cli::{BuildArgs, OutputArgs};
use crate::error::CommandError;
use crate::harness_package::HarnessPackage;
use crate::packages::Package;
use crate::wrong_paths;

/// What came of a build.
#[derive(Debug)]
pub enum Built {
    /// The harness, ready to run.
    Program(PathBuf),
    /// Paths of the specs that the user's crate does not have, or that are of another signature.
    WrongPaths(Vec<Diagnostic>),
    /// Anything else; the compiler's messages have been printed.
    Failed,
}

/// Builds `harness` of `package` with `cargo`, a command in the right environment.
///
/// # Errors
/// When cargo cannot be started, or was interrupted.
#[expect(clippy::too_many_arguments, reason = "a build has that many parts")]
pub fn build(
    mut cargo: Command,
    harness: &HarnessPackage,
    package: &Package,
    suite: &Suite,
    target: &Path,
    args: &BuildArgs,
    jobs: Option<usize>,
    output: &OutputArgs,
) -> Result<Built, CommandError> {
    cargo.args(["build", "--message-format=json", "--manifest-path"]).arg(&harness.manifest);
    cargo.arg("--target-dir").arg(target);
    if args.release {
        cargo.arg("--release");
    }
    if let Some(profile) = &args.cargo_profile {
        cargo.args(["--profile", profile]);
    }
    if args.offline {
        cargo.arg("--offline");
    }
    if let Some(jobs) = jobs {
        cargo.args(["--jobs", &jobs.to_string()]);
    }
    if output.quiet {
        cargo.arg("--quiet");
    }
    cargo.stdin(Stdio::null()).stdout(Stdio::piped());
    let program = cargo.get_program().to_string_lossy().into_owned();
    let start = |source| CommandError::Start { program: program.clone(), source };
    let mut cargo = child::spawn(&mut cargo).map_err(start)?;
    let messages = cargo.process().stdout.take();
    let mut found = None;
    let mut errors: Vec<CompilerMessage> = Vec::new();
    for message in messages.into_iter().flat_map(|out| Message::parse_stream(BufReader::new(out))).flatten() {
        match message {
            Message::CompilerMessage(message) => {
                let ours = message.target.name == harness.name;
                if ours && message.message.level == DiagnosticLevel::Error {
                    errors.push(message);
                } else if !ours {
                    print(&message.message);
                }
            }
            Message::CompilerArtifact(artifact) if artifact.target.name == harness.name => {
                found = artifact.executable.map(cargo_metadata::camino::Utf8PathBuf::into_std_path_buf).or(found);
            }
            _ => {}
        }
    }
    let status = cargo.wait().map_err(start)?;
    if crate::interrupt::requested() {
        return Err(CommandError::Interrupted);
    }
    match found {
        Some(program) if status.success() => Ok(Built::Program(program)),
        _ => Ok(explained(&errors, harness, package, suite)),
    }
}

fn explained(errors: &[CompilerMessage], harness: &HarnessPackage, package: &Package, suite: &Suite) -> Built {
    let mut wrong = Vec::new();
    let mut seen = HashSet::new();
    let sources = OnceCell::new();
    let sources = || sources.get_or_init(|| wrong_paths::sources(package));
    for error in errors {
        // "aborting due to ..." has no place of its own.
        if error.message.spans.is_empty() {
            continue;
        }
        let Some((role, path)) = bound_path(&error.message, harness) else {
            print(&error.message);
            continue;
        };
        if seen.insert((role, path.to_owned())) {
            wrong.extend(wrong_paths::at_specs(role, path, &error.message, sources(), suite));
        }
    }
    if wrong.is_empty() { Built::Failed } else { Built::WrongPaths(wrong) }
}

/// The path of a spec that a compiler error is about, by its line in the generated program.
fn bound_path<'h>(message: &CompilerDiagnostic, harness: &'h HarnessPackage) -> Option<(Role, &'h str)> {
    let mut places = Vec::new();
    for span in message.spans.iter().filter(|s| s.is_primary).chain(message.spans.iter().filter(|s| !s.is_primary)) {
        lines_of(span, &mut places);
    }
    places.iter().filter(|(file, _)| Path::new(file).ends_with("main.rs")).find_map(|(_, line)| {
        harness.paths.iter().find(|(_, _, l)| l == line).map(|(role, path, _)| (*role, path.as_str()))
    })
}

/// A span's place, and those of the macros that it comes out of.
fn lines_of<'s>(span: &'s DiagnosticSpan, lines: &mut Vec<(&'s str, usize)>) {
    lines.push((&span.file_name, span.line_start));
    if let Some(expansion) = &span.expansion {
        lines_of(&expansion.span, lines);
    }
}

fn print(message: &CompilerDiagnostic) {
    if let Some(rendered) = &message.rendered {
        anstream::eprint!("{rendered}");
    }
}
