//! Training programs of the user's own: what is sound passes, and each twin with a mistake fails and names its cause.

use nncheck_tests::{Outcome, run_project};

/// Every property of a spec holds.
fn holds(outcome: &Outcome, spec: &str) {
    let judged: Vec<_> = outcome.properties().into_iter().filter(|event| event["spec"] == spec).collect();
    assert!(!judged.is_empty(), "{spec} is not run\n{outcome}");
    for event in judged {
        assert_eq!(event["verdict"], "pass", "{event}");
    }
}

/// A property of a twin fails, and the cause is its first or second.
fn names(outcome: &Outcome, spec: &str, property: &str, cause: &str) {
    let event = outcome.property(spec, property);
    assert_eq!(event["verdict"], "fail", "{spec}::{property}: {event}");
    let causes: Vec<&str> = event["causes"].as_array().into_iter().flatten().filter_map(|c| c.as_str()).collect();
    assert!(causes.iter().take(2).any(|named| *named == cause), "{spec}::{property} names {causes:?}, not {cause}");
}

#[test]
fn two_networks_with_two_optimizers() {
    let outcome = run_project("gan", &[]).exits_with(1);
    holds(&outcome, "gan");
    names(&outcome, "twins.detached", "parameters_update", "no_gradient");
    names(&outcome, "twins.swapped", "parameters_update", "not_in_optimizer");
    assert_eq!(outcome.property("twins.detached", "parameters_update")["at"], "generator.first.bias");
}

#[test]
fn a_model_of_two_inputs() {
    let outcome = run_project("multi_input", &[]).exits_with(1);
    holds(&outcome, "masked");
    names(&outcome, "twins.inverted", "learns", "labels_do_not_belong");
    names(&outcome, "twins.detached", "parameters_update", "no_gradient");
    assert_eq!(outcome.property("twins.detached", "parameters_update")["at"], "embedding.weight");
}

#[test]
fn a_step_a_loss_an_optimizer_and_data_of_ones_own() {
    let outcome = run_project("own_step", &[]).exits_with(1);
    holds(&outcome, "classifier");
    holds(&outcome, "regression");
    names(&outcome, "twins.no_zero_grad", "gradient_accumulation", "not_cleared");
    names(&outcome, "twins.uphill", "learns", "flipped_sign");
    names(&outcome, "twins.misaligned", "learns", "labels_do_not_belong");
    names(&outcome, "twins.half_optimizer", "parameters_update", "not_in_optimizer");
    names(&outcome, "twins.wrong_axis", "loss_function", "wrong_axis");
    names(&outcome, "twins.broadcast", "loss_function", "broadcast");
}
