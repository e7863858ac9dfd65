//! Every layer held against PyTorch: `tests/golden/make/layers.py` writes down, for each case, what PyTorch draws, puts
//! out and differentiates. The layers here are read from the spec language.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use nncheck::subject::{layers, weights};
use nncheck_core::spec::layer::{Inferred, infer};
use nncheck_core::spec::model::ModelSource;
use nncheck_core::suite::{Overrides, from_texts};
use serde_json::Value;
use tch::nn::{ModuleT, VarStore};
use tch::{Device, Kind, Tensor};

struct Golden {
    about: Value,
    tensors: BTreeMap<String, Tensor>,
}

// Tensors are not to be sent between threads while they change; these never do.
struct Shared(Golden);
// SAFETY: the tensors are only read, and no test makes them require gradients.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

static GOLDEN: LazyLock<Shared> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden");
    let tensors = Tensor::read_safetensors(folder.join("layers.safetensors")).unwrap();
    Shared(Golden {
        about: serde_json::from_str(&std::fs::read_to_string(folder.join("layers.json")).unwrap()).unwrap(),
        tensors: tensors.into_iter().collect(),
    })
});

impl Golden {
    fn cases(&self, which: &str) -> Vec<Case<'_>> {
        let cases = self.about[which].as_array().unwrap();
        cases.iter().map(|about| Case { about, golden: self }).collect()
    }
}

fn golden() -> &'static Golden {
    &GOLDEN.0
}

struct Case<'g> {
    about: &'g Value,
    golden: &'g Golden,
}

impl Case<'_> {
    fn name(&self) -> &str {
        self.about["name"].as_str().unwrap()
    }

    fn what(&self) -> String {
        format!("{} {}", self.name(), self.about["layer"])
    }

    fn tensor(&self, name: &str) -> &Tensor {
        &self.golden.tensors[&format!("{}/{name}", self.name())]
    }

    /// All tensors under a heading, by the rest of their names.
    fn under(&self, heading: &str) -> BTreeMap<String, Tensor> {
        let prefix = format!("{}/{heading}/", self.name());
        let tensors = self.golden.tensors.iter();
        tensors.filter_map(|(name, t)| Some((name.strip_prefix(&prefix)?.to_owned(), t.shallow_clone()))).collect()
    }

    fn inferred(&self) -> Inferred {
        let shape: Vec<usize> = serde_json::from_value(self.about["shape"].clone()).unwrap();
        let text = format!(
            "model = {{ layers = [{}] }}\n\
             data = {{ csv = \"a.csv\", target = \"y\" }}\n\
             loss = {{ kind = \"mse\" }}\n[property.initial_loss]\nmax = 1.0\n",
            self.about["layer"].as_str().unwrap()
        );
        let suite = from_texts(&[("layers", &text)], &Overrides::default())
            .unwrap_or_else(|e| panic!("{}", nncheck_core::diagnostic::render_all(&e, Default::default())));
        let ModelSource::Layers(layers) = &suite.specs[0].subject.model.source else { panic!("no layers") };
        infer(layers, &shape).unwrap()
    }

    /// The layer with parameters drawn from a seed.
    fn built(&self, seed: i64) -> (VarStore, layers::Sequential, Vec<usize>) {
        // libtorch's generator is one for all threads, and so for all tests here.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let Inferred { layers, output } = self.inferred();
        let mut store = VarStore::new(Device::Cpu);
        store.set_kind(Kind::Double);
        let turn = ONE_AT_A_TIME.lock().unwrap();
        tch::manual_seed(seed);
        let net = layers::build(&store.root(), &layers);
        drop(turn);
        // Running statistics are made in single precision.
        store.double();
        (store, net, output)
    }

    fn seed(&self) -> i64 {
        self.about["seed"].as_i64().unwrap()
    }
}

/// What is wrong with our numbers, if anything is.
fn difference(ours: &Tensor, theirs: &Tensor) -> Option<String> {
    if ours.size() != theirs.size() {
        return Some(format!("{:?} here, {:?} in PyTorch", ours.size(), theirs.size()));
    }
    let (ours, theirs) = (ours.to_kind(Kind::Double), theirs.to_kind(Kind::Double));
    let allowed = theirs.abs() * 1e-9 + 1e-12;
    let far = (&ours - &theirs).abs().le_tensor(&allowed).logical_not();
    let count = far.sum(Kind::Int64).int64_value(&[]);
    (count > 0).then(|| format!("{count} of {} differ: {ours:?} here, {theirs:?} in PyTorch", ours.numel()))
}

/// The name that a module's parameter has in the state dict of `nn.Sequential`.
fn in_sequential(name: &str) -> String {
    format!("0.{name}")
}

#[test]
fn every_layer_has_pytorchs_outputs_and_gradients_in_both_modes() {
    let mut wrong = Vec::new();
    for case in golden().cases("cases") {
        let (store, net, shape) = case.built(1);
        let state: Vec<(String, Tensor)> =
            case.under("state").into_iter().map(|(name, tensor)| (in_sequential(&name), tensor)).collect();
        if !state.is_empty() {
            // The way of a user's state dict, `num_batches_tracked` included.
            let file = tempfile::Builder::new().suffix(".safetensors").tempfile().unwrap().into_temp_path();
            Tensor::write_safetensors(&state, &file).unwrap();
            weights::load(&store, &file, &[]).unwrap_or_else(|e| panic!("{}: {e}", case.what()));
        }
        for (mode, train) in [("eval", false), ("train", true)] {
            let x = case.tensor("x").copy();
            let x = if x.is_floating_point() { x.set_requires_grad(true) } else { x };
            for mut variable in store.variables().into_values().filter(Tensor::requires_grad) {
                variable.zero_grad();
            }
            let output = net.forward_t(&x, train);
            assert_eq!(output.size()[1..], shape.iter().map(|&n| n as i64).collect::<Vec<_>>(), "{}", case.what());
            let mut compare = |what: &str, ours: &Tensor, theirs: &Tensor| {
                if let Some(difference) = difference(ours, theirs) {
                    wrong.push(format!("{} {mode} {what}: {difference}", case.what()));
                }
            };
            compare("output", &output, case.tensor(mode));
            let by = Tensor::arange(output.numel() as i64, (Kind::Double, Device::Cpu)).cos();
            (by * output.reshape([-1])).sum(Kind::Double).backward();
            let variables = store.variables();
            let gradients = case.under(&format!("{mode}/grad"));
            let of_parameters = gradients.keys().filter(|name| *name != "x").count();
            let trainable = variables.values().filter(|v| v.requires_grad()).count();
            assert_eq!(of_parameters, trainable, "{}", case.what());
            for (name, gradient) in &gradients {
                let ours = if name == "x" { x.grad() } else { variables[&in_sequential(name)].grad() };
                compare(&format!("gradient of {name}"), &ours, gradient);
            }
        }
        // Both passes done: the running statistics have moved as far as PyTorch's loss of them says in train mode.
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_seed_draws_what_pytorch_draws() {
    let mut drawn = 0;
    for case in golden().cases("cases") {
        let (store, _net, _) = case.built(case.seed());
        let variables = store.variables();
        for (name, theirs) in case.under("drawn") {
            let ours = &variables[&in_sequential(&name)];
            assert!(ours.detach().equal(&theirs), "{} {name}: {ours:?} here, {theirs:?} in PyTorch", case.what());
            drawn += 1;
        }
    }
    assert!(drawn > 100, "{drawn} parameters");
}

#[test]
fn there_are_three_cases_of_every_layer_with_options() {
    use nncheck_core::spec::layer::LayerKind;
    let cases = golden().cases("cases");
    for name in LayerKind::NAMES {
        let count = cases.iter().filter(|case| case.name().split_once('-').unwrap().1 == *name).count();
        assert!(count >= 1, "no case of {name}");
    }
    assert!(cases.len() >= 2 * LayerKind::NAMES.len(), "{}", cases.len());
}

#[test]
fn one_seed_initialises_as_torch_nn_init_does() {
    for case in golden().cases("inits") {
        let (store, _net, _) = case.built(case.seed());
        let variables = store.variables();
        let weight = variables["0.weight"].detach().reshape([-1]).narrow(0, 0, 12);
        // Matrices are factorised by LAPACK, whose last bits depend on the machine.
        if let Some(difference) = difference(&weight, case.tensor("first")) {
            panic!("{}: {difference}", case.what());
        }
        let bias = variables["0.bias"].detach().narrow(0, 0, 4);
        assert!(bias.equal(case.tensor("bias")), "{}: biases keep PyTorch's default", case.what());
    }
}

/// The two-sample Kolmogorov-Smirnov statistic of two sorted samples.
fn kolmogorov_smirnov(a: &[f64], b: &[f64]) -> f64 {
    let share = |of: &[f64], x: f64| of.partition_point(|&y| y <= x) as f64 / of.len() as f64;
    a.iter().chain(b).map(|&x| (share(a, x) - share(b, x)).abs()).fold(0.0, f64::max)
}

#[test]
fn initialisers_have_the_distribution_of_torch_nn_init() {
    let mut rejected = 0;
    for case in golden().cases("inits") {
        let mut ours = Vec::new();
        for seed in 1000..1003 {
            let (store, _net, _) = case.built(seed);
            ours.extend(Vec::<f64>::try_from(store.variables()["0.weight"].detach().reshape([-1])).unwrap());
        }
        ours.sort_by(f64::total_cmp);
        let theirs = Vec::<f64>::try_from(case.tensor("quantiles")).unwrap();
        assert_eq!(ours.len() as u64, case.about["size"].as_u64().unwrap());
        // The critical value at 1e-6, of the sample that the quantiles stand for; they stand within 1/200 of it.
        let n = ours.len() as f64;
        let critical = (-(0.5e-6_f64).ln() / 2.0).sqrt() * (2.0 / n).sqrt() + 1.0 / 200.0;
        let statistic = kolmogorov_smirnov(&ours, &theirs);
        assert!(statistic <= critical, "{}: {statistic} above {critical}", case.what());
        // The test can tell: a spread a quarter wider is seen in all that have a spread.
        let wider: Vec<f64> = ours.iter().map(|x| x * 1.25).collect();
        rejected += usize::from(kolmogorov_smirnov(&wider, &theirs) > critical);
    }
    assert!(rejected >= 6, "{rejected} of 27");
}
