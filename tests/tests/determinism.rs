//! The same seed gives the same numbers, bit for bit, whatever runs beside.

use nncheck_tests::{Outcome, run_project};
use serde_json::Value;

fn digits(more: &[&str]) -> Outcome {
    run_project("digits", &[&["--seed", "11"], more].concat()).exits_with(0)
}

/// Property events by test name, in the order of their names.
fn by_name(outcome: &Outcome) -> Vec<(String, Value)> {
    let mut events: Vec<_> = outcome
        .timeless()
        .into_iter()
        .filter(|e| e["event"] == "property")
        .map(|e| (format!("{}::{}", e["spec"], e["property"]), e))
        .collect();
    events.sort_by(|a, b| a.0.cmp(&b.0));
    events
}

#[test]
fn the_same_seed_gives_the_same_output_twice_and_with_any_number_of_workers() {
    let first = digits(&["-j", "1"]);
    assert_eq!(first.timeless(), digits(&["-j", "1"]).timeless(), "twice with one worker");
    assert_eq!(first.timeless(), digits(&["-j", "2"]).timeless(), "with two workers");
    assert_eq!(first.timeless(), digits(&["-j", "5"]).timeless(), "with five workers");
}

#[test]
fn the_order_of_filters_changes_nothing() {
    let one = digits(&["learns", "initial_loss", "mlp::overfit"]);
    let other = digits(&["mlp::overfit", "initial_loss", "learns"]);
    assert_eq!(one.timeless(), other.timeless());
}

#[test]
fn a_property_measured_alone_is_as_among_others() {
    let all = by_name(&digits(&[]));
    for name in ["mlp::initial_loss", "mlp::learns", "mlp::finite", "convnet::update_ratio", "convnet::overfit"] {
        let alone = by_name(&digits(&["--exact", name]));
        assert_eq!(alone.len(), 1, "{name}");
        assert!(all.contains(&alone[0]), "{name} alone: {:?}", alone[0].1);
    }
}

#[test]
fn another_seed_gives_other_numbers() {
    let value = |seed| {
        run_project("digits", &["--seed", seed, "mlp::initial_loss"]).property("mlp", "initial_loss")["value"].clone()
    };
    assert_ne!(value("11"), value("12"));
}
