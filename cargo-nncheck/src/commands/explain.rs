//! `cargo nncheck explain [CHECK]`: what a check measures, why, its defaults, likely causes and cures;
//! `explain signatures`: what the user's own Rust has to look like.

use std::fmt::Write as _;
use std::io::Write as _;

use nncheck_core::check::{CATALOGUE, documentation};
use nncheck_core::diagnostic::suggest;
use nncheck_core::spec::rust_path::Role;
use nncheck_core::suite::{Overrides, PropertyId, Suite};

use crate::cli::ExplainArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::packages;
use crate::selection;
use crate::show::values;
use crate::surroundings::Surroundings;

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
        Some(name) if name.contains("::") => match property(name, args)? {
            Some(text) => text,
            None => return Ok(ExitCode::Usage),
        },
        Some(id) => documentation::explain(id).ok_or_else(|| unknown(id))?,
    };
    writeln!(std::io::stdout().lock(), "{}", text.trim_end()).map_err(CommandError::Output)?;
    Ok(ExitCode::Held)
}

/// One property: its check, and where every value that it depends on was written. `None`: what is wrong with the specs has
/// been shown.
fn property(name: &str, args: &ExplainArgs) -> Result<Option<String>, CommandError> {
    let surroundings = Surroundings::current().map_err(CommandError::Directory)?;
    let chosen = packages::choose(&args.project, &[], false, &surroundings)?;
    let (mut text, mut errors, mut known) = (String::new(), Vec::new(), Vec::new());
    for package in &chosen.packages {
        match selection::suite(package, &Overrides::default(), false) {
            Ok(suite) => {
                known.extend(suite.ids().map(|id| suite.test_name(id)));
                let found = suite.ids().filter(|&id| suite.test_name(id) == name);
                text.extend(found.map(|id| standing(&package.name, &suite, id)));
            }
            Err(more) => errors.extend(more),
        }
    }
    if !errors.is_empty() {
        selection::show(&errors, args.output.color);
        return Ok(None);
    }
    if text.is_empty() {
        let near = suggest::nearest(name, known.iter().map(String::as_str));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(CommandError::Usage(format!(
            "there is no property `{name}`{near}\n`cargo nncheck list` shows all properties"
        )));
    }
    Ok(Some(text))
}

fn standing(package: &str, suite: &Suite, id: PropertyId) -> String {
    let (spec, property) = suite.get(id);
    let (name, check) = (suite.test_name(id), property.check.info().id);
    let own = format!("property.{}.", property.name);
    let values = values(spec, |setting| !setting.key.starts_with("property.") || setting.key.starts_with(&own));
    let (line, _) = spec.file.line_column(property.span.start);
    let (_, file) = spec.file.part_at(property.span.start);
    format!(
        "{name} of {package}: the check `{check}`, {}:{line}\n\n{values}\nWhat is not stated has its default; `cargo nncheck \
         explain {check}` tells those of the check.\n",
        file.shown
    )
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
