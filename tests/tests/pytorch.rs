//! Models that come from Python: the numbers of a TorchScript model are those of the same model declared as layers, and
//! those that PyTorch computed.

use std::fs;

use nncheck_tests::{Outcome, Scratch, loss_and_steps, project, repository, run_specs, spec_of_64_digits};
use serde_json::Value;

const MLP: &str = r#"layers = ["flatten", { linear = { out = 32 }, name = "hidden" }, "relu", { linear = { out = 10 }, name = "head" }]
weights = "#;

fn file(name: &str) -> String {
    format!("{:?}", project("pytorch").join(name))
}

/// A spec of the first 64 digits in the order of the file.
fn spec(model: &str, properties: &str) -> String {
    spec_of_64_digits(model, "[1, 8, 8]", "kind = \"sgd\"\nlr = 0.05\nmomentum = 0.9", properties)
}

#[test]
fn a_scripted_model_and_the_same_layers_measure_bit_for_bit_the_same_with_dropout_and_batch_norm() {
    let outcome = run_specs(&project("pytorch").join("specs"), &[]).exits_with(0);
    for (scripted, declared) in [("mlp", "mlp-layers"), ("convnet", "convnet-layers")] {
        for property in ["initial_loss", "overfit", "update_ratio", "finite", "parameters_update", "learns"] {
            let events = [outcome.property(scripted, property), outcome.property(declared, property)];
            let numbers = |event: &Value| {
                [event["value"].clone(), event["by"].clone(), event["seeds"].clone(), event["verdict"].clone()]
            };
            assert!(!events[0]["value"].is_null() && events[0]["verdict"] == "pass", "{}", events[0]);
            assert_eq!(numbers(&events[0]), numbers(&events[1]), "{scripted}::{property}");
        }
    }
}

#[test]
fn a_scripted_model_starts_and_steps_as_in_pytorch() {
    let text = fs::read_to_string(repository().join("tests/golden/pytorch.json")).unwrap_or_default();
    let golden: Value = serde_json::from_str(&text).unwrap_or_default();
    let steps = golden["mlp"].as_array().cloned().unwrap_or_default();
    assert_eq!(steps.len(), 3, "there are golden values");
    let properties = loss_and_steps(steps.len());
    let folder = Scratch::new()
        .with("scripted.toml", &spec(&format!("torchscript = {}", file("mlp.pt")), &properties))
        .with("layers.toml", &spec(&format!("{MLP}{}", file("mlp.safetensors")), &properties));
    let outcome = run_specs(folder.path(), &[]);
    for name in ["scripted", "layers"] {
        let near = |ours: &Value, theirs: &Value| {
            let (Some(a), Some(b)) = (ours.as_f64(), theirs.as_f64()) else { panic!("{name}: {ours}, {theirs}") };
            assert!((a - b).abs() <= 1e-9 * b.abs(), "{name}: {a} is not {b}");
        };
        near(&outcome.property(name, "initial_loss")["value"], &steps[0]["loss"]);
        for (index, step) in steps.iter().enumerate() {
            let event = outcome.property(name, &format!("step_{index}"));
            let ratios = step["ratio"].as_object().cloned().unwrap_or_default();
            assert_eq!(ratios.len(), 4);
            for (parameter, ratio) in &ratios {
                near(&event["by"][parameter], ratio);
            }
        }
    }
}

fn told(outcome: &Outcome, words: &[&str]) {
    for word in words {
        assert!(outcome.stdout.contains(word) || outcome.stderr.contains(word), "no `{word}`\n{outcome}");
    }
}

#[test]
fn a_file_that_is_no_torchscript_model_is_refused_before_anything_is_built() {
    let model = format!("torchscript = {}", file("mlp.safetensors"));
    let folder = Scratch::new().with("wrong.toml", &spec(&model, "[property.initial_loss]"));
    let outcome = run_specs(folder.path(), &[]);
    assert_ne!(outcome.code, Some(0));
    told(&outcome, &["is no TorchScript model", "a .safetensors file"]);
}

#[test]
fn an_input_that_does_not_fit_the_model_is_told_with_the_line_of_its_code() {
    let model = format!("torchscript = {}", file("mlp.pt"));
    let wrong =
        spec(&model, "[property.initial_loss]").replace("target = \"label\"", "target = \"label\"\ninputs = [\"p0*\"]");
    let folder = Scratch::new().with("wrong.toml", &wrong.replace("shape = [1, 8, 8]\n", ""));
    let outcome = run_specs(folder.path(), &[]);
    assert_ne!(outcome.code, Some(0));
    told(&outcome, &["mat1 and mat2 shapes cannot be multiplied"]);
}
