//! Watching changes nothing: the losses of a training are the same to the last bit whether nothing else is measured in it,
//! or activations, gradients and updates at every step.

use std::collections::BTreeMap;

use nncheck_tests::{Outcome, project, run_project, run_specs};
use serde_json::Value;

/// The losses after training that `learns` saw, by spec: one a seed, on the inputs and on blank ones.
fn losses(outcome: &Outcome) -> BTreeMap<String, Value> {
    let of = |event: &Value| (event["spec"].to_string(), event["seeds"].clone());
    outcome.properties().iter().filter(|event| event["check"] == "learns").map(of).collect()
}

#[track_caller]
fn unchanged(run: impl Fn(&[&str]) -> Outcome, specs: &[&str]) {
    let filters = |property: &'static str| specs.iter().map(move |spec| format!("{spec}::{property}"));
    // Alone, `learns` trains unwatched; with the others in the same training.
    let alone: Vec<String> = filters("learns").collect();
    let among: Vec<String> =
        ["learns", "update_ratio", "parameters_update", "finite"].into_iter().flat_map(filters).collect();
    let of = |filters: &[String]| losses(&run(&filters.iter().map(String::as_str).collect::<Vec<_>>()));
    let (alone, among_others) = (of(&alone), of(&among));
    assert_eq!(alone.len(), specs.len(), "{alone:?}");
    assert!(alone.values().all(|seeds| seeds.as_array().is_some_and(|seeds| seeds.len() >= 5)), "{alone:?}");
    assert_eq!(alone, among_others);
}

#[test]
fn a_builder_trains_as_it_does_unwatched() {
    unchanged(|more| run_project("digits", more), &["mlp", "convnet"]);
}

#[test]
fn a_step_and_an_optimizer_of_ones_own_train_as_they_do_unwatched() {
    unchanged(|more| run_project("own_step", more), &["classifier"]);
}

#[test]
fn masks_and_several_inputs_train_as_they_do_unwatched() {
    unchanged(|more| run_project("multi_input", more), &["masked"]);
}

#[test]
fn torchscript_trains_as_it_does_unwatched() {
    unchanged(|more| run_specs(&project("pytorch").join("specs"), more), &["convnet", "mlp"]);
}

#[test]
fn declared_layers_recurrent_attentive_and_convolutional_train_as_they_do_unwatched() {
    unchanged(
        |more| run_specs(&project("declared").join("specs"), more),
        &["convnet", "language_model", "transformer"],
    );
}
