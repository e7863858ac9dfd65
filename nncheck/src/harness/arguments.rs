//! libtest's command line. libtest-mimic takes one filter and refuses some flags that `cargo test` users know; those
//! are taken care of here, before it sees them.

use nncheck_core::suite::Filter;

/// The command line of a harness, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    /// Which tests.
    pub filter: Filter,
    /// Only list them.
    pub list: bool,
    /// Worker processes at once: `--test-threads` or `RUST_TEST_THREADS`.
    pub jobs: Option<usize>,
    /// What libtest-mimic is to see.
    pub rest: Vec<String>,
}

/// Why a command line cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

/// Flags that libtest has and that mean nothing here: output is never captured, and the order does not matter.
const IGNORED: &[&str] = &[
    "--no-capture",
    "--nocapture",
    "--show-output",
    "--report-time",
    "--ensure-time",
    "--shuffle",
    "--force-run-in-process",
];
/// The same with a value.
const IGNORED_WITH_VALUE: &[&str] = &["--shuffle-seed"];
/// Flags with a value that libtest-mimic handles.
const PASSED_WITH_VALUE: &[&str] = &["--logfile", "--color", "--format", "-Z"];

/// Takes the command line apart; `threads` is the value of `RUST_TEST_THREADS`.
///
/// # Errors
/// When a flag lacks its value, or the value is no number where one is wanted.
pub fn parse(arguments: impl IntoIterator<Item = String>, threads: Option<&str>) -> Result<Arguments, UsageError> {
    let mut parsed = Arguments::default();
    if let Some(threads) = threads.filter(|t| !t.is_empty()) {
        parsed.jobs = Some(number("RUST_TEST_THREADS", threads)?);
    }
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (flag, inline) = match argument.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag.to_owned(), Some(value.to_owned())),
            _ => (argument.clone(), None),
        };
        let mut value =
            || inline.clone().or_else(|| arguments.next()).ok_or_else(|| UsageError(format!("`{flag}` wants a value")));
        match flag.as_str() {
            "--" => {}
            "--skip" => parsed.filter.skip.push(value()?),
            "--test-threads" => parsed.jobs = Some(number("--test-threads", &value()?)?),
            "--exact" => parsed.filter.exact = true,
            "--include-ignored" => parsed.filter.include_ignored = true,
            "--ignored" => parsed.filter.only_ignored = true,
            "--list" => {
                parsed.list = true;
                parsed.rest.push(argument);
            }
            flag if IGNORED.contains(&flag) => {}
            flag if IGNORED_WITH_VALUE.contains(&flag) => drop(value()?),
            name if PASSED_WITH_VALUE.contains(&name) => {
                let value = value()?;
                parsed.rest.extend([flag, value]);
            }
            other if other.starts_with('-') && other.len() > 1 => parsed.rest.push(argument),
            _ => parsed.filter.filters.push(argument),
        }
    }
    Ok(parsed)
}

fn number(what: &str, text: &str) -> Result<usize, UsageError> {
    match text.parse() {
        Ok(0) | Err(_) => Err(UsageError(format!("`{what}` wants a number above zero, found `{text}`"))),
        Ok(n) => Ok(n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Arguments {
        parse(arguments.iter().map(|&a| a.to_owned()), None).unwrap()
    }

    #[test]
    fn several_filters_are_kept() {
        assert_eq!(parsed(&["initial", "overfit"]).filter.filters, ["initial", "overfit"]);
    }

    #[test]
    fn flags_that_libtest_mimic_refuses_never_reach_it() {
        let arguments = parsed(&[
            "--no-capture",
            "--report-time",
            "--shuffle",
            "--shuffle-seed",
            "4",
            "--skip=slow",
            "-q",
            "--color",
            "never",
        ]);
        assert_eq!(arguments.rest, ["-q", "--color", "never"]);
        assert_eq!(arguments.filter.skip, ["slow"]);
        assert!(arguments.filter.filters.is_empty());
    }

    #[test]
    fn threads_come_from_the_flag_before_the_environment() {
        let flag = ["--test-threads".to_owned(), "3".to_owned()];
        assert_eq!(parse(flag, Some("2")).unwrap().jobs, Some(3));
        assert_eq!(parse([], Some("2")).unwrap().jobs, Some(2));
        assert!(parse([], Some("many")).is_err());
        assert!(parse(["--test-threads".to_owned()], None).is_err());
    }
}
