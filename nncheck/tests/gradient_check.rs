//! `gradient_check` on gradients that are wrong, planted one at a time: each is found and its parameter named, single entries by
//! their index; and on sound networks of many kinds, on which it raises no alarm.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nncheck::measure::{Job, measure};
use nncheck::subject::Tensors;
use nncheck::{Bindings, Dataset, Hyper, Program};
use nncheck_core::measurement::gradients::{Answer, Gradients, TensorGradient};
use nncheck_core::measurement::{GradientsAsk, Measurement, Request};
use nncheck_core::spec::Subject;
use nncheck_core::suite::{Overrides, from_texts};
use tch::nn::{self, Init, Module};
use tch::{Kind, Tensor};

/// The check's default.
const TOLERANCE: f64 = 1e-4;

/// libtorch's generator is one for all threads, and so for all tests here.
fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    tch::set_num_threads(1);
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn subject(text: &str) -> Subject {
    let text = format!("{text}\n[property.gradient_check]\n");
    let suite = from_texts(&[("gradients", &text)], &Overrides::default());
    let suite = suite.unwrap_or_else(|errors| panic!("{text}\n{errors:#?}"));
    (*suite.specs[0].subject).clone()
}

fn gradients(subject: &Subject, bindings: &Bindings, seed: u64) -> Gradients {
    let data = Tensors::load(subject, bindings).unwrap();
    let request = Request::Gradients(GradientsAsk { rows: 16 });
    let parts = [request.clone()];
    let job = Job { request: &request, parts: &parts, seed };
    let mut found = None;
    measure(subject, &data, bindings, job, &mut || (), &mut |_, measured| found = Some(measured)).unwrap();
    let Measurement::Gradients(found) = found.unwrap().unwrap() else { panic!("another kind came back") };
    found
}

fn wrong(found: &Gradients) -> Vec<&TensorGradient> {
    found.tensors.iter().filter(|t| t.answer == Answer::Differs && t.relative > TOLERANCE).collect()
}

// ---------------------------------------------------------------------------------------------------- planted faults

/// What can be done to a gradient that leaves the values as they are.
const FAULTS: [&str; 10] =
    ["entry", "entry_sign", "sign", "row", "transposed", "term", "scale", "detached", "rolled", "first_half"];
/// Kinds of network, with the parameters on which faults are planted.
const NETWORKS: [(&str, &[&str]); 6] = [
    ("tanh", &["a.weight", "a.bias", "b.weight", "b.bias", "c.weight", "c.bias"]),
    ("relu", &["a.weight", "a.bias", "c.weight", "c.bias"]),
    ("wide", &["a.weight", "b.weight"]),
    ("conv", &["conv.weight", "conv.bias", "c.weight"]),
    ("norm", &["a.weight", "norm.weight", "norm.bias", "c.weight"]),
    ("tokens", &["embed.weight", "b.weight", "c.bias"]),
];

/// A parameter whose gradient is wrong as `fault` says, while its value is right.
fn planted(parameter: &Tensor, fault: &str, at: i64) -> Tensor {
    let flat = parameter.reshape([-1]);
    let factor = flat.ones_like();
    let size = parameter.size();
    let row = size.iter().skip(1).product::<i64>();
    let wrong = match fault {
        "entry" | "entry_sign" => {
            let _set = factor.narrow(0, at, 1).fill_(if fault == "entry" { 1.01 } else { -1.0 });
            flat * factor
        }
        "row" => {
            let _zeroed = factor.narrow(0, at / row * row, row).zero_();
            flat * factor
        }
        "first_half" => {
            let half = flat.size()[0] / 2;
            let _halved = factor.narrow(0, 0, half.max(1)).fill_(0.5);
            flat * factor
        }
        "sign" => -flat,
        "scale" => flat * 0.99,
        "detached" => return parameter.detach(),
        "rolled" => flat.roll([1], [0]),
        "transposed" if size.len() == 2 => parameter.tr().reshape([-1]),
        "transposed" => flat.flip([0]),
        _ => return parameter.shallow_clone(),
    };
    let wrong = wrong.reshape(&size[..]);
    parameter.detach() + (&wrong - wrong.detach())
}

/// A network of one kind, with a fault planted on one of its parameters.
fn network(path: &nn::Path, hyper: &Hyper) -> impl Module + use<> {
    let kind: String = hyper.get("kind", String::new());
    let fault: String = hyper.get("fault", String::new());
    let target: String = hyper.get("target", String::new());
    let at: i64 = hyper.get("at", 0);
    let make = |name: &str, size: &[i64], spread: f64| {
        let (layer, parameter) = name.split_once('.').unwrap();
        (path / layer).var(parameter, size, Init::Uniform { lo: -spread, up: spread })
    };
    let sizes: &[(&str, &[i64], f64)] = match kind.as_str() {
        "tanh" => &[
            ("a.weight", &[12, 8], 0.5),
            ("a.bias", &[12], 0.5),
            ("b.weight", &[12, 12], 0.4),
            ("b.bias", &[12], 0.4),
            ("c.weight", &[3, 12], 0.4),
            ("c.bias", &[3], 0.4),
        ],
        "relu" => {
            &[("a.weight", &[40, 8], 0.5), ("a.bias", &[40], 0.5), ("c.weight", &[3, 40], 0.3), ("c.bias", &[3], 0.3)]
        }
        "wide" => &[("a.weight", &[256, 8], 0.5), ("b.weight", &[256, 256], 0.1), ("c.weight", &[3, 256], 0.1)],
        "conv" => &[("conv.weight", &[6, 1, 3, 3], 0.5), ("conv.bias", &[6], 0.5), ("c.weight", &[3, 54], 0.3)],
        "norm" => &[
            ("a.weight", &[12, 8], 0.5),
            ("norm.weight", &[12], 1.0),
            ("norm.bias", &[12], 0.5),
            ("c.weight", &[3, 12], 0.4),
        ],
        _ => &[
            ("embed.weight", &[20, 6], 1.0),
            ("b.weight", &[12, 36], 0.4),
            ("c.weight", &[3, 12], 0.4),
            ("c.bias", &[3], 0.4),
        ],
    };
    let parameters: Vec<(String, Tensor)> =
        sizes.iter().map(|(name, size, spread)| ((*name).to_owned(), make(name, size, *spread))).collect();
    nn::func(move |x| {
        let raw = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, p)| p);
        let get = |name: &str| {
            let parameter = raw(name)?;
            Some(if name == target { planted(parameter, &fault, at) } else { parameter.shallow_clone() })
        };
        let linear = |x: &Tensor, layer: &str| {
            x.linear(&get(&format!("{layer}.weight")).unwrap(), get(&format!("{layer}.bias")))
        };
        let hidden = match kind.as_str() {
            "tanh" => linear(&linear(x, "a").tanh(), "b").tanh(),
            "relu" => linear(x, "a").relu(),
            "wide" => linear(&linear(x, "a").relu(), "b").relu(),
            "conv" => x
                .reshape([-1, 1, 8, 8])
                .conv2d(&get("conv.weight").unwrap(), get("conv.bias"), 1, 0, 1, 1)
                .relu()
                .max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false)
                .flatten(1, -1),
            "norm" => linear(x, "a")
                .batch_norm(
                    get("norm.weight"),
                    get("norm.bias"),
                    None::<Tensor>,
                    None::<Tensor>,
                    true,
                    0.1,
                    1e-5,
                    false,
                )
                .tanh(),
            _ => linear(&Tensor::embedding(&get("embed.weight").unwrap(), x, -1, false, false).flatten(1, -1), "b")
                .tanh(),
        };
        let mut output = linear(&hidden, "c");
        if fault == "term" {
            // A second use of the parameter, cut off.
            let second = raw(&target).unwrap().detach().norm();
            let size = output.size();
            output += second * Tensor::arange(size[1], (output.kind(), output.device()));
        }
        output
    })
}

fn inputs(kind: &str) -> Tensor {
    tch::manual_seed(17);
    match kind {
        "tokens" => Tensor::randint(20, [32, 6], (Kind::Int64, tch::Device::Cpu)),
        "conv" => Tensor::randn([32, 64], (Kind::Float, tch::Device::Cpu)),
        _ => Tensor::randn([32, 8], (Kind::Float, tch::Device::Cpu)),
    }
}

fn bindings(kind: &'static str) -> Bindings {
    Bindings::new().builder("a::network", network).data("a::data", move || {
        let inputs = inputs(kind);
        Dataset::new(inputs, Tensor::arange(32, (Kind::Int64, tch::Device::Cpu)).remainder(3))
    })
}

fn planted_subject(kind: &str, fault: &str, target: &str, at: i64) -> Subject {
    subject(&format!(
        "[model]\nbuilder = 'a::network'\nhyper = {{ kind = '{kind}', fault = '{fault}', target = '{target}', at = {at} }}\n\
         [data]\nfunction = 'a::data'\nclasses = 3\nsplit = 1.0\n[loss]\nkind = 'cross_entropy'\n"
    ))
}

/// The entry of a parameter with the median gradient among those that have one.
fn typical_entry(kind: &'static str, target: &str, seed: u64) -> i64 {
    let (subject, bindings) = (planted_subject(kind, "none", target, 0), bindings(kind));
    let data = Tensors::load(&subject, &bindings).unwrap();
    let program = Program::build(&subject, &data, &bindings, seed).unwrap();
    program.losses(&program.first_rows(16), true).unwrap().total().backward();
    let (_, parameter) = program.parameters().iter().find(|(name, _)| name == target).unwrap();
    let sizes: Vec<f64> = Vec::try_from(parameter.grad().abs().reshape([-1]).to_kind(Kind::Double)).unwrap();
    let mut order: Vec<usize> = (0..sizes.len()).filter(|&i| sizes[i] > 1e-6).collect();
    order.sort_by(|&a, &b| sizes[a].total_cmp(&sizes[b]));
    i64::try_from(order[order.len() / 2]).unwrap()
}

#[test]
fn every_planted_wrong_gradient_is_found_and_its_parameter_named() {
    let _turn = alone();
    let (mut planted, mut missed, mut evaluations) = (0, Vec::new(), 0);
    for (kind, targets) in NETWORKS {
        let bindings = bindings(kind);
        for (target, fault) in targets.iter().flat_map(|target| FAULTS.map(|fault| (*target, fault))) {
            let seed = planted;
            let at = typical_entry(kind, target, seed);
            planted += 1;
            let found = gradients(&planted_subject(kind, fault, target, at), &bindings, seed);
            evaluations += found.evaluations;
            let wrong = wrong(&found);
            let names: Vec<&str> = wrong.iter().map(|t| t.parameter.as_str()).collect();
            let what = format!("{kind} {target} {fault} at {at}: {:?}", found.tensors);
            if names != [target] {
                missed.push(what);
                continue;
            }
            let place = wrong[0].wrong.as_ref().unwrap();
            let flat = place.index.iter().zip(&wrong[0].shape).fold(0, |flat, (i, size)| flat * size + i);
            let row: usize = wrong[0].shape[1..].iter().product();
            let right_place = match fault {
                "entry" | "entry_sign" => flat == usize::try_from(at).unwrap(),
                "row" => flat / row == usize::try_from(at).unwrap() / row,
                _ => true,
            };
            let right_value = match fault {
                "entry" => (place.autograd / place.differences - 1.01).abs() < 1e-4,
                "entry_sign" | "sign" => (place.autograd / place.differences + 1.0).abs() < 1e-4,
                "scale" => (place.autograd / place.differences - 0.99).abs() < 1e-4,
                "row" | "detached" => place.autograd == 0.0,
                _ => true,
            };
            if !right_place || !right_value || place.entries != 1 {
                missed.push(what);
            }
        }
    }
    println!("{planted} planted, {} missed, {evaluations} evaluations", missed.len());
    assert!(planted >= 100, "{planted}");
    assert!(missed.is_empty(), "{} of {planted}\n{}", missed.len(), missed.join("\n"));
}

// -------------------------------------------------------------------------------------------------- sound networks

/// A uniform generator (the linear congruence of Knuth's MMIX).
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

/// Layers and data of a random sound network.
fn sound(draw: &mut Draw) -> String {
    let activations = [
        "\"relu\"",
        "\"relu\"",
        "\"relu\"",
        "\"tanh\"",
        "\"gelu\"",
        "\"leaky_relu\"",
        "\"elu\"",
        "\"silu\"",
        "\"sigmoid\"",
    ];
    let mut layers: Vec<String> = Vec::new();
    let dense = |layers: &mut Vec<String>, draw: &mut Draw, norm: &str| {
        for _ in 0..=draw.below(2) {
            layers.push(format!("{{ linear = {{ out = {} }} }}", 8 + 8 * draw.below(6)));
            if draw.below(3) == 0 {
                layers.push(norm.to_owned());
            }
            layers.push(draw.one(&activations).to_owned());
            if draw.below(3) == 0 {
                layers.push("{ dropout = { p = 0.4 } }".to_owned());
            }
        }
    };
    let data = match draw.below(4) {
        0 => {
            dense(&mut layers, draw, "\"batch_norm1d\"");
            "{ inputs = [12], classes = 4, examples = 64 }"
        }
        1 => {
            for _ in 0..=draw.below(2) {
                let out = 4 + 2 * draw.below(4);
                layers.push(format!("{{ conv2d = {{ out = {out}, kernel = 3, padding = 1 }} }}"));
                layers.push(draw.one(&["\"batch_norm2d\"", "{ group_norm = { groups = 2 } }", "\"relu\""]).to_owned());
                layers.push(draw.one(&activations).to_owned());
                layers
                    .push(draw.one(&["{ max_pool2d = { kernel = 2 } }", "{ avg_pool2d = { kernel = 2 } }"]).to_owned());
            }
            layers.push("\"flatten\"".to_owned());
            dense(&mut layers, draw, "\"layer_norm\"");
            "{ inputs = [1, 8, 8], classes = 4, examples = 64 }"
        }
        2 => {
            let padding = draw.one(&["", ", padding_idx = 0"]);
            layers.push(format!("{{ embedding = {{ size = 12, dim = 8{padding} }} }}"));
            layers.push(
                draw.one(&[
                    "{ lstm = { hidden = 10 } }",
                    "{ gru = { hidden = 10 } }",
                    "{ transformer_encoder_layer = { heads = 2, hidden = 16 } }",
                    "{ residual = { layers = [{ linear = { out = 8 } }, \"relu\", { linear = { out = 8 } }] } }",
                    "\"layer_norm\"",
                ])
                .to_owned(),
            );
            layers.push(draw.one(&["\"last_step\"", "\"flatten\""]).to_owned());
            dense(&mut layers, draw, "\"layer_norm\"");
            layers.push("{ linear = { out = 12 } }".to_owned());
            return format!(
                "[model]\nlayers = [{}]\n[data]\nfunction = 'a::tokens'\nclasses = 12\n[loss]\nkind = 'cross_entropy'\n",
                layers.join(", ")
            );
        }
        _ => {
            dense(&mut layers, draw, "\"batch_norm1d\"");
            layers.push("{ linear = { out = 1 } }".to_owned());
            let loss = draw.one(&["mse", "huber", "l1"]);
            return format!(
                "[model]\nlayers = [{}]\n[data]\nsynthetic = {{ inputs = [12], targets = 1, examples = 64 }}\n[loss]\nkind = '{loss}'\nl2 = 1e-3\n",
                layers.join(", ")
            );
        }
    };
    layers.push("{ linear = { out = 4 } }".to_owned());
    format!("[model]\nlayers = [{}]\n[data]\nsynthetic = {data}\n[loss]\nkind = 'cross_entropy'\n", layers.join(", "))
}

#[test]
fn sound_networks_raise_no_alarm() {
    let _turn = alone();
    let bindings = Bindings::new().data("a::tokens", || {
        tch::manual_seed(5);
        let x = Tensor::randint(12, [64, 6], (Kind::Int64, tch::Device::Cpu));
        let y = Tensor::randint(12, [64], (Kind::Int64, tch::Device::Cpu));
        Dataset::new(x, y)
    });
    let mut alarms = Vec::new();
    let mut seen = BTreeSet::new();
    let (mut agrees, mut excused, mut sharp) = (0, 0, 0);
    for seed in 0..120 {
        let text = sound(&mut Draw(seed * 7919 + 1));
        let found = gradients(&subject(&text), &bindings, seed);
        assert_eq!(found.cannot, None, "{text}");
        let alarm: Vec<&TensorGradient> = found.tensors.iter().filter(|t| t.answer == Answer::Differs).collect();
        if !alarm.is_empty() {
            alarms.push(format!("{text}\nnoise {} {alarm:#?}", found.noise));
        }
        for tensor in &found.tensors {
            match tensor.answer {
                Answer::Agrees => agrees += 1,
                _ => excused += 1,
            }
            sharp += u32::from(tensor.sees_an_entry);
        }
        seen.insert(text);
    }
    println!("{agrees} tensors agree, {sharp} of them seeing an entry; {excused} excused");
    assert!(seen.len() >= 100, "{} different networks", seen.len());
    assert!(alarms.is_empty(), "{}\n{}", alarms.len(), alarms.join("\n"));
    assert!(excused * 20 < agrees, "{excused} of {agrees} are excused");
}

#[test]
fn a_loss_in_single_precision_raises_no_alarm_and_hides_no_exchanged_sign() {
    let _turn = alone();
    let (mut alarms, mut agrees, mut signs) = (Vec::new(), 0, 0);
    for seed in 0..300 {
        let kind = ["tanh", "relu", "norm"][usize::try_from(seed % 3).unwrap()];
        // tch's own goes through single precision, whatever comes in.
        let bindings =
            bindings(kind).loss("a::loss", |output: &Tensor, target: &Tensor| output.cross_entropy_for_logits(target));
        for fault in ["none", "sign"] {
            let mut single = planted_subject(kind, fault, "a.weight", 0);
            single.loss = subject(
                "[model]\nbuilder = 'a::b'\n[data]\nfunction = 'a::data'\n[loss]\nfunction = 'a::loss'\nkind = 'cross_entropy'\n",
            )
            .loss;
            let found = gradients(&single, &bindings, seed);
            agrees += found.tensors.iter().filter(|t| t.answer == Answer::Agrees).count();
            let names: Vec<&str> = wrong(&found).iter().map(|t| t.parameter.as_str()).collect();
            match (fault, &names[..]) {
                (_, []) => {}
                ("sign", ["a.weight"]) => signs += 1,
                _ => alarms.push(format!("{kind} {seed} {fault}: {names:?} {:?}", found.tensors)),
            }
        }
    }
    println!("{agrees} tensors agree, {signs} of 300 signs are found");
    assert!(alarms.is_empty(), "{}\n{}", alarms.len(), alarms.join("\n"));
    assert!(signs >= 290, "{signs}");
}
