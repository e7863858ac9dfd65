//! The example projects: what is sound passes, and what is broken on purpose fails for the right reasons.

use nncheck_tests::{Outcome, project, run_project, run_specs};
use serde_json::Value;

fn all_hold(outcome: Outcome, properties: usize) {
    let outcome = outcome.exits_with(0);
    let judged = outcome.properties();
    assert_eq!(judged.len(), properties, "{outcome}");
    for event in judged {
        assert_eq!(event["verdict"], "pass", "{event}");
    }
    assert_eq!(outcome.summary()["passed"], properties, "{outcome}");
}

#[test]
fn digits_holds() {
    all_hold(run_project("digits", &[]), 12);
}

#[test]
fn digits_holds_with_other_seeds() {
    all_hold(run_project("digits", &["--seed", "20260101"]), 12);
}

#[test]
fn binary_holds() {
    let outcome = run_project("binary", &[]);
    let loss = outcome.property("mlp", "initial_loss");
    // The loss of zero outputs, which needs no word in the spec: ln 2, whatever the share of the classes.
    let expected = loss["band"]["expect"].as_f64().unwrap_or(f64::NAN);
    assert!((expected - std::f64::consts::LN_2).abs() < 1e-6, "{loss}");
    all_hold(outcome, 7);
}

#[test]
fn regression_holds() {
    all_hold(run_project("regression", &[]), 6);
}

#[test]
fn a_folder_of_specs_holds_without_any_rust() {
    let outcome = run_specs(&project("declared").join("specs"), &[]).exits_with(0);
    // Three programs with the tests of their task, two with the whole checklist; what a program has nothing of is skipped,
    // and nothing else is.
    let nowhere = [
        "device_parity",
        "gradient_clipping",
        "loss_terms",
        "lr_schedule",
        "padding_invariance",
        "regression",
        "regularization",
    ];
    let images = ["activation_scale", "causality", "dropout", "order_dependence", "saturation"];
    let tokens = ["batch_norm", "nonlinearity"];
    let mut passed = 0;
    for event in outcome.properties() {
        let text = |key: &str| event[key].as_str().unwrap_or_default();
        let (spec, property) = (text("spec"), text("property"));
        // Only some machines have a GPU.
        if property == "device_parity" {
            assert!(["pass", "skipped"].contains(&text("verdict")), "{event}");
            continue;
        }
        let nothing_to_see = match spec {
            "checklist" => nowhere.contains(&property) || images.contains(&property),
            "transformer" => nowhere.contains(&property) || tokens.contains(&property),
            _ => false,
        };
        assert_eq!(text("verdict"), if nothing_to_see { "skipped" } else { "pass" }, "{event}");
        assert_ne!(text("message"), "", "{event}");
        passed += usize::from(!nothing_to_see);
    }
    assert_eq!(passed, 81, "{outcome}");
}

/// Verdict and causes of one property.
fn told(outcome: &Outcome, spec: &str, property: &str) -> (String, Vec<String>) {
    let event = outcome.property(spec, property);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&event["verdict"]), event["causes"].as_array().into_iter().flatten().map(text).collect())
}

#[test]
fn what_is_broken_fails_for_its_own_reason() {
    let outcome = run_project("broken", &[]).exits_with(1);
    let first = |spec: &str, property: &str| {
        let (verdict, causes) = told(&outcome, spec, property);
        assert_eq!(verdict, "fail", "{spec}::{property}\n{outcome}");
        causes.into_iter().next().unwrap_or_else(|| panic!("{spec}::{property} has no cause\n{outcome}"))
    };
    // The softmax sets a floor to the loss: 1 - 1 + ln(e + 9) - 1 = 1.4612.
    assert_eq!(first("softmax", "overfit"), "output_activation");
    assert_eq!(first("both", "overfit"), "output_activation");
    // One step of the high rate is enough to kill every unit; after that, nothing moves and nothing is learnt.
    assert_eq!(first("rate", "update_ratio"), "learning_rate_high");
    assert_eq!(first("rate", "learns"), "learning_rate_high");
    // And nothing is said of what is sound.
    for spec in ["softmax", "rate", "both"] {
        for property in ["initial_loss", "finite", "parameters_update"] {
            assert_eq!(told(&outcome, spec, property), ("pass".to_owned(), Vec::new()), "{spec}::{property}");
        }
    }
    assert_eq!(told(&outcome, "softmax", "update_ratio").0, "pass");
}

#[test]
fn a_failure_is_told_with_its_place_number_band_and_cure() {
    let manifest = nncheck_tests::manifest("broken");
    let outcome = nncheck_tests::nncheck(&["run", "--manifest-path", &manifest, "softmax::overfit"]).exits_with(1);
    let _told = outcome.says(&["softmax::overfit", "specs/softmax.toml:", "1.46", "0.1", "softmax", "remove it"]);
}
