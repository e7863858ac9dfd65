//! From the command line to a suite and a choice of its properties.

use std::io::IsTerminal;

use nncheck_core::diagnostic::{self, Diagnostic};
use nncheck_core::suite::{self, Filter, Overrides, Suite};

use crate::cli::{Color, MeasuringArgs, SelectionArgs};
use crate::error::CommandError;
use crate::packages::Package;

/// The properties that the command line chooses.
#[must_use]
pub fn filter(args: &SelectionArgs) -> Filter {
    Filter {
        filters: args.filters.clone(),
        exact: args.exact,
        skip: args.skip.clone(),
        include_ignored: args.include_ignored,
        only_ignored: false,
        stage: args.stages.clone(),
        spec: args.specs.clone(),
    }
}

/// What the command line overrides in the specs.
///
/// # Errors
/// When a device or a duration cannot be read.
pub fn overrides(args: &MeasuringArgs) -> Result<Overrides, CommandError> {
    let device = match &args.device {
        None => None,
        Some(text) => Some(text.parse().map_err(|e| CommandError::Usage(format!("--device: {e}, found `{text}`")))?),
    };
    let timeout_ms = match &args.timeout {
        None => None,
        Some(text) => Some(milliseconds(text).ok_or_else(|| {
            CommandError::Usage(format!("--timeout wants a duration such as 500ms, 60s or 5m, found `{text}`"))
        })?),
    };
    Ok(Overrides { seeds: args.seeds, seed: args.seed, device, timeout_ms })
}

/// `60s`, `2m`, `500ms`, `1.5h` in milliseconds, above zero.
fn milliseconds(text: &str) -> Option<u64> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "ms" => 1.0,
        "s" => 1e3,
        "m" | "min" => 6e4,
        "h" => 3.6e6,
        _ => return None,
    };
    let milliseconds = number.trim().parse::<f64>().ok()? * factor;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie in range")]
    (1.0..1e15).contains(&milliseconds).then_some(milliseconds as u64)
}

/// Reads a package's specs and looks at what they name without building anything.
///
/// # Errors
/// Everything that is wrong with them.
pub fn suite(package: &Package, overrides: &Overrides, with_data: bool) -> Result<Suite, Vec<Diagnostic>> {
    let suite = suite::load(&package.sources, overrides)?;
    let errors = if with_data { suite::precheck(&suite) } else { Vec::new() };
    if errors.is_empty() { Ok(suite) } else { Err(errors) }
}

/// Prints what is wrong with specs, on standard error.
pub fn show(errors: &[Diagnostic], color: Color) {
    let coloured = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    let style = if coloured { diagnostic::Style::Coloured } else { diagnostic::Style::Plain };
    eprintln!("{}", diagnostic::render_all(errors, style).trim_end());
}

/// The error of a choice that nothing answers to, in no package.
#[must_use]
pub fn nothing_chosen(args: &SelectionArgs, known: &[String]) -> CommandError {
    let mut words = "no property matches the filters".to_owned();
    if let Some(filter) = args.filters.first()
        && let Some(near) = diagnostic::suggest::nearest(filter, known.iter().map(String::as_str))
    {
        words.push_str(&format!("; did you mean `{near}`?"));
    }
    words.push_str("\n`cargo nncheck list` shows all properties");
    CommandError::Usage(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_unit() {
        assert_eq!(milliseconds("60s"), Some(60_000));
        assert_eq!(milliseconds("500ms"), Some(500));
        assert_eq!(milliseconds("1.5m"), Some(90_000));
        for wrong in ["60", "", "s", "-1s", "0s", "1y", "1e400s", "nans"] {
            assert_eq!(milliseconds(wrong), None, "{wrong}");
        }
    }
}
