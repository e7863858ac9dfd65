//! Layers and weights held against PyTorch: values that `tests/golden` has from an implementation that shares no code
//! with this one, and closed forms.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use nncheck::subject::{layers, weights};
use nncheck_core::diagnostic::{Located, Span};
use nncheck_core::spec::layer::{Layer, infer, parameter_names};
use serde_json::{Value, json};
use tch::nn::{ModuleT, VarStore};
use tch::{Device, Kind, Reduction, Tensor};

fn golden_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(name)
}

fn golden(case: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(golden_file(&format!("{case}.json"))).unwrap()).unwrap()
}

fn tensors(case: &str) -> BTreeMap<String, Tensor> {
    Tensor::read_safetensors(golden_file(&format!("{case}.safetensors"))).unwrap().into_iter().collect()
}

/// Layers with their shapes inferred; `null` is no name.
fn inferred(spec: &Value, shape: &[usize]) -> (Vec<Layer>, Vec<usize>) {
    let layers: Vec<Located<Layer>> = spec
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| {
            let name = layer[0].as_str().map(str::to_owned);
            Located::new(
                Layer { name, init: Default::default(), kind: serde_json::from_value(layer[1].clone()).unwrap() },
                Span::default(),
            )
        })
        .collect();
    let inferred = infer(&layers, shape).unwrap();
    (inferred.layers, inferred.output)
}

/// Draws random numbers from `seed` on: libtorch's generator is one for all threads, and so for all tests here.
fn seeded<T>(seed: i64, draw: impl FnOnce() -> T) -> T {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap();
    tch::manual_seed(seed);
    draw()
}

fn built(spec: &Value, shape: &[usize]) -> (VarStore, layers::Sequential) {
    built_from(0, spec, shape)
}

fn built_from(seed: i64, spec: &Value, shape: &[usize]) -> (VarStore, layers::Sequential) {
    let mut store = VarStore::new(Device::Cpu);
    store.set_kind(Kind::Double);
    let layers = inferred(spec, shape).0;
    let net = seeded(seed, || layers::build(&store.root(), &layers));
    // Running statistics are made in single precision.
    store.double();
    (store, net)
}

fn mlp() -> Value {
    json!([["hidden", {"linear": {"in": 64, "out": 32}}], ["relu", {"relu": {}}], ["head", {"linear": {"out": 10}}]])
}

fn convnet() -> Value {
    json!([
        ["conv1", {"conv2d": {"out": 8, "kernel": 3, "padding": 1}}],
        ["bn1", {"batch_norm2d": {}}],
        ["relu1", {"relu": {}}],
        ["pool", {"max_pool2d": {"kernel": 2}}],
        ["conv2", {"conv2d": {"in": 8, "out": 16, "kernel": [3, 3], "padding": 1}}],
        ["relu2", {"relu": {}}],
        ["gap", {"adaptive_avg_pool2d": {"size": 1}}],
        ["flatten", {"flatten": {}}],
        ["head", {"linear": {"out": 10}}],
    ])
}

#[track_caller]
fn assert_close(what: &str, ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs() + 1e-12, "{what}: {ours} here, {theirs} in PyTorch");
}

/// The loss, the accuracy and the gradients of a first step in train mode.
fn assert_as_golden(case: &str, spec: &Value, shape: &[usize]) -> VarStore {
    let (store, net) = built(spec, shape);
    let file = golden_file(&format!("{case}.safetensors"));
    weights::load(&store, &file, &["x".to_owned(), "y".to_owned()]).unwrap();
    let (tensors, golden) = (tensors(case), golden(case));
    let output = net.forward_t(&tensors["x"], true);
    let loss = output.cross_entropy_loss::<Tensor>(&tensors["y"], None, Reduction::Mean, -100, 0.0);
    loss.backward();
    assert_close("loss", loss.double_value(&[]), golden["loss_mean"].as_f64().unwrap());
    let right = output.argmax(1, false).eq_tensor(&tensors["y"]).to_kind(Kind::Double).mean(Kind::Double);
    assert_close("accuracy", right.double_value(&[]), golden["accuracy"].as_f64().unwrap());
    let expected = golden["grad_norm"].as_object().unwrap();
    let variables = store.variables();
    assert_eq!(variables.values().filter(|v| v.requires_grad()).count(), expected.len());
    for (name, norm) in expected {
        assert_close(name, variables[name].grad().norm().double_value(&[]), norm.as_f64().unwrap());
    }
    store
}

#[test]
fn the_mlp_has_pytorchs_loss_and_gradients() {
    let _store = assert_as_golden("mlp", &mlp(), &[64]);
}

#[test]
fn the_convnet_has_pytorchs_loss_gradients_and_running_statistics() {
    let store = assert_as_golden("convnet", &convnet(), &[1, 8, 8]);
    for which in ["running_mean", "running_var"] {
        let variable = &store.variables()[&format!("bn1.{which}")];
        let golden = golden("convnet");
        for (channel, expected) in golden["bn1_after_one_forward"][which].as_array().unwrap().iter().enumerate() {
            let ours = variable.double_value(&[i64::try_from(channel).unwrap()]);
            assert_close(which, ours, expected.as_f64().unwrap());
        }
    }
}

#[test]
fn one_seed_draws_the_parameters_that_pytorch_draws() {
    // The seeds of tests/golden, with which the models there were made.
    for (case, spec, shape, seed) in [("mlp", mlp(), &[64][..], 7), ("convnet", convnet(), &[1, 8, 8], 8)] {
        let (store, _net) = built_from(seed, &spec, shape);
        let theirs = tensors(case);
        for (name, ours) in store.variables() {
            let mut theirs = theirs[&name].shallow_clone();
            let mut ours = ours.detach();
            if name == "hidden.bias" {
                // Five units were switched off by hand there.
                (ours, theirs) = (ours.narrow(0, 5, 27), theirs.narrow(0, 5, 27));
            }
            assert!(ours.equal(&theirs), "{case} {name}");
        }
    }
}

#[test]
fn layers_without_a_name_are_named_by_their_index() {
    let spec = json!([[null, {"linear": {"out": 3}}], [null, {"relu": {}}], [null, {"batch_norm1d": {}}]]);
    let mut names: Vec<String> = built(&spec, &[2]).0.variables().into_keys().collect();
    names.sort();
    assert_eq!(names, ["0.bias", "0.weight", "2.bias", "2.running_mean", "2.running_var", "2.weight"]);
}

#[test]
fn what_is_inferred_is_what_comes_out() {
    let cases = [
        (
            json!([[null, {"conv2d": {"out": 6, "kernel": [3, 2], "stride": [2, 1], "padding": [1, 0], "dilation": [1, 2], "groups": 2, "bias": false}}]]),
            vec![4, 9, 10],
        ),
        (json!([[null, {"max_pool2d": {"kernel": 3, "stride": 2, "padding": 1}}]]), vec![2, 8, 7]),
        (json!([[null, {"max_pool2d": {"kernel": 2, "stride": 2, "ceil_mode": true}}]]), vec![2, 7, 5]),
        (json!([[null, {"max_pool2d": {"kernel": 2, "dilation": 2}}]]), vec![2, 7, 9]),
        (json!([[null, {"adaptive_avg_pool2d": {"size": [3, 2]}}]]), vec![2, 7, 9]),
        (json!([[null, {"flatten": {"start": 2}}]]), vec![2, 3, 4]),
        (json!([[null, {"linear": {"out": 5, "bias": false}}]]), vec![2, 3, 4]),
        (json!([[null, {"batch_norm1d": {}}]]), vec![3, 5]),
        (json!([[null, {"softmax": {"dim": 1}}]]), vec![3, 5]),
    ];
    for (spec, shape) in cases {
        let (_store, net) = built(&spec, &shape);
        let size: Vec<i64> = std::iter::once(4).chain(shape.iter().map(|&d| i64::try_from(d).unwrap())).collect();
        let output = net.forward_t(&Tensor::ones(size, (Kind::Double, Device::Cpu)), true).size();
        let expected: Vec<i64> = inferred(&spec, &shape).1.iter().map(|&d| i64::try_from(d).unwrap()).collect();
        assert_eq!(output[0], 4, "{spec}");
        assert_eq!(output[1..], expected, "{spec}");
    }
}

#[test]
fn activations_are_their_closed_forms() {
    let x = [-2.0_f64, -0.5, 0.0, 1.5];
    let run = |spec: Value| -> Vec<f64> {
        let (_store, net) = built(&json!([[null, spec]]), &[4]);
        Vec::try_from(net.forward_t(&Tensor::from_slice(&x).reshape([1, 4]), true).reshape([4])).unwrap()
    };
    let same = |spec: Value, expected: &dyn Fn(f64) -> f64| {
        for (ours, &x) in run(spec.clone()).into_iter().zip(&x) {
            assert!((ours - expected(x)).abs() < 1e-12, "{spec} of {x}: {ours}, {} expected", expected(x));
        }
    };
    let sum: f64 = x.iter().map(|x| x.exp()).sum();
    same(json!({"relu": {}}), &|x| x.max(0.0));
    same(json!({"tanh": {}}), &f64::tanh);
    same(json!({"sigmoid": {}}), &|x| 1.0 / (1.0 + (-x).exp()));
    same(json!({"softmax": {}}), &|x| x.exp() / sum);
    same(json!({"log_softmax": {}}), &|x| x - sum.ln());
    let by_tanh = |x: f64| 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x)).tanh());
    same(json!({"gelu": {"approximate": "tanh"}}), &by_tanh);
    // The error function is odd, so gelu(x) - gelu(-x) = x; and gelu(1.5) = 1.5 Phi(1.5), Phi(1.5) from tables.
    let gelu = run(json!({"gelu": {}}));
    assert!((gelu[3] - 1.5 * 0.933_192_798_731_141_9).abs() < 1e-12, "{gelu:?}");
    assert!((gelu[0] - by_tanh(-2.0)).abs() > 1e-6, "exact and approximate gelu differ");
}

#[test]
fn dropout_scales_survivors_in_train_mode_and_does_nothing_in_eval_mode() {
    let (_store, net) = built(&json!([[null, {"dropout": {"p": 0.25}}]]), &[1000]);
    let x = Tensor::ones([10, 1000], (Kind::Double, Device::Cpu));
    assert!(net.forward_t(&x, false).equal(&x));
    let dropped = seeded(0, || net.forward_t(&x, true));
    let zeros = dropped.eq(0.0).to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
    // Five standard deviations of a share out of 10,000.
    assert!((zeros - 0.25).abs() < 5.0 * (0.25_f64 * 0.75 / 10_000.0).sqrt(), "{zeros}");
    assert!((dropped.max().double_value(&[]) - 4.0 / 3.0).abs() < 1e-12);
}

#[test]
fn batch_norm_uses_running_statistics_in_eval_mode_if_it_has_them() {
    let x = Tensor::from_slice(&[1.0, 3.0, 10.0, 30.0]).reshape([2, 2]).transpose(0, 1);
    let (store, net) = built(&json!([["bn", {"batch_norm1d": {"momentum": 0.5, "eps": 0.0}}]]), &[2]);
    let first = net.forward_t(&x, true);
    assert_eq!(first.double_value(&[0, 0]), -1.0);
    // Half of mean 2 and of unbiased variance 2, beside half of the initial 0 and 1.
    assert_eq!(store.variables()["bn.running_mean"].double_value(&[0]), 1.0);
    assert_eq!(store.variables()["bn.running_var"].double_value(&[0]), 1.5);
    let eval = net.forward_t(&x, false).double_value(&[0, 0]);
    assert!(eval.abs() < 1e-12, "(1 - 1) / sqrt(1.5) is 0, not {eval}");
    assert_eq!(store.variables()["bn.running_mean"].double_value(&[0]), 1.0, "eval mode moves nothing");

    let spec = json!([["bn", {"batch_norm1d": {"affine": false, "track_running_stats": false, "eps": 0.0}}]]);
    let (store, net) = built(&spec, &[2]);
    assert!(store.variables().is_empty());
    assert_eq!(net.forward_t(&x, false).double_value(&[0, 0]), -1.0);
}

#[test]
#[should_panic(expected = "batch norm needs more than one value a channel")]
fn batch_norm_refuses_a_single_value_in_train_mode() {
    let (_store, net) = built(&json!([[null, {"batch_norm1d": {}}]]), &[2]);
    let _output = net.forward_t(&Tensor::ones([1, 2], (Kind::Double, Device::Cpu)), true);
}

#[test]
fn the_names_of_parameters_are_known_before_they_are_made() {
    let cases = [
        (mlp(), vec![64]),
        (convnet(), vec![1, 8, 8]),
        (
            json!([
                ["a", {"conv1d": {"out": 4, "kernel": 3, "bias": false}}],
                [null, {"group_norm": {"groups": 2}}],
                ["r", {"residual": {"layers": [{"value": {"name": null, "kind": {"group_norm": {"groups": 2}}}, "span": {"start": 0, "end": 0}}]}}],
                [null, {"batch_norm1d": {"affine": false}}],
            ]),
            vec![2, 9],
        ),
        (
            json!([
                ["e", {"embedding": {"size": 7, "dim": 8}}],
                [null, {"lstm": {"hidden": 6, "num_layers": 2, "bidirectional": true}}],
                ["g", {"gru": {"hidden": 8, "bias": false}}],
                ["m", {"multihead_attention": {"heads": 2}}],
                ["n", {"multihead_attention": {"heads": 2, "bias": false}}],
                ["t", {"transformer_encoder_layer": {"heads": 2, "hidden": 16}}],
                ["u", {"transformer_encoder_layer": {"heads": 2, "hidden": 16, "bias": false}}],
                ["l", {"layer_norm": {"bias": false}}],
                ["k", {"layer_norm": {"elementwise_affine": false}}],
            ]),
            vec![5],
        ),
    ];
    for (spec, shape) in cases {
        let (store, _net) = built(&spec, &shape);
        let mut made: Vec<String> =
            store.variables().into_iter().filter(|(_, v)| v.requires_grad()).map(|(name, _)| name).collect();
        made.sort();
        let located: Vec<Located<Layer>> =
            inferred(&spec, &shape).0.into_iter().map(|layer| Located::new(layer, Span::default())).collect();
        let mut known = parameter_names(&located);
        known.sort();
        assert_eq!(known, made);
    }
}
