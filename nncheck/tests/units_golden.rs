//! Units, gradients and activations held against PyTorch, which computed `tests/golden/mlp.json` and `convnet.json`: statistics
//! of every rectifier, dead units, gradient norms.

use std::path::PathBuf;

use nncheck::measure::{Job, measure};
use nncheck::subject::Tensors;
use nncheck::{Bindings, Dataset};
use nncheck_core::measurement::trace::Inputs;
use nncheck_core::measurement::{Measurement, Request, Trace, TraceAsk, Units, UnitsAsk};
use nncheck_core::suite::{Overrides, from_texts};
use serde_json::Value;
use tch::Tensor;

const MLP: &str = "{ linear = { out = 32 }, name = 'hidden' }, 'relu', { linear = { out = 10 }, name = 'head' }";

const CONVNET: &str = "{ conv2d = { out = 8, kernel = 3, padding = 1 }, name = 'conv1' }, { batch_norm2d = {}, name = 'bn1' }, \
    { relu = {}, name = 'relu1' }, { max_pool2d = { kernel = 2 } }, \
    { conv2d = { out = 16, kernel = 3, padding = 1 }, name = 'conv2' }, { relu = {}, name = 'relu2' }, \
    { adaptive_avg_pool2d = { size = 1 } }, 'flatten', { linear = { out = 10 }, name = 'head' }";

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(name)
}

/// Takes measurements of the recorded model with its 64 digits, in double precision.
fn run(model: &'static str, layers: &str, request: &Request, parts: &[Request]) -> Vec<(usize, Measurement)> {
    let weights = golden(&format!("{model}.safetensors"));
    let text = format!(
        "[run]\ndtype = 'float64'\n[model]\nlayers = [{layers}]\nweights = {{ file = {weights:?}, ignore = ['x', 'y'] }}\n\
         [data]\nfunction = 'golden::data'\nclasses = 10\nbatch = 64\nshuffle = false\nsplit = 1.0\n\
         [loss]\nkind = 'cross_entropy'\n[optimizer]\nkind = 'sgd'\nlr = 0.1\n[property.update_ratio]\n"
    );
    let suite = from_texts(&[("golden", &text)], &Overrides::default());
    let suite = suite.unwrap_or_else(|errors| panic!("{text}\n{errors:#?}"));
    let subject = &suite.specs[0].subject;
    let bindings = Bindings::new().data("golden::data", move || {
        let tensors = Tensor::read_safetensors(golden(&format!("{model}.safetensors"))).unwrap();
        let tensor = |name: &str| tensors.iter().find(|(entry, _)| entry == name).unwrap().1.shallow_clone();
        Dataset::new(tensor("x"), tensor("y"))
    });
    let data = Tensors::load(subject, &bindings).unwrap();
    let mut taken = Vec::new();
    let job = Job { request, parts, seed: 0 };
    measure(subject, &data, &bindings, job, &mut || (), &mut |at, part| taken.push((at, part.unwrap()))).unwrap();
    taken
}

fn measured(model: &'static str, layers: &str, request: &Request) -> Measurement {
    run(model, layers, request, std::slice::from_ref(request)).remove(0).1
}

fn recorded(model: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(golden(&format!("{model}.json"))).unwrap()).unwrap()
}

#[track_caller]
fn agree(ours: f64, theirs: &Value) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs() + 1e-12, "{ours} is not {theirs}");
}

fn units_agree(model: &'static str, layers: &str) {
    let measured = measured(model, layers, &UnitsAsk { rows: 1024, after: 0 }.into());
    let units: &Units = measured.get().unwrap();
    assert_eq!((units.rows, &units.cannot), (64, &None));
    let rectifiers: Vec<_> = units.layers.iter().filter(|layer| layer.operator == "relu").collect();
    let expected = recorded(model)["relu"].as_array().unwrap().clone();
    assert_eq!(rectifiers.len(), expected.len());
    for (layer, expected) in rectifiers.into_iter().zip(&expected) {
        agree(layer.mean, &expected["mean"]);
        agree(layer.std, &expected["std"]);
        agree(layer.zero_fraction, &expected["zero_fraction"]);
        agree(layer.dead, &expected["dead_units"]);
    }
}

fn gradients_and_activations_agree(model: &'static str, layers: &str) {
    let ask = TraceAsk { inputs: Inputs::Real, steps: 1, watched: 1 };
    let measured = measured(model, layers, &ask.into());
    let trace: &Trace = measured.get().unwrap();
    let recorded = recorded(model);
    let watched = trace.steps[0].watched.as_ref().unwrap();
    agree(trace.steps[0].loss, &recorded["loss_mean"]);
    for (parameter, norm) in trace.parameters.iter().zip(&watched.gradient_norm) {
        agree(norm.unwrap(), &recorded["grad_norm"][&parameter.name]);
    }
    let rectifiers = watched.activations.iter().zip(&trace.layers).filter(|(_, layer)| layer.operator == "relu");
    for ((seen, _), expected) in rectifiers.zip(recorded["relu"].as_array().unwrap()) {
        agree(seen.mean, &expected["mean"]);
        agree(seen.std, &expected["std"]);
        agree(seen.zero_fraction, &expected["zero_fraction"]);
    }
}

#[test]
fn the_units_of_the_mlp_are_those_that_pytorch_saw() {
    units_agree("mlp", MLP);
}

#[test]
fn the_units_of_the_convnet_are_those_that_pytorch_saw() {
    units_agree("convnet", CONVNET);
}

#[test]
fn gradients_and_activations_of_a_step_are_those_that_pytorch_saw() {
    gradients_and_activations_agree("mlp", MLP);
    gradients_and_activations_agree("convnet", CONVNET);
}

#[test]
fn looking_at_units_on_the_way_changes_nothing_of_the_training() {
    let ask = TraceAsk { inputs: Inputs::Real, steps: 6, watched: 6 };
    let alone = measured("convnet", CONVNET, &ask.clone().into());
    // The same run, with the units looked at after the third step, in train mode.
    let request: Request = ask.into();
    let parts = [UnitsAsk { rows: 64, after: 3 }.into(), request.clone()];
    let taken = run("convnet", CONVNET, &request, &parts);
    assert_eq!(taken.len(), 2);
    assert!(matches!(&taken[0], (0, Measurement::Units(units)) if units.layers.len() > 5));
    assert_eq!(taken[1], (1, alone));
}
