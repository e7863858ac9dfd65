//! Range tests, short trainings and the gradient noise scale held against PyTorch in double precision: `tests/golden/tuning.json` (see
//! `tests/golden/make/tuning.py`) and `tests/golden/mlp.json`.

use std::path::PathBuf;

use nncheck::Bindings;
use nncheck::measure::{Job, measure};
use nncheck::subject::Tensors;
use nncheck_core::measurement::noise_scale::NoiseScaleAsk;
use nncheck_core::measurement::{LrRangeAsk, Measurement, Request, Trial, TrialsAsk};
use nncheck_core::spec::optimizer::{Adam, OptimizerKind, Rmsprop, Sgd};
use nncheck_core::suite::{Overrides, from_texts};
use serde_json::Value;

fn tests() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests")
}

fn golden(name: &str) -> Value {
    let file = tests().join("golden").join(name);
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// One answer for the perceptron of the golden values on the first digits.
fn taken(rows: usize, optimizer: &str, request: impl Into<Request>) -> Measurement {
    let (weights, digits) = (tests().join("golden/mlp.safetensors"), tests().join("projects/digits/data/digits.csv"));
    let text = format!(
        r#"[model]
layers = [{{ linear = {{ out = 32 }}, name = "hidden" }}, "relu", {{ linear = {{ out = 10 }}, name = "head" }}]
weights = {{ file = {weights:?}, ignore = ["x", "y"] }}
[data]
csv = {digits:?}
target = "label"
scale = 0.0625
take = {rows}
split = 1.0
shuffle = false
batch = 64
[loss]
kind = "cross_entropy"
[optimizer]
{optimizer}
[run]
dtype = "float64"
[property.initial_loss]
"#
    );
    let suite = from_texts(&[("tuning", &text)], &Overrides::default()).unwrap_or_else(|e| panic!("{e:#?}"));
    let subject = &suite.specs[0].subject;
    let bindings = Bindings::new();
    let data = Tensors::load(subject, &bindings).unwrap();
    let request = request.into();
    let parts = [request.clone()];
    let job = Job { request: &request, parts: &parts, seed: 0 };
    let mut answer = None;
    measure(subject, &data, &bindings, job, &mut || {}, &mut |_, measured| answer = Some(measured.unwrap())).unwrap();
    answer.unwrap()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &Value) {
    let expected: Vec<f64> = expected.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    assert_eq!(found.len(), expected.len());
    for (index, (f, e)) in found.iter().zip(&expected).enumerate() {
        assert!((f - e).abs() <= 1e-9 * e.abs() + 1e-12, "number {index}: {f} instead of {e}");
    }
}

#[test]
fn the_curve_of_a_range_test_is_pytorchs() {
    let golden = golden("tuning.json");
    for (name, optimizer) in [("sgd", "kind = \"sgd\"\nlr = 0.1"), ("adam", "kind = \"adam\"\nlr = 1e-3")] {
        let expected = &golden["range"][name];
        let number = |key: &str| expected[key].as_f64().unwrap();
        let ask = LrRangeAsk { low: number("low"), high: number("high"), steps: 40, rows: 64 };
        let Measurement::LrRange(seen) = taken(64, optimizer, ask) else { panic!("another kind") };
        assert_eq!((seen.cannot, seen.lr), (None, Some(if name == "sgd" { 0.1 } else { 1e-3 })));
        assert_close(&[seen.start], &Value::from(vec![number("start")]));
        assert_close(&seen.rates, &expected["rates"]);
        assert_close(&seen.losses, &expected["losses"]);
    }
}

#[test]
fn a_schedule_is_left_out_of_a_range_test() {
    let ask = LrRangeAsk { low: 1e-4, high: 1.0, steps: 40, rows: 64 };
    let optimizer = "kind = \"sgd\"\nlr = 0.1\nschedule = { kind = \"cosine\", steps = 5, warmup = 3 }";
    let Measurement::LrRange(seen) = taken(64, optimizer, ask) else { panic!("another kind") };
    assert_eq!(seen.lr, Some(0.1));
    assert_close(&seen.losses, &golden("tuning.json")["range"]["sgd"]["losses"]);
}

#[test]
fn short_trainings_end_where_pytorchs_do() {
    let golden = golden("tuning.json")["trials"].clone();
    let sgd = |lr, momentum| Sgd { lr, momentum, dampening: 0.0, nesterov: false, weight_decay: 0.0, maximize: false };
    let (lr, eps, weight_decay, maximize) = (1e-3, 1e-8, 0.0, false);
    let others = [
        OptimizerKind::Adam(Adam { lr, betas: [0.9, 0.999], eps, weight_decay, amsgrad: false, maximize }),
        OptimizerKind::Sgd(sgd(0.03, 0.9)),
        OptimizerKind::Rmsprop(Rmsprop {
            lr,
            alpha: 0.99,
            eps,
            momentum: 0.0,
            weight_decay,
            centered: false,
            maximize,
        }),
    ];
    let trials = [0.5, 1.0, 2.0].map(Trial::Own).into_iter().chain(others.map(Trial::Other)).collect();
    let ask = TrialsAsk { trials, steps: 20, rows: 64 };
    let Measurement::Trials(seen) = taken(64, "kind = \"sgd\"\nlr = 0.1", ask) else { panic!("another kind") };
    assert_eq!(seen.cannot, None);
    assert_close(&seen.losses[..3], &golden["own"]);
    for (found, name) in seen.losses[3..].iter().zip(["adam", "momentum", "rmsprop"]) {
        assert_close(&[*found], &Value::from(vec![golden[name].as_f64().unwrap()]));
    }
}

#[test]
fn the_gradient_noise_scale_is_that_of_the_gradients_of_single_examples() {
    let ask = NoiseScaleAsk { rows: 256, after: 0 };
    let Measurement::NoiseScale(seen) = taken(256, "kind = \"sgd\"\nlr = 0.1", ask) else { panic!("another kind") };
    assert_eq!((seen.rows, seen.cannot.clone()), (256, None));
    let expected = golden("mlp.json")["gradient_noise_scale_first_256_rows"].clone();
    assert_close(&[seen.simple()], &Value::from(vec![expected]));
}
