//! Makes `docs/cases.md` anew: `cargo nncheck exec -- cargo run -p nncheck-tests --example cases_table [-- [SEEDS] [FILTER]...]`.
//! Runs every case (or those whose names contain a filter) for 50 (or SEEDS) different seeds; rows that were not run stay
//! as they are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use nncheck_tests::cases::{Case, TABLE, cases, known_rows, run_cases};

/// Further apart than any property's seeds reach.
const APART: u64 = 1000;

const HEAD: &str = "# What each check sees\n\n\
    Small training programs, sound or with one fault planted (`tests/projects/cases`), and how often each check's verdict was\n\
    right, every time from another seed on. *sound* has to pass; *nothing* has nothing to look at and has to be skipped; any\n\
    other case is the cause that is planted: the check has to fail and to name it first or second. Made by\n\
    `cargo nncheck exec -- cargo run -p nncheck-tests --example cases_table`.\n\n\
    | check | case | the program | right |\n| --- | --- | --- | --- |\n";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (runs, filters) = match arguments.split_first() {
        Some((first, rest)) if first.parse::<u32>().is_ok() => (first.parse::<u32>().unwrap_or(50), rest),
        _ => (50, &arguments[..]),
    };
    let known = known_rows();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    let all = cases();
    let wanted = |spec: &str| filters.is_empty() || filters.iter().any(|filter| spec.contains(filter));
    let mut right: BTreeMap<String, (u32, u32)> =
        all.iter().map(Case::spec).filter(|spec| wanted(spec)).map(|spec| (spec, (0, 0))).collect();
    for run in 0..runs {
        let outcome = run_cases(&filters, u64::from(run) * APART);
        let events = outcome.properties();
        for case in all.iter().filter(|case| wanted(&case.spec())) {
            let Some((held, of)) = right.get_mut(&case.spec()) else { continue };
            *of += 1;
            match case.holds(&events) {
                Ok(()) => *held += 1,
                Err(said) => eprintln!("seed {}: {}: {said}", u64::from(run) * APART, case.spec()),
            }
        }
        eprintln!("{} of {runs}", run + 1);
        // A long run that is cut short has made its table.
        write(&all, &right, &known);
    }
}

/// Writes the table: what was run now, and what is known of the rest.
fn write(all: &[Case], right: &BTreeMap<String, (u32, u32)>, known: &BTreeMap<String, (u32, u32)>) {
    let mut text = HEAD.to_owned();
    for case in all {
        let spec = case.spec();
        let row = right.get(&spec).or_else(|| known.get(&spec));
        let held = row.map_or_else(|| "not run".to_owned(), |(held, of)| format!("{held} of {of}"));
        let _written = writeln!(text, "| `{}` | `{}` | {} | {held} |", case.check, case.name, case.title);
    }
    let path = nncheck_tests::repository().join(TABLE);
    fs::write(&path, text).unwrap_or_else(|e| panic!("{} cannot be written: {e}", path.display()));
}
