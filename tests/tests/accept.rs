//! `accept` and `regression`: numbers are accepted, held, told apart from chance and accepted anew.

use std::fs;

use nncheck_tests::{Outcome, Scratch, nncheck, project, run_specs};

/// A small classifier of digits.
fn spec(model: &str, lr: &str, properties: &str) -> String {
    let digits = project("digits").join("data/digits.csv");
    format!(
        "version = 1\n[model]\n{model}\n[data]\ncsv = {digits:?}\ntarget = \"label\"\nscale = 0.0625\ntake = 512\n\
         [loss]\nkind = \"cross_entropy\"\n[optimizer]\nkind = \"adam\"\nlr = {lr}\n{properties}"
    )
}

fn layers(units: usize, init: &str) -> String {
    format!(
        "layers = [{{ linear = {{ out = {units} }}, name = \"hidden\"{init} }}, \"relu\", {{ linear = {{ out = 10 }}, name = \"head\" }}]"
    )
}

const HELD: &str = "[property.regression]\nsteps = 100\n";

fn write(folder: &Scratch, path: &str, text: &str) {
    fs::write(folder.join(path), text).unwrap_or_else(|e| panic!("{path} cannot be written: {e}"));
}

fn accept(folder: &Scratch, more: &[&str]) -> Outcome {
    let specs = folder.join("specs").display().to_string();
    nncheck(&[&["accept", "--specs", &specs][..], more].concat())
}

/// The verdict on `digits::regression` with its causes, and the whole event.
fn judged(folder: &Scratch, more: &[&str]) -> (String, Vec<String>, serde_json::Value) {
    let event = run_specs(&folder.join("specs"), more).property("digits", "regression");
    let causes = event["causes"].as_array().into_iter().flatten().filter_map(|c| c.as_str()).map(str::to_owned);
    (event["verdict"].as_str().unwrap_or_default().to_owned(), causes.collect(), event)
}

fn baseline(folder: &Scratch) -> String {
    fs::read_to_string(folder.join("specs/digits.baseline.json")).unwrap_or_default()
}

#[test]
fn what_was_accepted_is_held_and_changes_are_told_with_their_cause() {
    let sound = spec(&layers(16, ""), "1e-3", HELD);
    let folder = Scratch::new().with("specs/digits.toml", &sound);
    let (verdict, _, event) = judged(&folder, &[]);
    assert_eq!(verdict, "skipped", "{event}");
    assert!(event["message"].as_str().is_some_and(|m| m.contains("cargo nncheck accept")), "{event}");

    let taken = accept(&folder, &[]).exits_with(0);
    let taken = taken.says(&["digits::regression, seeds 0 to 9", "final_loss", "can tell", "wrote ", ".baseline.json"]);
    assert!(baseline(&folder).ends_with("}\n"), "{taken}");
    let _again = accept(&folder, &["-j", "1"]).exits_with(0).says(&["is as it was", "the same"]);

    // The same program gives the same numbers, bit for bit, however many workers there are.
    let (verdict, _, event) = judged(&folder, &["-j", "2"]);
    assert_eq!((verdict.as_str(), event["seeds"].as_array().map(Vec::len)), ("pass", Some(5)), "{event}");
    let by: Vec<f64> = event["by"].as_object().into_iter().flatten().filter_map(|(_, v)| v.as_f64()).collect();
    assert_eq!(by, [0.0; 6], "{event}");
    assert!(event["evidence"].is_null(), "the JSON report is as it was: {event}");

    write(&folder, "specs/digits.toml", &spec(&layers(16, ""), "1e-4", HELD));
    let (verdict, causes, event) = judged(&folder, &[]);
    assert_eq!((verdict.as_str(), causes.as_slice()), ("fail", &["training_changed".to_owned()][..]), "{event}");
    let help = event["help"][0].as_str().unwrap_or_default();
    assert!(help.starts_with("final_loss rose by ") && help.contains(" -> ") && help.contains("can be told"), "{help}");
    assert_eq!(event["seeds"].as_array().map(Vec::len), Some(10), "all accepted seeds are used: {event}");

    write(&folder, "specs/digits.toml", &spec(&layers(16, ""), "3e-3", HELD));
    assert_eq!(judged(&folder, &[]).1, ["improved"]);
    let allowed = format!("{HELD}allow = [\"cause:improved\"]\n");
    write(&folder, "specs/digits.toml", &spec(&layers(16, ""), "3e-3", &allowed));
    assert_eq!(judged(&folder, &[]).0, "pass");

    write(&folder, "specs/digits.toml", &spec(&layers(24, ""), "1e-3", HELD));
    assert_eq!(judged(&folder, &[]).1.first().map(String::as_str), Some("model_changed"));
    let init = ", init = { normal = { mean = 0.0, std = 1.0 } }";
    write(&folder, "specs/digits.toml", &spec(&layers(16, init), "1e-3", HELD));
    assert_eq!(judged(&folder, &[]).1.first().map(String::as_str), Some("start_changed"));

    // Accepted anew, it is what is held.
    let _taken = accept(&folder, &["--seeds", "4"]).exits_with(0).says(&["seeds 0 to 3", "up "]);
    assert_eq!(judged(&folder, &[]).0, "pass");
}

#[test]
fn other_random_numbers_are_no_change() {
    // The same two layers, initialised in the same way by other draws: the first seed is another one.
    let folder = Scratch::new().with("specs/digits.toml", &spec(&layers(16, ""), "1e-3", HELD));
    let _taken = accept(&folder, &["--seed", "100"]).exits_with(0).says(&["seeds 100 to 109"]);
    let (verdict, _, event) = judged(&folder, &[]);
    assert_eq!(verdict, "error", "{event}");
    assert!(event["message"].as_str().is_some_and(|m| m.contains("--seed 100")), "{event}");
    assert_eq!(judged(&folder, &["--seed", "100"]).0, "pass");
    // As if the library had drawn other numbers for each seed.
    let other = baseline(&folder);
    let other = (0..10).fold(other, |text, n| text.replace(&format!("\"{}\":", 100 + n), &format!("\"{n}\":")));
    write(&folder, "specs/digits.baseline.json", &other);
    let (verdict, _, event) = judged(&folder, &[]);
    assert_eq!((verdict.as_str(), event["seeds"].as_array().map(Vec::len)), ("pass", Some(10)), "{event}");
    assert!(event["message"].as_str().is_some_and(|m| m.contains("cannot be told from chance")), "{event}");
}

#[test]
fn a_property_that_measures_otherwise_than_was_accepted_is_an_error() {
    let folder = Scratch::new().with("specs/digits.toml", &spec(&layers(4, ""), "1e-3", HELD));
    let _taken = accept(&folder, &["--seeds", "2"]).exits_with(0);
    write(&folder, "specs/digits.toml", &spec(&layers(4, ""), "1e-3", "[property.regression]\nsteps = 50\n"));
    let (verdict, _, event) = judged(&folder, &[]);
    assert_eq!(verdict, "error", "{event}");
    let message = event["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("the baseline is of 100 steps, the property of 50"), "{message}");
}

#[test]
fn what_is_no_baseline_is_shown_at_its_place_and_nothing_runs() {
    let folder = Scratch::new().with("specs/digits.toml", &spec(&layers(4, ""), "1e-3", HELD));
    write(&folder, "specs/digits.baseline.json", "{\n  \"version\": 1,\n  \"properties\": [oops]\n}\n");
    let outcome = run_specs(&folder.join("specs"), &[]).exits_with(2);
    let _told = outcome.complains_of(&["digits.baseline.json", ":3:", "^", "cargo nncheck accept"]);
    let _told = accept(&folder, &[]).exits_with(2).complains_of(&["digits.baseline.json", "delete it"]);
}

#[test]
fn what_cannot_be_accepted_leaves_the_file_as_it_is() {
    let folder = Scratch::new().with("specs/digits.toml", &spec(&layers(4, ""), "1e-3", HELD));
    let _taken = accept(&folder, &["--seeds", "2"]).exits_with(0);
    let before = baseline(&folder);
    // Losses overflow at this rate.
    let wild = spec(&layers(4, ""), "1e30", HELD);
    write(&folder, "specs/digits.toml", &wild);
    let refused = accept(&folder, &["--seeds", "2"]).exits_with(1);
    let _told = refused.complains_of(&["digits::regression", "cannot be accepted", "nothing was written"]);
    assert_eq!(baseline(&folder), before);
    assert!(judged(&folder, &[]).1.contains(&"not_finite".to_owned()));
    let _refused = accept(&folder, &["--seeds", "1"]).exits_with(2).complains_of(&["two at least"]);
    let nothing = accept(&folder, &["no_such_property"]).exits_with(2);
    let _told = nothing.complains_of(&["no property matches"]);
    let also = format!("{HELD}[property.finite]\n");
    write(&folder, "specs/digits.toml", &spec(&layers(4, ""), "1e-3", &also));
    let others = accept(&folder, &["finite"]).exits_with(2);
    let _told = others.complains_of(&["holds no property of the check `regression`"]);

    // A spec of another name is not held against what was accepted, and does not pass for it.
    write(&folder, "specs/renamed.toml", &spec(&layers(4, ""), "1e-3", HELD));
    fs::remove_file(folder.join("specs/digits.toml")).unwrap();
    let renamed = || run_specs(&folder.join("specs"), &[]).property("renamed", "regression");
    let event = renamed();
    assert_eq!(event["verdict"], "error", "{event}");
    assert!(event["message"].as_str().unwrap_or_default().contains("the file `digits.baseline.json`"), "{event}");
    let _taken = accept(&folder, &["--seeds", "2"]).exits_with(0).says(&["renamed.baseline.json"]);
    assert_eq!(renamed()["verdict"], "pass");
}

#[test]
fn a_spec_without_the_property_is_told_what_to_add() {
    let folder = Scratch::new().with("specs/digits.toml", &spec(&layers(4, ""), "1e-3", "[property.initial_loss]\n"));
    let refused = accept(&folder, &[]).exits_with(2);
    let _told = refused.complains_of(&["nothing to accept", "[property.regression]", "nncheck:checklist"]);
}
