//! From the command line to a suite and a choice of its properties.

use std::collections::BTreeSet;
use std::io::IsTerminal;

use nncheck_core::diagnostic::{self, Diagnostic, suggest};
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

/// What there is to choose from, in all packages.
#[derive(Debug, Default)]
pub struct Known {
    /// The specs by name.
    specs: BTreeSet<String>,
    /// The specs by file, as they are shown.
    files: BTreeSet<String>,
    /// The properties by the names that filters look into.
    tests: BTreeSet<String>,
    /// The properties by their own names.
    properties: BTreeSet<String>,
}

impl Known {
    /// Adds those of a package.
    pub fn add(&mut self, suite: &Suite) {
        for spec in &suite.specs {
            self.specs.insert(spec.name.clone());
            self.files.insert(spec.file.shown.clone());
            self.properties.extend(spec.properties.iter().map(|property| property.name.clone()));
        }
        self.tests.extend(suite.ids().map(|id| suite.test_name(id)));
    }

    /// Whether `--spec` names what is there: a wrong name beside a right one would leave out what was asked for.
    ///
    /// # Errors
    /// With the spec that may be meant.
    pub fn holds_specs(&self, args: &SelectionArgs) -> Result<(), CommandError> {
        let wrong = args.specs.iter().find(|name| !self.specs.contains(*name) && !self.files.contains(*name));
        let Some(wrong) = wrong else { return Ok(()) };
        let known: Vec<&str> = self.specs.iter().map(String::as_str).collect();
        let near = meant(suggest::nearest(wrong, self.specs.iter().chain(&self.files).map(String::as_str)));
        Err(CommandError::Usage(format!(
            "there is no spec `{wrong}` (--spec){near}\nthe specs are {}",
            suggest::list(&known)
        )))
    }

    /// The error of a choice that nothing answers to, in no package.
    #[must_use]
    pub fn nothing_chosen(&self, args: &SelectionArgs) -> CommandError {
        let mut words = "no property matches the filters".to_owned();
        for filter in &args.filters {
            let found = |name: &&String| if args.exact { *name == filter } else { name.contains(filter.as_str()) };
            if !self.tests.iter().any(|name| found(&name)) {
                words.push_str(&format!(
                    "\n`{filter}` is {}{}",
                    self.nowhere(args),
                    meant(self.nearest(filter, args.exact))
                ));
            }
        }
        words.push_str("\n`cargo nncheck list` shows all properties");
        CommandError::Usage(words)
    }

    fn nowhere(&self, args: &SelectionArgs) -> &'static str {
        if args.exact { "no property's whole name (--exact)" } else { "in no property's name" }
    }

    /// The name that a filter most likely stands for.
    fn nearest(&self, filter: &str, exact: bool) -> Option<&str> {
        let whole = || self.tests.iter().map(String::as_str);
        if exact {
            // The property's own name, without its spec.
            let ends = |name: &&str| name.strip_suffix(filter).is_some_and(|spec| spec.ends_with("::"));
            return whole().find(ends).or_else(|| suggest::nearest(filter, whole()));
        }
        let parts = self.properties.iter().chain(&self.specs).map(String::as_str);
        suggest::nearest(filter, parts.chain(whole()))
    }
}

/// The words for a name that may be meant.
fn meant(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let spec = r#"
            model = { layers = [{ linear = { out = 2 } }] }
            data = { synthetic = { inputs = [3], classes = 2 } }
            loss = { kind = "cross_entropy" }
            optimizer = { kind = "sgd", lr = 0.1 }
            [property.initial_loss]
            [property.overfit]
        "#;
        let mut known = Known::default();
        let suite = suite::from_texts(&[("ladder", spec), ("mlp", spec)], &Overrides::default());
        known.add(&suite.unwrap_or_else(|errors| panic!("{errors:?}")));
        known
    }

    #[test]
    fn a_spec_that_is_not_there_is_met_with_the_one_that_was_meant() {
        let said = |specs: &[&str]| {
            let specs = specs.iter().map(|&s| s.to_owned()).collect();
            let args = SelectionArgs { specs, ..SelectionArgs::default() };
            known().holds_specs(&args).err().map(|error| error.to_string())
        };
        assert_eq!(said(&["ladder", "specs/mlp.toml"]), None);
        let words = "there is no spec `lader` (--spec); did you mean `ladder`?\nthe specs are `ladder`, `mlp`";
        assert_eq!(said(&["mlp", "lader"]).as_deref(), Some(words));
        assert!(said(&["specs/lader.toml"]).is_some_and(|w| w.contains("did you mean `specs/ladder.toml`?")));
        assert!(said(&["resnet"]).is_some_and(|w| !w.contains("did you mean") && w.contains("the specs are")));
    }

    #[test]
    fn a_filter_that_is_in_no_name_is_met_with_the_name_that_was_meant() {
        let said = |exact, filters: &[&str]| {
            let filters = filters.iter().map(|&s| s.to_owned()).collect();
            known().nothing_chosen(&SelectionArgs { filters, exact, ..SelectionArgs::default() }).to_string()
        };
        let words = said(false, &["overfitt", "inital_loss", "lader"]);
        for line in [
            "`overfitt` is in no property's name; did you mean `overfit`?",
            "`inital_loss` is in no property's name; did you mean `initial_loss`?",
            "`lader` is in no property's name; did you mean `ladder`?",
        ] {
            assert!(words.contains(line), "{line}\n{words}");
        }
        assert!(said(false, &["mlp::overfitt"]).contains("did you mean `mlp::overfit`?"));
        assert!(said(true, &["overfit"]).contains("whole name (--exact); did you mean `ladder::overfit`?"));
        // Another option left it out.
        assert!(!said(false, &["overfit"]).contains("did you mean"));
    }

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
