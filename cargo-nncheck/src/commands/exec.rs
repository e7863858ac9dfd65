//! `cargo nncheck exec -- COMMAND`: runs any command with libtorch's environment set.

use std::ffi::OsStr;
use std::process::Command;

use crate::cli::ExecArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::libtorch::{self, Environment};
use crate::surroundings::Surroundings;
use crate::{progress, project};

/// Runs the command.
///
/// # Errors
/// When libtorch cannot be provided, or the command not be started; how the command ends is no error.
pub fn run(args: &ExecArgs) -> Result<ExitCode, CommandError> {
    let [program, arguments @ ..] = args.command.as_slice() else {
        return Err(CommandError::Usage("say which command: cargo nncheck exec -- COMMAND".to_owned()));
    };
    let surroundings = Surroundings::current().map_err(CommandError::Directory)?;
    let manifest = project::manifest(args.manifest.manifest_path.as_deref(), &surroundings)?;
    let wanted = project::wanted(manifest.as_deref(), &surroundings)?;
    let progress = progress::on_stderr(args.output.quiet);
    let found = libtorch::ensure(&wanted, &surroundings, progress.as_ref())?;
    let mut command = surroundings.command(program);
    command.args(arguments);
    Environment::of(&found, &surroundings).apply(&mut command);
    replace(program, command)
}

/// Becomes the command: its terminal, its signals and its end are then its own affair, and the shell's.
#[cfg(unix)]
fn replace(program: &OsStr, mut command: Command) -> Result<ExitCode, CommandError> {
    use std::os::unix::process::CommandExt;
    // Only returns where the command could not be started.
    let source = command.exec();
    Err(CommandError::Start { program: program.to_string_lossy().into_owned(), source })
}

#[cfg(not(unix))]
fn replace(program: &OsStr, mut command: Command) -> Result<ExitCode, CommandError> {
    let status = command
        .status()
        .map_err(|source| CommandError::Start { program: program.to_string_lossy().into_owned(), source })?;
    Ok(match status.code() {
        Some(0) => ExitCode::Held,
        // The numbers of Windows are larger than what we can pass on; what counts is that it failed.
        Some(code) => ExitCode::Passed(u8::try_from(code).unwrap_or(1)),
        None => ExitCode::Failed,
    })
}
