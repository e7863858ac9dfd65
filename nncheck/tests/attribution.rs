//! Attributions and gradients of activations where they are not a matter of course: tokens, several inputs, positions,
//! TorchScript, programs of the user's own.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nncheck::measure::{Job, measure};
use nncheck::subject::Tensors;
use nncheck::{Batch, Bindings, Dataset, Hyper, Losses, Model, Named, Outputs, Recorder, Setup, Subject};
use nncheck_core::measurement::{
    ActivationGradients, ActivationGradientsAsk, Attribution, AttributionAsk, Measurement, Request, Taken,
};
use nncheck_core::suite::{Overrides, from_texts};
use tch::nn::{self, VarStore};
use tch::{CModule, Device, Kind, Reduction, Tensor};

/// libtorch's generator is one for all threads, and so for all tests here.
fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Numbers that look random and repeat exactly.
fn scattered(shape: &[i64], seed: f64) -> Tensor {
    let count = shape.iter().product::<i64>();
    ((Tensor::arange(count, (Kind::Double, Device::Cpu)) + seed) * 12.9898).sin().reshape(shape)
}

fn ids(shape: &[i64], classes: i64) -> Tensor {
    Tensor::arange(shape.iter().product::<i64>(), (Kind::Int64, Device::Cpu)).remainder(classes).reshape(shape)
}

fn measured<T: Taken + Clone>(bindings: &Bindings, model: &str, rest: &str, request: &Request) -> T {
    let text = format!(
        "[run]\ndtype = 'float64'\n[model]\n{model}\n[data]\nfunction = 'a::data'\nbatch = 8\nshuffle = false\nsplit = 1.0\n\
         {rest}\n[property.data]\n"
    );
    let suite = from_texts(&[("measured", &text)], &Overrides::default());
    let suite = suite.unwrap_or_else(|errors| panic!("{text}\n{errors:#?}"));
    let subject = &suite.specs[0].subject;
    let data = Tensors::load(subject, bindings).unwrap();
    let job = Job { request, parts: std::slice::from_ref(request), seed: 3 };
    let mut found: Option<Measurement> = None;
    measure(subject, &data, bindings, job, &mut || (), &mut |_, part| found = Some(part.unwrap())).unwrap();
    found.unwrap().get::<T>().unwrap().clone()
}

fn attribution(bindings: &Bindings, model: &str, rest: &str) -> Attribution {
    measured(bindings, model, rest, &AttributionAsk::default().into())
}

fn gradients(bindings: &Bindings, model: &str, rest: &str) -> ActivationGradients {
    measured(bindings, model, rest, &ActivationGradientsAsk::default().into())
}

fn layers(seen: &ActivationGradients) -> Vec<&str> {
    seen.layers.iter().map(|layer| layer.layer.as_str()).collect()
}

#[track_caller]
fn close(ours: &[f64], theirs: &Tensor) {
    let theirs = Vec::<f64>::try_from(theirs.detach().reshape([-1])).unwrap();
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert!((ours - theirs).abs() <= 1e-9 * theirs.abs() + 1e-12, "{ours} is not {theirs}");
    }
}

#[test]
fn tokens_have_no_saliency_and_the_layers_behind_them_have_maps() {
    let _turn = alone();
    let bindings = Bindings::new().data("a::data", || Dataset::new(ids(&[8, 6], 5), ids(&[8], 3)));
    let model = "layers = [{ embedding = { size = 5, dim = 4 } }, { reshape = { shape = [4, 6] } }, \
                 { conv1d = { out = 4, kernel = 3 }, name = 'conv' }, 'relu', 'flatten', { linear = { out = 3 } }]";
    let seen = attribution(&bindings, model, "[loss]\nkind = 'cross_entropy'");
    let row = &seen.rows[0];
    assert_eq!((row.saliency[0].values.len(), row.saliency[0].shape.as_slice()), (0, &[6][..]));
    assert_eq!(row.saliency[0].cannot.as_deref(), Some("`x` holds tokens, which cannot be changed by a little"));
    let maps: Vec<_> = row.grad_cam.iter().map(|map| (map.layer.as_str(), map.shape.clone())).collect();
    assert_eq!(maps, [("conv", vec![4]), ("conv.relu", vec![4])]);
}

/// Of a row of numbers, and of one that it does not look at; writes into what it is given.
#[derive(Debug)]
struct TwoInputs(nn::Linear);

impl Model for TwoInputs {
    fn outputs(&self, batch: &Batch, _train: bool) -> Outputs {
        let mut x = batch.input("a").shallow_clone();
        x *= 2.0;
        x.apply(&self.0).into()
    }
}

#[test]
fn each_input_has_its_own_saliency_and_one_that_is_not_looked_at_says_so() {
    let _turn = alone();
    let bindings = Bindings::new()
        .data("a::data", || {
            let inputs: Named = [("a", scattered(&[8, 3], 1.0)), ("b", scattered(&[8, 2], 2.0))].into_iter().collect();
            let targets: Named = [("y", ids(&[8], 4))].into_iter().collect();
            Dataset::named(inputs, targets)
        })
        .builder("a::model", |path: &nn::Path| {
            let config = nn::LinearConfig { ws_init: nn::Init::Const(0.25), ..Default::default() };
            TwoInputs(nn::linear(path / "it", 3, 4, config))
        });
    let seen = attribution(&bindings, "builder = 'a::model'", "[loss]\nkind = 'cross_entropy'");
    let row = &seen.rows[0];
    assert_eq!(row.of_input("a").unwrap().values, [0.5; 3]);
    let unseen = row.of_input("b").unwrap();
    assert_eq!(unseen.cannot.as_deref(), Some("no gradient of the output reaches `b`"));
    assert_eq!((unseen.values.len(), unseen.shape.as_slice()), (0, &[2][..]));
}

#[test]
fn of_several_positions_those_with_a_label_add_up() {
    let _turn = alone();
    // The second of the row's three positions has no label.
    let bindings = Bindings::new().data("a::data", || {
        let y = ids(&[8, 3], 4);
        let _ = y.narrow(1, 1, 1).fill_(4);
        Dataset::new(scattered(&[8, 3, 2], 1.0), y)
    });
    let model = "layers = [{ linear = { out = 5 }, name = 'it', init = { weight = { constant = 0.5 } } }]";
    let seen = attribution(&bindings, model, "classes = 5\n[loss]\nkind = 'cross_entropy'\nignore_index = 4");
    let saliency = &seen.rows[0].saliency[0];
    assert_eq!((saliency.shape.as_slice(), seen.rows[0].class), (&[3, 2][..], None));
    assert_eq!(saliency.values, [0.5, 0.5, 0.0, 0.0, 0.5, 0.5]);
}

fn golden(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(file)
}

#[test]
fn a_torchscript_model_has_the_gradients_of_the_same_model_of_layers() {
    let _turn = alone();
    let bindings = Bindings::new().data("a::data", || Dataset::new(scattered(&[8, 2], 1.0), ids(&[8], 3)));
    let (script, weights) = (golden("small.pt"), golden("state_dict.pt"));
    let layered = format!(
        "layers = [{{ linear = {{ out = 3 }}, name = 'hidden' }}, 'relu', {{ batch_norm1d = {{}}, name = 'bn' }}]\n\
         weights = {weights:?}"
    );
    let (script, loss) = (format!("torchscript = {script:?}"), "[loss]\nkind = 'cross_entropy'");
    let (theirs, ours) = (gradients(&bindings, &script, loss), gradients(&bindings, &layered, loss));
    assert_eq!(layers(&theirs), ["hidden", "hidden.relu", "bn"]);
    assert_eq!(theirs, ours);
    assert!(theirs.unseen.is_empty());
    assert_eq!(attribution(&bindings, &script, loss), attribution(&bindings, &layered, loss));
}

/// A traced part between two layers, run by the executor that differentiates whole graphs once it has seen some passes.
#[derive(Debug)]
struct Fused {
    before: Tensor,
    inside: Tensor,
    after: Tensor,
    traced: Option<CModule>,
}

impl Fused {
    fn part(x: &Tensor, inside: &Tensor) -> Tensor {
        (x.matmul(inside).tanh() * x.sigmoid() + x).relu()
    }
}

impl Model for Fused {
    fn outputs(&self, batch: &Batch, _train: bool) -> Outputs {
        let x = batch.x().matmul(&self.before);
        let x = match &self.traced {
            Some(traced) => traced.forward_ts(&[&x, &self.inside]).unwrap(),
            None => Self::part(&x, &self.inside),
        };
        x.matmul(&self.after).into()
    }
}

/// A builder of it whose traced part, if there is one, has run so many times.
fn fused(passes: Option<usize>) -> impl Fn(&nn::Path) -> Fused {
    move |path| {
        let put = |name: &str, seed| path.sub(name).var_copy("weight", &scattered(&[4, 4], seed));
        let (before, inside, after) = (put("before", 1.0), put("inside", 2.0), put("after", 3.0));
        let traced = passes.map(|passes| {
            let mut part = |inputs: &[Tensor]| vec![Fused::part(&inputs[0], &inputs[1])];
            let inputs = [scattered(&[8, 4], 5.0), scattered(&[4, 4], 6.0)];
            let traced = CModule::create_by_tracing("Part", "forward", &inputs, &mut part).unwrap();
            for _ in 0..passes {
                let inputs = inputs.each_ref().map(|input| input.detach().set_requires_grad(true));
                traced.forward_ts(&inputs).unwrap().sum(Kind::Double).backward();
            }
            traced
        });
        Fused { before, inside, after, traced }
    }
}

#[test]
fn inside_a_graph_that_is_differentiated_as_a_whole_no_gradient_is_made_up() {
    let _turn = alone();
    let bindings = Bindings::new()
        .data("a::data", || Dataset::new(scattered(&[8, 4], 1.0), ids(&[8], 4)))
        .builder("a::plain", |path: &nn::Path| fused(None)(path))
        .builder("a::new", |path: &nn::Path| fused(Some(0))(path))
        .builder("a::known", |path: &nn::Path| fused(Some(4))(path));
    tch::jit::set_graph_executor_optimize(true);
    let of = |model: &str| gradients(&bindings, &format!("builder = '{model}'"), "[loss]\nkind = 'cross_entropy'");
    let (plain, new, known) = (of("a::plain"), of("a::new"), of("a::known"));
    let inside = ["inside", "inside.tanh", "inside.sigmoid", "inside.mul", "inside.add", "inside.relu"];
    assert_eq!(layers(&plain), [&["before"], &inside[..], &["after"]].concat());
    // In its first pass the executor only takes notes, and autograd goes through operator by operator.
    assert_eq!(new, plain);
    assert_eq!((layers(&known), &known.unseen[..]), (vec!["before", "after"], &inside.map(str::to_owned)[..]));
    assert!(plain.unseen.is_empty());
    for layer in &known.layers {
        let same = plain.layer(&layer.layer).unwrap();
        close(&[layer.norm, layer.mean, layer.std], &Tensor::from_slice(&[same.norm, same.mean, same.std]));
    }
}

/// A program that computes its own losses, and outputs only where it is told to.
struct Own {
    store: VarStore,
    head: nn::Linear,
    silent: bool,
}

impl Subject for Own {
    fn build(setup: Setup, hyper: &Hyper) -> Self {
        let store = setup.var_store();
        let head = nn::linear(store.root() / "head", 2, 3, nn::LinearConfig::default());
        Self { store, head, silent: hyper.get("silent", false) }
    }

    fn networks(&self) -> Vec<(&str, &VarStore)> {
        vec![("", &self.store)]
    }

    fn losses(&self, batch: &Batch, _train: bool) -> Losses {
        Losses::new().with("it", batch.x().apply(&self.head).mse_loss(&Tensor::from(1.0), Reduction::Mean))
    }

    fn outputs(&self, batch: &Batch, _train: bool) -> Option<Outputs> {
        (!self.silent).then(|| batch.x().apply(&self.head).into())
    }

    fn step(&mut self, batch: &Batch, _record: &mut Recorder<'_>) -> Losses {
        self.losses(batch, true)
    }
}

#[test]
fn a_program_of_ones_own_is_attributed_by_its_first_output_or_says_that_it_has_none() {
    let _turn = alone();
    let bindings = Bindings::new()
        .data("a::data", || Dataset::new(scattered(&[8, 2], 1.0), ids(&[8], 3)))
        .subject::<Own>("a::own");
    let seen = attribution(&bindings, "subject = 'a::own'", "classes = 3");
    assert_eq!((seen.rows[0].class, seen.rows[0].saliency[0].values.len()), (Some(0), 2));
    let silent = attribution(&bindings, "subject = 'a::own'\nhyper = { silent = true }", "");
    assert_eq!(silent.cannot.as_deref(), Some("this program puts out nothing that could be looked at"));
    let seen = gradients(&bindings, "subject = 'a::own'", "");
    assert_eq!(layers(&seen)[0], "head");
    close(&[seen.layers.last().unwrap().norm], &Tensor::from(1.0));
}

#[test]
fn layers_that_nothing_trains_before_have_no_gradient() {
    let _turn = alone();
    let bindings = Bindings::new().data("a::data", || Dataset::new(scattered(&[8, 2], 1.0), ids(&[8], 3)));
    let model = |frozen: &str| {
        format!(
            "layers = [{{ linear = {{ out = 4 }}, name = 'body' }}, 'tanh', {{ linear = {{ out = 3 }}, name = 'head' }}]\n\
             frozen = [{frozen}]"
        )
    };
    let loss = "[loss]\nkind = 'cross_entropy'";
    let seen = gradients(&bindings, &model("'body.*'"), loss);
    assert_eq!((layers(&seen), seen.unseen.join(" ")), (vec!["head"], "body body.tanh".to_owned()));
    let seen = gradients(&bindings, &model("'*'"), loss);
    assert_eq!(seen.cannot.as_deref(), Some("in train mode the loss depends on no parameter that trains"));
    // What an output answers to is no matter of what trains.
    let seen = attribution(&bindings, &model("'*'"), loss);
    assert!(seen.rows[0].saliency[0].values.iter().all(|value| *value > 0.0));
}
