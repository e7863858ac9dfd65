//! Saliency, Grad-CAM and the gradients of activations held against PyTorch, which computed `tests/golden/attribution.json`,
//! `mlp.json` and `convnet.json`.

use std::path::PathBuf;

use nncheck::measure::{Job, measure};
use nncheck::subject::Tensors;
use nncheck::{Bindings, Dataset};
use nncheck_core::measurement::trace::Inputs;
use nncheck_core::measurement::{
    ActivationGradients, ActivationGradientsAsk, Attribution, AttributionAsk, Measurement, Request, Taken, TraceAsk,
};
use nncheck_core::suite::{Overrides, from_texts};
use serde_json::Value;
use tch::nn::{self, ModuleT};
use tch::{Kind, Tensor};

const MLP: &str = "layers = [{ linear = { out = 32 }, name = 'hidden' }, 'relu', { linear = { out = 10 }, name = 'head' }]\n\
    weights = { file = 'FOLDER/mlp.safetensors', ignore = ['x', 'y'] }";

const CONVNET: &str = "layers = [{ conv2d = { out = 8, kernel = 3, padding = 1 }, name = 'conv1' }, \
    { batch_norm2d = {}, name = 'bn1' }, 'relu', { max_pool2d = { kernel = 2 } }, \
    { conv2d = { out = 16, kernel = 3, padding = 1 }, name = 'conv2' }, 'relu', { adaptive_avg_pool2d = { size = 1 } }, \
    'flatten', { linear = { out = 10 }, name = 'head' }]\n\
    weights = { file = 'FOLDER/convnet.safetensors', ignore = ['x', 'y'] }";

const SHARED: &str = "builder = 'golden::shared'\nweights = { file = 'FOLDER/attribution.safetensors' }";

const CROSS_ENTROPY: &str = "kind = 'cross_entropy'";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden")
}

fn tensor(file: &str, name: &str) -> Tensor {
    let tensors = Tensor::read_safetensors(folder().join(file)).unwrap();
    tensors.into_iter().find(|(entry, _)| entry == name).unwrap().1
}

/// A layer used twice, a residual connection around both uses, and rectifiers and a sum in place.
#[derive(Debug)]
struct Shared {
    conv1: nn::Conv2D,
    bn1: nn::BatchNorm,
    shared: nn::Conv2D,
    head: nn::Linear,
}

impl Shared {
    fn new(path: &nn::Path) -> Self {
        let config = nn::ConvConfig { padding: 1, ..Default::default() };
        Self {
            conv1: nn::conv2d(path / "conv1", 1, 6, 3, config),
            bn1: nn::batch_norm2d(path / "bn1", 6, nn::BatchNormConfig::default()),
            shared: nn::conv2d(path / "shared", 6, 6, 3, config),
            head: nn::linear(path / "head", 6, 10, nn::LinearConfig::default()),
        }
    }
}

impl ModuleT for Shared {
    fn forward_t(&self, x: &Tensor, train: bool) -> Tensor {
        let h = x.apply(&self.conv1).apply_t(&self.bn1, train).relu_();
        let z = h.apply(&self.shared).tanh().apply(&self.shared).g_add_(&h).relu_();
        z.mean_dim(&[2_i64, 3][..], false, Kind::Double).apply(&self.head)
    }
}

/// The perceptron with the first rows of its head, in place.
#[derive(Debug)]
struct Cut {
    parameters: [Tensor; 4],
}

impl Cut {
    fn new(path: &nn::Path, outputs: i64) -> Self {
        let put = |layer: &str, name: &str| {
            let whole = tensor("mlp.safetensors", &format!("{layer}.{name}"));
            let part = if layer == "head" { whole.narrow(0, 0, outputs) } else { whole };
            (path / layer).var_copy(name, &part)
        };
        Self {
            parameters: [put("hidden", "weight"), put("hidden", "bias"), put("head", "weight"), put("head", "bias")],
        }
    }
}

impl ModuleT for Cut {
    fn forward_t(&self, x: &Tensor, _train: bool) -> Tensor {
        let [weight, bias, head, head_bias] = &self.parameters;
        x.linear(weight, Some(bias)).relu_().linear(head, Some(head_bias))
    }
}

fn bindings() -> Bindings {
    let images = || tensor("convnet.safetensors", "x");
    let flat = move || images().reshape([64, 64]);
    let digits = || tensor("convnet.safetensors", "y");
    Bindings::new()
        .data("golden::images", move || Dataset::new(images(), digits()))
        .data("golden::digits", move || Dataset::new(flat(), digits()))
        .data("golden::even", move || {
            Dataset::new(flat(), digits().remainder(2).eq(0).to_kind(Kind::Double).unsqueeze(1))
        })
        .data("golden::pixels", move || Dataset::new(flat(), flat().narrow(1, 27, 3)))
        .builder("golden::shared", |path: &nn::Path| Shared::new(path))
        .builder("golden::one", |path: &nn::Path| Cut::new(path, 1))
        .builder("golden::three", |path: &nn::Path| Cut::new(path, 3))
}

/// Takes measurements of a model on 64 digits, in double precision.
fn run(model: &str, data: &str, loss: &str, request: &Request, parts: &[Request]) -> Vec<(usize, Measurement)> {
    let model = model.replace("FOLDER", folder().to_str().unwrap());
    let classes = if loss == CROSS_ENTROPY { "classes = 10\n" } else { "" };
    let text = format!(
        "[run]\ndtype = 'float64'\n[model]\n{model}\n[data]\nfunction = 'golden::{data}'\n{classes}batch = 64\n\
         shuffle = false\nsplit = 1.0\n[loss]\n{loss}\n[optimizer]\nkind = 'sgd'\nlr = 0.1\n[property.update_ratio]\n"
    );
    let suite = from_texts(&[("golden", &text)], &Overrides::default());
    let suite = suite.unwrap_or_else(|errors| panic!("{text}\n{errors:#?}"));
    let subject = &suite.specs[0].subject;
    let bindings = bindings();
    let data = Tensors::load(subject, &bindings).unwrap();
    let mut taken = Vec::new();
    let job = Job { request, parts, seed: 0 };
    measure(subject, &data, &bindings, job, &mut || (), &mut |at, part| taken.push((at, part.unwrap()))).unwrap();
    taken
}

fn measured<T: Taken + Clone>(model: &str, data: &str, loss: &str, request: &Request) -> T {
    run(model, data, loss, request, std::slice::from_ref(request)).remove(0).1.get::<T>().unwrap().clone()
}

fn recorded(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join(file)).unwrap()).unwrap()
}

#[track_caller]
fn agree(ours: f64, theirs: &Value) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs() + 1e-12, "{ours} is not {theirs}");
}

#[track_caller]
fn all_agree(ours: &[f64], theirs: &Value) {
    let theirs = theirs.as_array().unwrap();
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).for_each(|(ours, theirs)| agree(*ours, theirs));
}

fn attribution_agrees(name: &str, model: &str, data: &str, loss: &str) -> Attribution {
    let seen: Attribution = measured(model, data, loss, &AttributionAsk { rows: 3, after: 0 }.into());
    let golden = &recorded("attribution.json")[name];
    assert_eq!((seen.rows.len(), &seen.cannot), (3, &None));
    for (at, row) in seen.rows.iter().enumerate() {
        assert_eq!((row.row, row.saliency.len(), row.unseen.len()), (at, 1, 0));
        let shape: &[usize] = if data == "images" { &[1, 8, 8] } else { &[64] };
        assert_eq!((row.saliency[0].input.as_str(), row.saliency[0].shape.as_slice()), ("x", shape));
        all_agree(&row.saliency[0].values, &golden["saliency"][at]);
        let maps = golden["grad_cam"][at].as_array().unwrap();
        let layers =
            |maps: &[Value]| maps.iter().map(|map| map["layer"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(row.grad_cam.iter().map(|map| map.layer.clone()).collect::<Vec<_>>(), layers(maps));
        for (map, golden) in row.grad_cam.iter().zip(maps) {
            assert_eq!(serde_json::json!(map.shape), golden["shape"], "{}", map.layer);
            all_agree(&map.values, &golden["values"]);
        }
    }
    seen
}

fn gradients_agree(name: &str, model: &str, data: &str, loss: &str) {
    let seen: ActivationGradients = measured(model, data, loss, &ActivationGradientsAsk { after: 0 }.into());
    let golden = &recorded("attribution.json")[name]["gradients"];
    assert_eq!((seen.rows, &seen.cannot, seen.unseen.len()), (64, &None, 0));
    let golden = golden.as_array().unwrap();
    assert_eq!(seen.layers.len(), golden.len(), "{:?}", seen.layers);
    for (layer, golden) in seen.layers.iter().zip(golden) {
        assert_eq!((layer.layer.as_str(), layer.shape[0]), (golden["layer"].as_str().unwrap(), 64));
        agree(layer.norm, &golden["norm"]);
        agree(layer.mean, &golden["mean"]);
        agree(layer.std, &golden["std"]);
    }
}

#[test]
fn saliency_and_grad_cam_of_digits_are_those_of_pytorch() {
    let seen = attribution_agrees("mlp", MLP, "digits", CROSS_ENTROPY);
    assert!(seen.rows.iter().all(|row| row.grad_cam.is_empty()), "features have no places");
    let labels: Vec<Option<usize>> = seen.rows.iter().map(|row| row.class).collect();
    let y = tensor("convnet.safetensors", "y");
    assert_eq!(labels, (0..3).map(|row| usize::try_from(y.int64_value(&[row])).ok()).collect::<Vec<_>>());
    all_agree(&seen.rows[0].saliency[0].values, &recorded("mlp.json")["saliency"]);

    let seen = attribution_agrees("convnet", CONVNET, "images", CROSS_ENTROPY);
    let older = recorded("convnet.json");
    all_agree(&seen.rows[0].of_input("x").unwrap().values, &older["saliency"]);
    all_agree(&seen.rows[0].of_layer("conv2").unwrap().values, &older["grad_cam"]);
    assert_eq!(AttributionAsk::default(), AttributionAsk { rows: 1, after: 0 });
}

#[test]
fn layers_used_twice_and_operators_in_place_have_the_maps_and_gradients_of_pytorch() {
    attribution_agrees("shared", SHARED, "images", CROSS_ENTROPY);
    gradients_agree("shared", SHARED, "images", CROSS_ENTROPY);
}

#[test]
fn without_classes_the_output_itself_is_attributed() {
    let (one, three) = ("builder = 'golden::one'", "builder = 'golden::three'");
    let seen = attribution_agrees("binary", one, "even", "kind = 'bce_with_logits'");
    assert_eq!((seen.rows[0].class, seen.rows[0].predicted), (None, None));
    attribution_agrees("regression", three, "pixels", "kind = 'mse'");
    gradients_agree("binary", one, "even", "kind = 'bce_with_logits'");
    gradients_agree("regression", three, "pixels", "kind = 'mse'");
}

#[test]
fn gradients_of_activations_are_those_of_pytorch() {
    gradients_agree("mlp", MLP, "digits", CROSS_ENTROPY);
    gradients_agree("convnet", CONVNET, "images", CROSS_ENTROPY);
}

#[test]
fn looking_on_the_way_changes_nothing_of_the_training() {
    let ask = TraceAsk { inputs: Inputs::Real, steps: 6, watched: 6 };
    for (model, data) in [(CONVNET, "images"), (SHARED, "images")] {
        let request: Request = ask.clone().into();
        let alone = run(model, data, CROSS_ENTROPY, &request, std::slice::from_ref(&request)).remove(0).1;
        let parts =
            [AttributionAsk { rows: 2, after: 3 }.into(), ActivationGradientsAsk { after: 3 }.into(), request.clone()];
        let taken = run(model, data, CROSS_ENTROPY, &request, &parts);
        assert_eq!(taken.len(), 3);
        assert!(matches!(&taken[0].1, Measurement::Attribution(seen) if seen.rows.len() == 2));
        assert!(matches!(&taken[1].1, Measurement::ActivationGradients(seen) if seen.layers.len() > 5));
        assert_eq!(taken[2].1, alone);
    }
}
