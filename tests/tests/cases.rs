//! Every check on small programs: sound ones, ones with a fault planted, and ones with nothing to look at.

use std::collections::BTreeSet;

use nncheck_tests::cases::{cases, known_rows, run_cases};

#[test]
fn every_case_is_judged_rightly() {
    let outcome = run_cases(&[], 7_000_000);
    let events = outcome.properties();
    let wrong: Vec<String> =
        cases().iter().filter_map(|case| Some(format!("{}: {}", case.spec(), case.holds(&events).err()?))).collect();
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), outcome.stderr);
}

#[test]
fn the_table_knows_every_case_and_no_other() {
    let known: BTreeSet<String> = known_rows().into_keys().collect();
    let there: BTreeSet<String> = cases().iter().map(nncheck_tests::cases::Case::spec).collect();
    assert_eq!(known, there, "make docs/cases.md anew (tests/examples/cases_table.rs)");
}
