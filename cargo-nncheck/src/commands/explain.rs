//! `cargo nncheck explain [CHECK]`: what a check measures, why, its defaults, likely causes and cures.

use std::io::Write;

use nncheck_core::check::{CATALOGUE, documentation};
use nncheck_core::diagnostic::suggest;

use crate::cli::ExplainArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;

/// Runs the command.
///
/// # Errors
/// When there is no such check.
pub fn run(args: &ExplainArgs) -> Result<ExitCode, CommandError> {
    let text = match &args.check {
        None => documentation::table_of_checks(),
        Some(id) => documentation::explain(id).ok_or_else(|| unknown(id))?,
    };
    writeln!(std::io::stdout().lock(), "{}", text.trim_end()).map_err(CommandError::Output)?;
    Ok(ExitCode::Held)
}

fn unknown(id: &str) -> CommandError {
    let known: Vec<&str> = CATALOGUE.iter().map(|entry| entry.info.id).collect();
    let near =
        suggest::nearest(id, known.iter().copied()).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
    CommandError::Usage(format!("there is no check `{id}`{near}\nthe checks are {}", known.join(", ")))
}
