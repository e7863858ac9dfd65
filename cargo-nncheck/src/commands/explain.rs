//! `cargo nncheck explain [CHECK]`: what a check measures, why, its defaults, likely causes and cures;
//! `explain signatures`: what the user's own Rust has to look like.

use std::fmt::Write as _;
use std::io::Write as _;

use nncheck_core::check::{CATALOGUE, documentation};
use nncheck_core::diagnostic::suggest;
use nncheck_core::spec::rust_path::Role;

use crate::cli::ExplainArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;

/// Not a check, but what the user's own Rust has to look like.
const SIGNATURES: &str = "signatures";

/// Runs the command.
///
/// # Errors
/// When there is no such check.
pub fn run(args: &ExplainArgs) -> Result<ExitCode, CommandError> {
    let text = match &args.check {
        None => documentation::table_of_checks(),
        Some(id) if id == SIGNATURES => signatures(),
        Some(id) => documentation::explain(id).ok_or_else(|| unknown(id))?,
    };
    writeln!(std::io::stdout().lock(), "{}", text.trim_end()).map_err(CommandError::Output)?;
    Ok(ExitCode::Held)
}

/// The signatures of the user's own Rust, by the key of a spec that names it.
fn signatures() -> String {
    let mut text = "Your own Rust that a spec names by path, and its signatures:\n".to_owned();
    for role in Role::ALL {
        let _written = writeln!(text, "\n{}", role.spec_key());
        for signature in role.signatures() {
            let _written = writeln!(text, "    {signature}");
        }
        let _written = writeln!(text, "    ({})", role.legend());
    }
    text
}

fn unknown(id: &str) -> CommandError {
    let known: Vec<&str> = CATALOGUE.iter().map(|entry| entry.info.id).collect();
    let near =
        suggest::nearest(id, known.iter().copied()).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
    CommandError::Usage(format!("there is no check `{id}`{near}\nthe checks are {}", known.join(", ")))
}
