//! `cargo nncheck schema`: the JSON schema of the spec language, for editors.

use std::io::Write;

use nncheck_core::suite::schema::json_schema;

use crate::error::CommandError;
use crate::exit_code::ExitCode;

/// Runs the command.
///
/// # Errors
/// When standard output is closed.
pub fn run() -> Result<ExitCode, CommandError> {
    writeln!(std::io::stdout().lock(), "{:#}", json_schema()).map_err(CommandError::Output)?;
    Ok(ExitCode::Held)
}
