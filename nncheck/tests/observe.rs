//! The operator observer, against models built in every way that `tch` offers and against independent numbers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use nncheck::observe::{Activation, Observer};
use tch::nn::{self, Module, ModuleT, OptimizerConfig, RNN};
use tch::{Device, Kind, Tensor};

/// libtorch's random generator is one for the whole process: tests that use it may not run beside one another.
fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    let guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    tch::set_num_threads(1);
    tch::manual_seed(3);
    guard
}

fn double_store() -> nn::VarStore {
    let mut store = nn::VarStore::new(Device::Cpu);
    store.set_kind(Kind::Double);
    store
}

fn random(shape: &[i64]) -> Tensor {
    Tensor::randn(shape, (Kind::Double, Device::Cpu))
}

fn observer(store: &nn::VarStore) -> Observer {
    let mut variables: Vec<(String, Tensor)> = store.variables().into_iter().collect();
    variables.sort_by(|one, other| one.0.cmp(&other.0));
    Observer::new(&variables)
}

fn watch<R>(observer: &mut Observer, forward: impl FnOnce() -> R) -> Vec<Activation> {
    observer.watch(forward).expect("every output of these models can be read").1
}

fn names(activations: &[Activation]) -> Vec<&str> {
    activations.iter().map(|activation| activation.layer.as_str()).collect()
}

/// The project's tolerance for numbers that two implementations compute in double precision.
#[track_caller]
fn agree(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs() + 1e-12, "{ours} is not {theirs}");
}

/// Holds an activation against what tch itself says of the tensor.
#[track_caller]
fn agrees_with_tch(activation: &Activation, output: &Tensor) {
    let output = output.to_kind(Kind::Double);
    let seen = &activation.statistics;
    assert_eq!(activation.shape, output.size());
    assert_eq!(seen.count, output.numel() as u64);
    agree(seen.mean, output.mean(Kind::Double).double_value(&[]));
    agree(seen.std, output.std(true).double_value(&[]));
    agree(seen.zero_fraction, output.eq(0.0).mean(Kind::Double).double_value(&[]));
    agree(seen.min, output.min().double_value(&[]));
    agree(seen.max, output.max().double_value(&[]));
    assert_eq!(seen.non_finite, 0);
}

fn mlp(root: &nn::Path, inputs: i64) -> nn::Sequential {
    nn::seq()
        .add(nn::linear(root / "hidden", inputs, 16, nn::LinearConfig::default()))
        .add_fn(Tensor::relu)
        .add(nn::linear(root / "head", 16, 10, nn::LinearConfig::default()))
}

#[test]
fn a_sequence_of_layers_is_named_after_its_parameters_and_summed_up_as_tch_does() {
    let _alone = alone();
    let store = double_store();
    let model = mlp(&store.root(), 8);
    let x = random(&[32, 8]);
    let mut observer = observer(&store);
    let seen = watch(&mut observer, || model.forward(&x));

    assert_eq!(names(&seen), ["hidden", "hidden.relu", "head"]);
    let operators: Vec<&str> = seen.iter().map(|activation| activation.operator.as_str()).collect();
    assert_eq!(operators, ["linear", "relu", "linear"]);
    let parameters = store.variables();
    let hidden = x.linear(&parameters["hidden.weight"], Some(&parameters["hidden.bias"]));
    agrees_with_tch(&seen[0], &hidden);
    agrees_with_tch(&seen[1], &hidden.relu());
    agrees_with_tch(&seen[2], &model.forward(&x));

    assert_eq!(watch(&mut observer, || model.forward(&x)), seen, "a second pass sees something else");
    assert_eq!(names(&watch(&mut observer, || model.forward(&random(&[5, 8])))), names(&seen));
}

#[test]
fn an_output_that_is_overwritten_in_place_was_seen_before() {
    let _alone = alone();
    let mut store = nn::VarStore::new(Device::Cpu);
    let root = store.root();
    let conv = nn::conv2d(&root / "conv", 1, 4, 3, nn::ConvConfig { padding: 1, ..Default::default() });
    let norm = nn::batch_norm2d(&root / "norm", 4, nn::BatchNormConfig::default());
    store.double();
    let x = random(&[6, 1, 8, 8]);
    let forward = |train: bool| norm.forward_t(&conv.forward(&x), train).relu_().max_pool2d_default(2).flatten(1, -1);
    let seen = watch(&mut observer(&store), || forward(true));

    assert_eq!(names(&seen), ["conv", "norm", "norm.relu", "norm.max_pool2d"]);
    assert_eq!(seen[2].operator, "relu");
    let normalized = norm.forward_t(&conv.forward(&x), true);
    assert!(normalized.min().double_value(&[]) < 0.0);
    agrees_with_tch(&seen[1], &normalized);
    agrees_with_tch(&seen[2], &normalized.relu());
    agrees_with_tch(&seen[3], &normalized.relu().max_pool2d_default(2));
    assert_eq!(names(&watch(&mut observer(&store), || forward(false))), names(&seen));
}

#[test]
fn functional_operators_and_residual_additions_are_seen() {
    let _alone = alone();
    let store = double_store();
    let root = store.root();
    let stem = nn::linear(&root / "stem", 8, 8, nn::LinearConfig::default());
    let branch = nn::linear(&root / "block" / "0" / "branch", 8, 8, nn::LinearConfig::default());
    let x = random(&[12, 8]);
    let seen = watch(&mut observer(&store), || {
        let stem = stem.forward(&x).relu();
        let once = (&stem + branch.forward(&stem)).relu();
        let twice = (&once + branch.forward(&once)).relu();
        twice.view([-1]).reshape([12, 8]).transpose(0, 1).contiguous().mean_dim(0, false, None) * 2.0
    });
    assert_eq!(
        names(&seen),
        [
            "stem",
            "stem.relu",
            "block.0.branch",
            "block.0.branch.add",
            "block.0.branch.relu",
            "block.0.branch#2",
            "block.0.branch.add#2",
            "block.0.branch.relu#2",
            "block.0.branch.mean",
            "block.0.branch.mul",
        ]
    );
}

#[test]
fn a_parameter_inside_a_list_or_a_slice_is_found() {
    let _alone = alone();
    let store = double_store();
    let root = store.root();
    let lstm = nn::lstm(&root / "lstm", 4, 6, nn::RNNConfig::default());
    let joint = (&root / "attention").var("in_proj_weight", &[18, 6], nn::Init::Randn { mean: 0.0, stdev: 1.0 });
    let x = random(&[3, 5, 4]);
    let mut output = None;
    let seen = watch(&mut observer(&store), || {
        let (sequence, _) = lstm.seq(&x);
        let query = sequence.linear(&joint.narrow(0, 0, 6), None::<&Tensor>);
        let key = sequence.linear(&joint.narrow(0, 6, 6), None::<&Tensor>);
        output = Some(sequence);
        query.matmul(&key.transpose(1, 2)).softmax(-1, None)
    });
    let attention = ["attention", "attention#2", "attention.matmul", "attention.softmax"];
    assert_eq!(names(&seen), [&["lstm"], &attention[..]].concat());
    agrees_with_tch(&seen[0], &output.unwrap());
}

#[test]
fn tied_weights_are_one_layer_or_two_as_their_names_say() {
    let _alone = alone();
    let weight = random(&[7, 4]);
    let tokens = Tensor::from_slice(&[1_i64, 5, 6]);
    let forward = || Tensor::embedding(&weight, &tokens, -1, false, false).linear(&weight, None::<&Tensor>);
    let named = |name: &str| (name.to_owned(), weight.shallow_clone());
    let mut both = Observer::new(&[named("embed.weight"), named("head.weight")]);
    assert_eq!(names(&watch(&mut both, forward)), ["embed", "head"]);
    let mut one = Observer::new(&[named("embed.weight")]);
    assert_eq!(names(&watch(&mut one, forward)), ["embed", "embed#2"]);
}

#[test]
fn a_model_that_moved_to_another_kind_is_still_known() {
    let _alone = alone();
    let mut store = nn::VarStore::new(Device::Cpu);
    let model = mlp(&store.root(), 8);
    let mut observer = observer(&store);
    store.double();
    assert_eq!(names(&watch(&mut observer, || model.forward(&random(&[4, 8])))), ["hidden", "hidden.relu", "head"]);
}

#[test]
fn every_kind_and_layout_is_read() {
    let _alone = alone();
    let wide = random(&[3, 5, 7]);
    for kind in [Kind::Float, Kind::Double, Kind::Half, Kind::BFloat16] {
        let x = wide.to_kind(kind);
        let dense = x.permute([2, 0, 1]);
        let gaps = x.narrow(2, 1, 4);
        let repeated = x.narrow(0, 0, 1).expand([4, 5, 7], false);
        for view in [&x, &dense, &gaps, &repeated] {
            let mut output = None;
            let seen = watch(&mut Observer::new(&[]), || output = Some(view.relu()));
            agrees_with_tch(&seen[0], &output.unwrap());
        }
        // In place the layout is kept: what is read here has gaps.
        let mut slice = x.copy().narrow(2, 1, 4);
        assert!(!slice.is_contiguous());
        let seen = watch(&mut Observer::new(&[]), || slice.relu_());
        agrees_with_tch(&seen[0], &slice);
    }
}

#[test]
fn outputs_that_are_not_floating_are_skipped_and_of_several_the_first_is_taken() {
    let _alone = alone();
    let x = random(&[4, 6]);
    let seen = watch(&mut Observer::new(&[]), || {
        let _ = x.gt(0.0);
        let _ = x.argmax(1, false);
        x.max_dim(1, false)
    });
    assert_eq!(names(&seen), ["max"]);
    agrees_with_tch(&seen[0], &x.max_dim(1, false).0);
}

#[test]
fn entries_that_are_not_finite_are_counted() {
    let x = Tensor::from_slice(&[1.0, -1.0, 0.0, 4.0]);
    let seen = watch(&mut Observer::new(&[]), || x.sqrt().log());
    assert_eq!(seen.iter().map(|activation| activation.statistics.non_finite).collect::<Vec<_>>(), [1, 2]);
    assert!(seen[0].statistics.mean.is_nan());
    assert_eq!((seen[0].statistics.min, seen[0].statistics.max), (0.0, 2.0));
}

#[test]
fn a_backward_pass_inside_the_closure_is_not_seen() {
    let _alone = alone();
    let store = double_store();
    let model = mlp(&store.root(), 8);
    let x = random(&[4, 8]);
    let expected = ["hidden", "hidden.relu", "head", "head.sum"];
    let seen = watch(&mut observer(&store), || model.forward(&x).sum(Kind::Double).backward());
    assert_eq!(names(&seen), expected);
    // This way to the gradients is no operator itself, as the other one is.
    let seen = watch(&mut observer(&store), || {
        let weight = store.variables()["hidden.weight"].shallow_clone();
        Tensor::run_backward(&[model.forward(&x).sum(Kind::Double)], &[weight], false, false)
    });
    assert_eq!(names(&seen), expected);
}

#[test]
fn operators_of_a_torchscript_graph_are_seen_with_their_own_inputs_and_outputs() {
    let _alone = alone();
    let weight = random(&[8, 8]);
    let x = random(&[4, 8]);
    let mut forward = |inputs: &[Tensor]| {
        let hidden = inputs[0].linear(&weight, None::<&Tensor>);
        // The interpreter keeps what the last line needs on its stack, below the operators' own arguments.
        vec![hidden.relu() + hidden.tanh() * inputs[0].sigmoid()]
    };
    let module = tch::CModule::create_by_tracing("Traced", "forward", &[x.shallow_clone()], &mut forward).unwrap();
    let mut observer = Observer::new(&[("hidden.weight".to_owned(), weight.shallow_clone())]);
    let plain = watch(&mut observer, || forward(&[x.shallow_clone()]));
    tch::jit::set_graph_executor_optimize(false);
    for _ in 0..3 {
        let traced = watch(&mut observer, || module.forward_ts(&[&x]).unwrap());
        assert_eq!(traced, plain);
    }
    assert_eq!(plain.len(), 6);
}

/// Twenty steps of a network with everything that a careless observer would disturb, and what is left afterwards.
fn trained(observed: bool) -> Vec<(String, Tensor)> {
    tch::manual_seed(11);
    let store = nn::VarStore::new(Device::Cpu);
    let root = store.root();
    let (conv, head) = (
        nn::conv2d(&root / "conv", 1, 4, 3, nn::ConvConfig { padding: 1, ..Default::default() }),
        nn::linear(&root / "head", 4 * 16, 10, nn::LinearConfig::default()),
    );
    let norm = nn::batch_norm2d(&root / "norm", 4, nn::BatchNormConfig::default());
    let mut optimizer = nn::Adam::default().build(&store, 1e-2).unwrap();
    let mut observer = observer(&store);
    for step in 0..20 {
        let x = Tensor::randn([16, 1, 8, 8], (Kind::Float, Device::Cpu));
        let y = Tensor::randint(10, [16], (Kind::Int64, Device::Cpu));
        let train = step % 5 != 4;
        let forward = || {
            let hidden = norm.forward_t(&conv.forward(&x), train).relu_().max_pool2d_default(2);
            // Transposed, so that an output with gaps is read too.
            let hidden = hidden.flatten(1, -1).dropout(0.4, train).tr().slice(1, 0, None, 2).tanh().tr();
            head.forward(&hidden)
        };
        let logits = if observed { observer.watch(forward).unwrap().0 } else { forward() };
        optimizer.backward_step(&logits.cross_entropy_for_logits(&y.slice(0, 0, None, 2)));
    }
    let mut left: Vec<(String, Tensor)> = store.variables().into_iter().collect();
    let gradients = store.trainable_variables().into_iter().map(|variable| variable.grad()).enumerate();
    left.extend(gradients.map(|(index, gradient)| (format!("gradient {index}"), gradient)));
    left.push(("the next random numbers".to_owned(), Tensor::randn([8], (Kind::Float, Device::Cpu))));
    left.sort_by(|one, other| one.0.cmp(&other.0));
    left
}

#[test]
fn training_is_the_same_bit_for_bit_with_and_without_the_observer() {
    let _alone = alone();
    let (observed, unobserved) = (trained(true), trained(false));
    assert_eq!(observed.len(), 8 + 6 + 1);
    for ((name, with), (_, without)) in observed.iter().zip(&unobserved) {
        assert!(with.equal(without), "`{name}` is not what it is without the observer");
    }
    let moved = observed.iter().find(|(name, _)| name == "norm.running_mean").unwrap();
    assert!(moved.1.abs().sum(Kind::Float).double_value(&[]) > 0.0, "nothing was trained");
}

#[test]
fn a_panic_in_the_closure_ends_the_observation_and_leaves_a_sound_observer() {
    let _alone = alone();
    let store = double_store();
    let model = mlp(&store.root(), 8);
    let mut observer = observer(&store);
    let x = random(&[4, 8]);
    // First libtorch throws, for an input that does not fit; then the closure itself panics.
    let misfit = catch_unwind(AssertUnwindSafe(|| watch(&mut observer, || model.forward(&random(&[4, 9])))));
    let refusal = catch_unwind(AssertUnwindSafe(|| {
        watch(&mut observer, || {
            let _ = model.forward(&x);
            panic!("the model's own panic");
        })
    }));
    assert!(misfit.is_err());
    assert_eq!(refusal.unwrap_err().downcast_ref(), Some(&"the model's own panic"));
    let _ = model.forward(&x);
    assert!(watch(&mut observer, || ()).is_empty());
    assert_eq!(names(&watch(&mut observer, || model.forward(&x))), ["hidden", "hidden.relu", "head"]);
}

/// Holds the activations of the recorded model against what `PyTorch` said of them.
fn agrees_with_recorded(case: &str, forward: impl FnOnce(&dyn Fn(&str) -> Tensor) -> Tensor) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden");
    let text = std::fs::read_to_string(folder.join(format!("{case}.json"))).unwrap();
    let recorded: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tensors = Tensor::read_safetensors(folder.join(format!("{case}.safetensors"))).unwrap();
    let tensor = |name: &str| {
        let (_, tensor) = tensors.iter().find(|(entry, _)| entry == name).unwrap();
        tensor.shallow_clone()
    };
    let parameters: Vec<(String, Tensor)> =
        tensors.iter().filter(|(name, _)| name != "x").map(|(name, tensor)| (name.clone(), tensor.copy())).collect();
    let copies = |name: &str| match parameters.iter().find(|(entry, _)| entry == name) {
        Some((_, copy)) => copy.shallow_clone(),
        None => tensor(name),
    };
    let seen = watch(&mut Observer::new(&parameters), || forward(&copies));
    let rectified: Vec<&Activation> = seen.iter().filter(|activation| activation.operator == "relu").collect();
    let expected = recorded["relu"].as_array().unwrap();
    assert_eq!(rectified.len(), expected.len());
    for (activation, expected) in rectified.iter().zip(expected) {
        agree(activation.statistics.mean, expected["mean"].as_f64().unwrap());
        agree(activation.statistics.std, expected["std"].as_f64().unwrap());
        agree(activation.statistics.zero_fraction, expected["zero_fraction"].as_f64().unwrap());
    }
}

#[test]
fn the_recorded_mlp_has_the_activations_that_pytorch_saw() {
    let _alone = alone();
    agrees_with_recorded("mlp", |get| {
        let hidden = get("x").linear(&get("hidden.weight"), Some(&get("hidden.bias"))).relu();
        hidden.linear(&get("head.weight"), Some(&get("head.bias")))
    });
}

#[test]
fn the_recorded_convnet_has_the_activations_that_pytorch_saw() {
    let _alone = alone();
    agrees_with_recorded("convnet", |get| {
        let conv = |x: &Tensor, name: &str| {
            let (weight, bias) = (get(&format!("{name}.weight")), get(&format!("{name}.bias")));
            x.conv2d(&weight, Some(&bias), [1, 1], [1, 1], [1, 1], 1)
        };
        let (weight, bias) = (get("bn1.weight"), get("bn1.bias"));
        let (mean, variance) = (get("bn1.running_mean"), get("bn1.running_var"));
        let mut normalized = conv(&get("x"), "conv1").batch_norm(
            Some(&weight),
            Some(&bias),
            Some(&mean),
            Some(&variance),
            true,
            0.1,
            1e-5,
            false,
        );
        let features = conv(&normalized.relu_().max_pool2d_default(2), "conv2").relu();
        let pooled = features.adaptive_avg_pool2d([1, 1]).flatten(1, -1);
        pooled.linear(&get("head.weight"), Some(&get("head.bias")))
    });
}

/// Prints what the observer costs; run it alone with `--ignored --nocapture`.
#[test]
#[ignore = "a measurement of time, not an assertion"]
fn the_cost_of_observing_a_small_mlp() {
    const ROUNDS: usize = 60;
    const STEPS: u32 = 100;
    let _alone = alone();
    let store = nn::VarStore::new(Device::Cpu);
    let root = store.root();
    let model = nn::seq()
        .add(nn::linear(&root / "hidden", 784, 128, nn::LinearConfig::default()))
        .add_fn(Tensor::relu)
        .add(nn::linear(&root / "head", 128, 10, nn::LinearConfig::default()));
    let x = Tensor::randn([64, 784], (Kind::Float, Device::Cpu));
    let y = Tensor::randint(10, [64], (Kind::Int64, Device::Cpu));
    let mut optimizer = nn::Sgd::default().build(&store, 0.01).unwrap();
    let mut observer = observer(&store);
    let mut step = |observed: bool| {
        let forward = || model.forward(&x);
        let logits = if observed { observer.watch(forward).unwrap().0 } else { forward() };
        optimizer.backward_step(&logits.cross_entropy_for_logits(&y));
    };
    let mut microseconds = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (observed, times) in microseconds.iter_mut().enumerate() {
            let start = Instant::now();
            (0..STEPS).for_each(|_| step(observed == 1));
            times.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(STEPS));
        }
    }
    let [without, with] = microseconds.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    println!("a step takes {without:.1} us, observed {with:.1} us: {:+.1} %", (with / without - 1.0) * 100.0);
}
