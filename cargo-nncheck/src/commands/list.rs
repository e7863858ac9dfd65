//! `cargo nncheck list`: the properties, from the specs alone: no build, no libtorch.

use std::io::Write;

use nncheck_core::suite::{Overrides, PropertyId, Standing, Suite};
use serde_json::json;

use crate::cli::{ListArgs, MessageFormat};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::packages::{self, Package};
use crate::selection::{self, Known};
use crate::surroundings::Surroundings;

/// Runs the command.
///
/// # Errors
/// When there is no project, or nothing answers to the filters.
pub fn run(args: &ListArgs) -> Result<ExitCode, CommandError> {
    let surroundings = Surroundings::current().map_err(CommandError::Directory)?;
    let chosen = packages::choose(&args.project, &[], false, &surroundings)?;
    let filter = selection::filter(&args.selection);
    let (mut lines, mut errors, mut known) = (Vec::new(), Vec::new(), Known::default());
    for package in &chosen.packages {
        match selection::suite(package, &Overrides::default(), false) {
            Ok(suite) => {
                known.add(&suite);
                let several = chosen.packages.len() > 1;
                let selected = suite.ids().filter(|&id| filter.selects(&suite, id));
                lines.extend(selected.map(|id| match args.message_format {
                    // Names that `cargo nncheck --exact NAME` takes, in whichever package.
                    MessageFormat::Human if args.output.quiet => suite.test_name(id),
                    MessageFormat::Human => human(package, &suite, id, filter.standing(&suite, id), several),
                    MessageFormat::Json => json_line(package, &suite, id, filter.standing(&suite, id)),
                }));
            }
            Err(more) => errors.extend(more),
        }
    }
    if !errors.is_empty() {
        selection::show(&errors, args.output.color);
        return Ok(ExitCode::Usage);
    }
    known.holds_specs(&args.selection)?;
    if lines.is_empty() {
        return Err(known.nothing_chosen(&args.selection));
    }
    if args.message_format == MessageFormat::Human && !args.output.quiet {
        let count = lines.len();
        lines.push(format!("\n{count} {}", if count == 1 { "property" } else { "properties" }));
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", lines.join("\n")).map_err(CommandError::Output)?;
    Ok(ExitCode::Held)
}

fn human(package: &Package, suite: &Suite, id: PropertyId, standing: Standing<'_>, several: bool) -> String {
    let (_, property) = suite.get(id);
    let info = property.check.info();
    let mut line = suite.test_name(id);
    if several {
        line = format!("{} {line}", package.name);
    }
    line.push_str(": property");
    if property.name != info.id {
        line.push_str(&format!(" ({})", info.id));
    }
    match standing {
        Standing::Runs => {}
        Standing::Ignored => line.push_str(" [slow: runs with --include-ignored]"),
        Standing::Off(reason) => line.push_str(&format!(" [off: {reason}]")),
    }
    line
}

fn json_line(package: &Package, suite: &Suite, id: PropertyId, standing: Standing<'_>) -> String {
    let (spec, property) = suite.get(id);
    let info = property.check.info();
    let (ignored, off) = match standing {
        Standing::Runs => (false, None),
        Standing::Ignored => (true, None),
        Standing::Off(reason) => (false, Some(reason)),
    };
    json!({
        "v": 1, "event": "listed", "package": package.name, "spec": spec.name, "rung": spec.rung.as_ref().map(|rung| &rung.name), "property": property.name,
        "check": info.id, "stage": info.stage, "level": property.settings.level, "ignored": ignored, "off": off,
    })
    .to_string()
}
