//! Every check on small programs: sound ones, ones with a fault planted, and ones with nothing to look at.

mod traps;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use nncheck_core::check::CATALOGUE;
use nncheck_tests::Outcome;
use nncheck_tests::cases::{Case, cases, known_rows, run_cases};

/// All cases, run once.
fn run() -> &'static Outcome {
    static RUN: OnceLock<Outcome> = OnceLock::new();
    RUN.get_or_init(|| run_cases(&[], 7_000_000))
}

/// What is wrong with the verdicts on those of the cases that are `wanted`.
fn wrong(wanted: impl Fn(&Case) -> bool) -> String {
    let events = run().properties();
    let all = cases();
    let wrong = all.iter().filter(|case| wanted(case)).filter_map(|case| {
        let said = case.holds(&events).err()?;
        Some(format!("{}: {said}\n", case.spec()))
    });
    wrong.collect()
}

#[test]
fn every_case_is_judged_rightly() {
    let wrong = wrong(|_| true);
    assert!(wrong.is_empty(), "{wrong}{}", run().stderr);
}

#[test]
fn the_table_knows_every_case_and_no_other() {
    let known: BTreeSet<String> = known_rows().into_keys().collect();
    let there: BTreeSet<String> = cases().iter().map(Case::spec).collect();
    assert_eq!(known, there, "make docs/cases.md anew (tests/examples/cases_table.rs)");
}

/// Why there is no case of what is held against a baseline.
const BASELINE: &str = "a baseline is of the seeds that were accepted: tests/tests/accept.rs";

/// What no program of the project can show, and why.
const NOT_SHOWN: [(&str, &str); 19] = [
    ("determinism.nothing", "any program can be run twice"),
    ("device_parity.drifts", "only with a GPU"),
    ("device_parity.overflows", "only with a GPU"),
    ("device_parity.sound", "only with a GPU"),
    ("finite.nothing", "a training has a step"),
    ("learns.nothing", "a training has a step"),
    ("loss_task.target_range", "such data is refused when it is read"),
    ("loss_task.target_type", "such data is refused when it is read"),
    ("regression.improved", BASELINE),
    ("regression.model_changed", BASELINE),
    ("regression.not_finite", BASELINE),
    ("regression.scoring_changed", BASELINE),
    ("regression.sound", BASELINE),
    ("regression.start_changed", BASELINE),
    ("regression.training_changed", BASELINE),
    ("regression.unstable", BASELINE),
    ("update_ratio.nothing", "what trains has a largest step"),
    ("value.nothing", "the number is the user's: tests/projects/own_step"),
    ("value.sound", "the number is the user's: tests/projects/own_step"),
];

#[test]
fn every_cause_of_every_check_has_a_case() {
    let there: BTreeSet<String> = cases().iter().map(|case| format!("{}.{}", case.check, case.expected())).collect();
    let wanted: BTreeSet<String> = CATALOGUE
        .iter()
        .flat_map(|entry| {
            let causes = entry.info.causes.iter().map(|cause| cause.id);
            causes.chain(["sound", "nothing"]).map(|name| format!("{}.{name}", entry.info.id))
        })
        .collect();
    let missing: BTreeSet<&str> = wanted.difference(&there).map(String::as_str).collect();
    assert_eq!(missing, NOT_SHOWN.iter().map(|(case, _)| *case).collect());
    assert!(there.is_subset(&wanted), "cases of no cause: {:?}", there.difference(&wanted));
}
