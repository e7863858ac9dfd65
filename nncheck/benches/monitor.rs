//! What watching costs: three networks trained bare, watched at every step and watched at every tenth step (mean, spread
//! and share of zeros of every operator's output, gradient norm and update ratio of every parameter), block by block in
//! turn. The learning rate is so low that no number becomes tiny, which would be slow. Prints one line a network:
//! microseconds of processor time a step, and the median over the rounds of the ratios to bare.
//!
//! `cargo nncheck exec -- cargo bench -p nncheck --bench monitor [-- ROUNDS]`

use std::time::Duration;

use nncheck::subject::Tensors;
use nncheck::{Bindings, Dataset, Program, cost};
use nncheck_core::suite::{Overrides, from_texts};
use tch::nn::{self, ModuleT, OptimizerConfig};
use tch::{Device, Kind, Tensor};

struct Network {
    name: &'static str,
    layers: &'static str,
    tensors: fn() -> (Tensor, Tensor),
    rows: usize,
    steps: usize,
    plain: fn(&nn::Path<'_>) -> nn::Sequential,
}

const NETWORKS: [Network; 3] = [
    Network {
        name: "mlp",
        layers: "{ linear = { out = 128 } }, 'relu', { linear = { out = 10 } }",
        tensors: || batch(&[64, 784]),
        rows: 64,
        steps: 50,
        plain: |root| {
            let linear = |name: &str, i, o| nn::linear(root / name, i, o, nn::LinearConfig::default());
            nn::seq().add(linear("0", 784, 128)).add_fn(Tensor::relu).add(linear("2", 128, 10))
        },
    },
    Network {
        name: "deep_mlp",
        layers: "{ linear = { out = 256 } }, 'relu', { linear = { out = 256 } }, 'relu', \
                 { linear = { out = 256 } }, 'relu', { linear = { out = 256 } }, 'relu', \
                 { linear = { out = 256 } }, 'relu', { linear = { out = 256 } }, 'relu', \
                 { linear = { out = 256 } }, 'relu', { linear = { out = 256 } }, 'relu', { linear = { out = 10 } }",
        tensors: || batch(&[128, 256]),
        rows: 128,
        steps: 20,
        plain: |root| {
            let linear = |name: i32, o| nn::linear(root / name, 256, o, nn::LinearConfig::default());
            (0..8).fold(nn::seq(), |net, i| net.add(linear(i, 256)).add_fn(Tensor::relu)).add(linear(8, 10))
        },
    },
    Network {
        name: "convnet",
        layers: "{ conv2d = { out = 32, kernel = 3, padding = 1 } }, 'relu', { max_pool2d = { kernel = 2 } }, \
                 { conv2d = { out = 64, kernel = 3, padding = 1 } }, 'relu', { max_pool2d = { kernel = 2 } }, \
                 'flatten', { linear = { out = 128 } }, 'relu', { linear = { out = 10 } }",
        tensors: || batch(&[32, 3, 32, 32]),
        rows: 32,
        steps: 10,
        plain: |root| {
            let config = nn::ConvConfig { padding: 1, ..Default::default() };
            let linear = |name: &str, i, o| nn::linear(root / name, i, o, nn::LinearConfig::default());
            nn::seq()
                .add(nn::conv2d(root / "a", 3, 32, 3, config))
                .add_fn(|x| x.relu().max_pool2d_default(2))
                .add(nn::conv2d(root / "b", 32, 64, 3, config))
                .add_fn(|x| x.relu().max_pool2d_default(2).flatten(1, -1))
                .add(linear("c", 64 * 64, 128))
                .add_fn(Tensor::relu)
                .add(linear("d", 128, 10))
        },
    },
];

fn batch(shape: &[i64]) -> (Tensor, Tensor) {
    tch::manual_seed(0);
    let x = Tensor::randn(shape, (Kind::Float, Device::Cpu));
    (x, Tensor::randint(10, [shape[0]], (Kind::Int64, Device::Cpu)))
}

/// Never, at every step, at every tenth.
const RHYTHMS: [usize; 3] = [0, 1, 10];

fn main() {
    let rounds = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(40);
    tch::set_num_threads(1);
    for network in &NETWORKS {
        run(network, rounds);
    }
}

fn run(network: &Network, rounds: usize) {
    let text = format!(
        "[model]\nlayers = [{}]\n[data]\nfunction = 'bench::data'\nclasses = 10\nbatch = {}\n[loss]\nkind = 'cross_entropy'\n\
         [optimizer]\nkind = 'adam'\nlr = 1e-6\n[property.update_ratio]\n",
        network.layers, network.rows
    );
    let suite = from_texts(&[("monitor", &text)], &Overrides::default());
    let suite = suite.unwrap_or_else(|errors| panic!("{text}\n{errors:#?}"));
    let subject = &suite.specs[0].subject;
    let tensors = network.tensors;
    let bindings = Bindings::new().data("bench::data", move || {
        let (x, y) = tensors();
        Dataset::new(x, y)
    });
    let data = Tensors::load(subject, &bindings).expect("the data is there");
    let mut program = Program::build(subject, &data, &bindings, 0).expect("the network can be built");

    let steps = network.steps;
    let mut blocks = vec![(2 * steps, 1), (2 * steps, 0)];
    for _ in 0..rounds {
        blocks.extend(RHYTHMS.map(|every| (steps, every)));
    }
    let taken = cost::blocks(&mut program, network.rows, &blocks).expect("it trains");
    let times: Vec<[f64; 3]> = taken[2..].chunks(3).map(|t| [0, 1, 2].map(|i| micros(t[i], steps))).collect();
    let ratio = |i: usize| median(times.iter().map(|t| t[i] / t[0]));
    let time = |i: usize| median(times.iter().map(|t| t[i]));
    println!(
        "{{\"model\": \"{}\", \"plain_tch_us\": {:.1}, \"bare_us\": {:.1}, \"watched_us\": {:.1}, \"tenth_us\": {:.1}, \
         \"watched\": {:.3}, \"tenth\": {:.3}}}",
        network.name,
        plain(network, rounds),
        time(0),
        time(1),
        time(2),
        ratio(1),
        ratio(2)
    );
}

/// The same without nncheck, as a user of tch would write it.
fn plain(network: &Network, rounds: usize) -> f64 {
    let (x, y) = (network.tensors)();
    let store = nn::VarStore::new(Device::Cpu);
    let model = (network.plain)(&store.root());
    let mut optimizer = nn::Adam::default().build(&store, 1e-6).expect("Adam");
    let mut block = || {
        let start = cost::now();
        for _ in 0..network.steps {
            let loss = model.forward_t(&x, true).cross_entropy_for_logits(&y);
            optimizer.backward_step(&loss);
            let _ = loss.double_value(&[]);
        }
        micros(cost::now() - start, network.steps)
    };
    block();
    median((0..rounds).map(|_| block()))
}

fn micros(taken: Duration, steps: usize) -> f64 {
    taken.as_secs_f64() * 1e6 / steps as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
