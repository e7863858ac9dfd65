//! Cases: small training programs, sound or with one fault planted, and what a check has to say of each. They are the
//! specs `CHECK.CASE.toml` of the project `cases`.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::{Outcome, project, run_project};

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    /// The check; also the name of the property.
    pub check: String,
    /// `sound`, `nothing`, or the id of the cause that is planted; further ones of a kind end in `-2`, `-3`.
    pub name: String,
    /// What is special about the program, from the first line of its spec.
    pub title: String,
}

impl Case {
    /// The name of its spec.
    #[must_use]
    pub fn spec(&self) -> String {
        format!("{}.{}", self.check, self.name)
    }

    /// What has to be said of it: `sound`, `nothing`, or a cause.
    #[must_use]
    pub fn expected(&self) -> &str {
        let (kind, number) = self.name.rsplit_once('-').unwrap_or((&self.name, ""));
        if number.parse::<u32>().is_ok() { kind } else { &self.name }
    }

    /// Whether the events of a run say of it what they have to; if not, what they say.
    ///
    /// # Errors
    /// What was said instead.
    pub fn holds(&self, events: &[Value]) -> Result<(), String> {
        let mine: Vec<&Value> = events.iter().filter(|event| event["spec"] == self.spec().as_str()).collect();
        let [event] = mine[..] else { return Err(format!("{} properties were judged instead of one", mine.len())) };
        let verdict = event["verdict"].as_str().unwrap_or_default();
        let causes: Vec<&str> = event["causes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let right = match self.expected() {
            "sound" => verdict == "pass",
            "nothing" => verdict == "skipped",
            // First or second: a reader looks no further.
            cause => verdict == "fail" && causes.iter().take(2).any(|named| *named == cause),
        };
        if right && event["check"] == self.check.as_str() {
            return Ok(());
        }
        Err(format!("{verdict} {causes:?}: {}", event["message"].as_str().unwrap_or_default()))
    }
}

/// All cases, by check and name.
///
/// # Panics
/// When their folder cannot be read, or a file is not named as it should be.
#[must_use]
pub fn cases() -> Vec<Case> {
    let folder = project("cases").join("specs");
    let files = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{} cannot be read: {e}", folder.display()));
    let mut cases: Vec<Case> = files
        .map(|file| file.unwrap_or_else(|e| panic!("{e}")).path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{} cannot be read: {e}", path.display()));
            let title = text.lines().next().and_then(|line| line.strip_prefix("# "));
            let (check, name) = stem.split_once('.').unwrap_or_else(|| panic!("{stem} is not CHECK.CASE"));
            let title = title.unwrap_or_else(|| panic!("{stem} does not begin with a line that says what it is"));
            Case { check: check.to_owned(), name: name.to_owned(), title: title.to_owned() }
        })
        .collect();
    cases.sort();
    cases
}

/// Runs the cases whose names contain one of `filters` (all, where there is none) with the default number of seeds from
/// `seed` on.
#[must_use]
pub fn run_cases(filters: &[&str], seed: u64) -> Outcome {
    let seed = seed.to_string();
    run_project("cases", &[filters, &["--seed", &seed, "--include-ignored"]].concat())
}

/// Where the table of the cases is kept.
pub const TABLE: &str = "docs/cases.md";

/// The rows of the table as they were last made, by spec: how often the verdict was right, and of how many.
#[must_use]
pub fn known_rows() -> BTreeMap<String, (u32, u32)> {
    let text = fs::read_to_string(crate::repository().join(TABLE)).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [check, case, _, held] = cells[..] else { return None };
            let (right, of) = held.split_once(" of ")?;
            Some((
                format!("{}.{}", check.trim_matches('`'), case.trim_matches('`')),
                (right.parse().ok()?, of.parse().ok()?),
            ))
        })
        .collect()
}
