//! The numbers agree with PyTorch's: the loss at initialisation and the update ratio of every parameter, in float64, for
//! every optimizer, against values that an independent program computed (`golden/`).

use std::fs;

use nncheck_tests::{Outcome, Scratch, loss_and_steps, repository, run_specs, spec_of_64_digits};
use serde_json::Value;

/// The optimizers of the golden values, as a spec writes them.
const OPTIMIZERS: [(&str, &str); 6] = [
    ("sgd_lr0.1", "kind = \"sgd\"\nlr = 0.1"),
    ("sgd_momentum0.9_lr0.05", "kind = \"sgd\"\nlr = 0.05\nmomentum = 0.9"),
    ("sgd_nesterov0.9_lr0.05", "kind = \"sgd\"\nlr = 0.05\nmomentum = 0.9\nnesterov = true"),
    ("adam_lr1e-3", "kind = \"adam\"\nlr = 1e-3"),
    ("adamw_lr1e-3_wd1e-2", "kind = \"adamw\"\nlr = 1e-3\nweight_decay = 1e-2"),
    ("rmsprop_lr1e-3", "kind = \"rmsprop\"\nlr = 1e-3"),
];

const MLP: &str = r#"
    { linear = { out = 32 }, name = "hidden" },
    "relu",
    { linear = { out = 10 }, name = "head" },
"#;

const CONVNET: &str = r#"
    { conv2d = { out = 8, kernel = 3, padding = 1 }, name = "conv1" },
    { batch_norm2d = {}, name = "bn1" },
    { relu = {}, name = "relu1" },
    { max_pool2d = { kernel = 2 } },
    { conv2d = { out = 16, kernel = 3, padding = 1 }, name = "conv2" },
    { relu = {}, name = "relu2" },
    { adaptive_avg_pool2d = { size = 1 } },
    "flatten",
    { linear = { out = 10 }, name = "head" },
"#;

/// A bias in front of batch norm is redundant: its gradient is rounding noise of about 1e-15, which Adam and RMSprop,
/// dividing by 1e-8, turn into ratios of about 1e-10. No two implementations agree in noise.
const NOISE: (&str, f64) = ("conv1.bias", 1e-9);

fn golden(model: &str) -> Value {
    let path = repository().join("tests/golden").join(model).with_extension("json");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Runs one spec for each optimizer, with a property for each step of the golden values.
fn measured(model: &str, layers: &str, shape: &str, golden: &Value) -> Outcome {
    let weights = repository().join("tests/golden").join(model).with_extension("safetensors");
    let mut folder = Scratch::new();
    for (name, optimizer) in OPTIMIZERS {
        let steps = golden["update_ratio"][name].as_array().map_or(0, Vec::len);
        assert!(steps > 0, "there are golden values for {name}");
        let model = format!("layers = [{layers}]\nweights = {{ file = {weights:?}, ignore = [\"x\", \"y\"] }}");
        let spec = spec_of_64_digits(&model, shape, optimizer, &loss_and_steps(steps));
        folder = folder.with(&format!("{}.toml", spec_name(name)), &spec);
    }
    run_specs(folder.path(), &[])
}

/// Names of specs have no dots.
fn spec_name(optimizer: &str) -> String {
    optimizer.replace('.', "_")
}

fn agrees(measured: &Value, golden: &Value, noise: f64) -> bool {
    match (measured.as_f64(), golden.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= (1e-9 * b.abs() + 1e-12).max(noise),
        _ => measured.is_null() && golden.is_null(),
    }
}

/// Whether verdicts are pass or fail is not the question here: only the numbers are.
fn holds_against_golden_values(model: &str, layers: &str, shape: &str) {
    let golden = golden(model);
    let outcome = measured(model, layers, shape, &golden);
    let mut compared = 0;
    for (name, _) in OPTIMIZERS {
        let spec = spec_name(name);
        let loss = &outcome.property(&spec, "initial_loss")["value"];
        assert!(agrees(loss, &golden["loss_mean"], 0.0), "loss under {name}: {loss} is not {}", golden["loss_mean"]);
        for (step, expected) in golden["update_ratio"][name].as_array().into_iter().flatten().enumerate() {
            let event = outcome.property(&spec, &format!("step_{step}"));
            for (parameter, expected) in expected["ratio"].as_object().into_iter().flatten() {
                let noise = if parameter == NOISE.0 { NOISE.1 } else { 0.0 };
                let ratio = event["by"].get(parameter).unwrap_or_else(|| panic!("no {parameter}: {event}"));
                assert!(
                    agrees(ratio, expected, noise),
                    "{model}, {name}, step {step}, {parameter}: {ratio} is not {expected}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared >= 6 * 2 * 4, "only {compared} ratios were compared");
}

#[test]
fn a_perceptron_starts_and_steps_as_in_pytorch_under_every_optimizer() {
    holds_against_golden_values("mlp", MLP, "[64]");
}

#[test]
fn a_convnet_starts_and_steps_as_in_pytorch_under_every_optimizer() {
    holds_against_golden_values("convnet", CONVNET, "[1, 8, 8]");
}
