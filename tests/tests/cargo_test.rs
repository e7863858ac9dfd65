//! The digits project under plain `cargo test` and under `cargo nextest run`.

use std::path::PathBuf;

use nncheck_tests::{Outcome, cargo, project};

fn in_digits(arguments: &[&str]) -> Outcome {
    Outcome::of(cargo(&project("digits")).args(arguments))
}

/// Whether cargo-nextest is installed; where it is not, a note is all that a test of it leaves.
fn has_nextest() -> bool {
    let has = cargo(&project("digits")).args(["nextest", "--version"]).output().is_ok_and(|o| o.status.success());
    if !has {
        eprintln!("note: cargo-nextest is not installed, so nothing is tested under it");
    }
    has
}

/// The program of one of the digits' test targets.
fn harness(name: &str) -> PathBuf {
    let list = in_digits(&["test", "--test", name, "--no-run", "--message-format", "json"]).exits_with(0);
    let found = list
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|m| m["target"]["name"] == name && m["target"]["kind"][0] == "test")
        .find_map(|m| m["executable"].as_str().map(PathBuf::from));
    found.unwrap_or_else(|| panic!("no harness was built\n{list}"))
}

#[test]
fn plain_cargo_test_runs_every_property_as_a_test() {
    let outcome = in_digits(&["test", "--test", "nncheck"]).exits_with(0);
    let _told = outcome.says(&["running 12 tests", "test mlp::initial_loss", "test convnet::learns", "12 passed"]);
}

#[test]
fn plain_cargo_test_takes_filters_and_libtests_flags() {
    let flags = ["mlp::finite", "convnet::finite", "--no-capture", "--test-threads", "1"];
    let outcome = in_digits(&[&["test", "--test", "nncheck", "--"][..], &flags].concat()).exits_with(0);
    let _told = outcome.says(&["running 2 tests", "2 passed"]);
    // `cargo test NAME` hands NAME to every test binary: no match is success.
    let none = in_digits(&["test", "no_such_test"]).exits_with(0);
    let _told = none.says(&["running 0 tests"]);
}

#[test]
fn nextest_runs_every_property_in_a_process_of_its_own() {
    if has_nextest() {
        let outcome = in_digits(&["nextest", "run", "--no-fail-fast"]).exits_with(0);
        // What is known to have nothing to look at is skipped there, and not passed.
        let _told = outcome.complains_of(&["13 tests run: 13 passed, 1 skipped", "mlp::initial_loss"]);
    }
}

#[test]
fn what_has_nothing_to_look_at_is_ignored_with_its_reason_or_marked_where_reasons_are_not_shown() {
    let outcome = in_digits(&["test", "--test", "moot"]).exits_with(0);
    let _told = outcome.says(&["test mlp::lr_schedule  ... ignored", "1 passed; 0 failed; 1 ignored"]);
    let harness = harness("moot");
    let listed = |nextest: bool| {
        let mut asked = nncheck_tests::command(&harness, &project("digits"));
        asked.env_remove("NEXTEST");
        if nextest {
            asked.env("NEXTEST", "1");
        }
        Outcome::of(asked.args(["--list", "--ignored", "--format", "terse"])).exits_with(0).stdout
    };
    assert_eq!(listed(true).trim(), "mlp::lr_schedule: test");
    assert_eq!(listed(false).trim(), "");
}

#[test]
fn an_unknown_exact_name_under_nextest_is_no_silent_green() {
    if !has_nextest() {
        return;
    }
    // nextest itself refuses when a filter matches nothing ...
    let filtered = in_digits(&["nextest", "run", "--", "--exact", "mlp::no_such_property"]);
    assert_ne!(filtered.code, Some(0), "{filtered}");
    // ... and the harness does, should nextest ask for a test that a changed spec no longer has.
    let mut asked = nncheck_tests::command(&harness("nncheck"), &project("digits"));
    asked.env("NEXTEST_RUN_ID", "a-run").args(["--exact", "mlp::no_such_property", "--nocapture"]);
    let _told = Outcome::of(&mut asked).exits_with(2).complains_of(&["mlp::no_such_property"]);
    let mut plain = nncheck_tests::command(&harness("nncheck"), &project("digits"));
    let _none = Outcome::of(plain.args(["--exact", "mlp::no_such_property"])).exits_with(0);
}
