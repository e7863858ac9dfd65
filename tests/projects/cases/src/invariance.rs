//! Programs whose outputs depend on what they must not, or do not depend on what they must.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use nncheck::{Batch, Dataset, Hyper, Losses, Model, Optimize, Recorder, Setup, Subject};
use tch::nn::{self, Module, ModuleT, OptimizerConfig, RNN};
use tch::{Kind, Tensor};

use crate::parts::{classifier, clusters, linear};

/// Batch norm and dropout between the layers.
pub fn normalised(path: &nn::Path) -> impl ModuleT + use<> {
    nn::seq_t()
        .add(linear(path / "hidden", 8, 32))
        .add(nn::batch_norm1d(path / "norm", 32, Default::default()))
        .add_fn(Tensor::relu)
        .add_fn_t(|x, train| x.dropout(0.2, train))
        .add(linear(path / "head", 32, 3))
}

/// The same, and batch norm uses the batch's statistics in eval mode too.
pub fn always_training(path: &nn::Path) -> impl Module + use<> {
    let hidden = linear(path / "hidden", 8, 32);
    let norm = nn::batch_norm1d(path / "norm", 32, Default::default());
    let head = linear(path / "head", 32, 3);
    nn::func(move |x| head.forward(&norm.forward_t(&hidden.forward(x), true).relu()))
}

/// Two layers side by side, of the inputs and of their mean.
pub fn wide(path: &nn::Path) -> impl Module + use<> {
    let (one, other) = (linear(path / "one", 8, 3), linear(path / "other", 1, 3));
    nn::func(move |x| one.forward(x) + other.forward(&x.mean_dim([1_i64].as_slice(), true, x.kind())))
}

/// The batch's mean is subtracted.
pub fn centred(path: &nn::Path) -> impl Module + use<> {
    let model = classifier(path);
    nn::func(move |x| model.forward(&(x - x.mean_dim([0_i64].as_slice(), true, x.kind()))))
}

/// Four steps of two features.
fn lstm(path: &nn::Path, batch_first: bool) -> nn::LSTM {
    nn::lstm(path / "lstm", 2, 16, nn::RNNConfig { batch_first, ..Default::default() })
}

/// A recurrence over the features.
pub fn recurrent(path: &nn::Path) -> impl Module + use<> {
    let (lstm, head) = (lstm(path, true), linear(path / "head", 16, 3));
    nn::func(move |x| head.forward(&lstm.seq(&x.reshape([-1, 4, 2])).0.select(1, 3)))
}

/// The same, and the rows are taken for time.
pub fn along_rows(path: &nn::Path) -> impl Module + use<> {
    let (lstm, head) = (lstm(path, false), linear(path / "head", 16, 3));
    nn::func(move |x| {
        // The state to begin with is as wide as the second axis.
        let zeros = Tensor::zeros([1, 4, 16], (x.kind(), x.device()));
        let state = nn::LSTMState((zeros.shallow_clone(), zeros));
        head.forward(&lstm.seq_init(&x.reshape([-1, 4, 2]), &state).0.select(1, 3))
    })
}

/// Entries of different rows are mixed.
pub fn mixed(path: &nn::Path) -> impl Module + use<> {
    let model = classifier(path);
    nn::func(move |x| model.forward(&x.reshape([8, -1]).transpose(0, 1)))
}

/// Nothing of the input arrives.
pub fn blind(path: &nn::Path) -> impl Module + use<> {
    let model = classifier(path);
    nn::func(move |x| model.forward(&(x * 0.0)))
}

/// A head that starts at zero.
pub fn zero_head(path: &nn::Path) -> impl Module + use<> {
    let zeros = nn::Init::Const(0.0);
    let config = nn::LinearConfig { ws_init: zeros, bs_init: Some(zeros), bias: true };
    let head = nn::linear(path / "head", 32, 3, config);
    nn::seq().add(linear(path / "hidden", 8, 32)).add_fn(Tensor::relu).add(head)
}

/// Hidden units with a bias of -100.
pub fn dead(path: &nn::Path) -> impl Module + use<> {
    with_bias(path, -100.0)
}

/// Hidden units with a bias of 100.
pub fn far_above(path: &nn::Path) -> impl Module + use<> {
    with_bias(path, 100.0)
}

fn with_bias(path: &nn::Path, bias: f64) -> nn::Sequential {
    let config = nn::LinearConfig { bs_init: Some(nn::Init::Const(bias)), ..Default::default() };
    let hidden = nn::linear(path / "hidden", 8, 32, config);
    nn::seq().add(hidden).add_fn(Tensor::relu).add(linear(path / "head", 32, 3))
}

/// The last feature is not read.
pub fn seven_of_eight(path: &nn::Path) -> impl Module + use<> {
    let layers = nn::seq().add(linear(path / "hidden", 7, 32)).add_fn(Tensor::relu).add(linear(path / "head", 32, 3));
    nn::func(move |x| layers.forward(&x.narrow(1, 0, 7)))
}

/// Twelve sigmoids.
pub fn fading(path: &nn::Path) -> impl Module + use<> {
    let layers = nn::seq().add(linear(path / "first", 8, 32)).add_fn(Tensor::sigmoid);
    let layers = (0..11)
        .fold(layers, |layers, i| layers.add(linear(path / format!("hidden{i}"), 32, 32)).add_fn(Tensor::sigmoid));
    layers.add(linear(path / "head", 32, 3))
}

/// No activation between the layers.
pub fn straight(path: &nn::Path) -> impl Module + use<> {
    nn::seq().add(linear(path / "hidden", 8, 32)).add(linear(path / "head", 32, 3))
}

/// Batch norm, and no activation.
pub fn straight_norm(path: &nn::Path) -> impl ModuleT + use<> {
    nn::seq_t()
        .add(linear(path / "hidden", 8, 32))
        .add(nn::batch_norm1d(path / "norm", 32, Default::default()))
        .add(linear(path / "head", 32, 3))
}

/// One layer.
pub fn one_layer(path: &nn::Path) -> impl Module + use<> {
    linear(path / "head", 8, 3)
}

/// The clusters with one input for all rows.
pub fn alike() -> Dataset {
    let (x, y) = clusters();
    Dataset::new(x.ones_like(), y)
}

/// Log-probabilities.
pub fn log_probabilities(path: &nn::Path) -> impl Module + use<> {
    let model = classifier(path);
    nn::func(move |x| model.forward(x).log_softmax(-1, None))
}

/// `squeeze` without an axis: of one row, the axis of the rows is lost.
pub fn squeezed(path: &nn::Path) -> impl Module + use<> {
    let model = classifier(path);
    nn::func(move |x| model.forward(&x.unsqueeze(0)).squeeze())
}

/// The size of the batch is written into a view.
pub fn fixed(path: &nn::Path) -> impl Module + use<> {
    let model = classifier(path);
    nn::func(move |x| model.forward(x).view([32, 3]))
}

/// One number for the whole batch.
pub fn one_number(path: &nn::Path) -> impl Module + use<> {
    let model = classifier(path);
    nn::func(move |x| model.forward(x).mean(None))
}

/// Dropout that is always on.
pub fn always_dropped(path: &nn::Path) -> impl Module + use<> {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    nn::func(move |x| head.forward(&hidden.forward(x).relu().dropout(0.5, true)))
}

/// Batch norm that never trains.
pub fn never_training(path: &nn::Path) -> impl Module + use<> {
    let hidden = linear(path / "hidden", 8, 32);
    let norm = nn::batch_norm1d(path / "norm", 32, Default::default());
    let head = linear(path / "head", 32, 3);
    nn::func(move |x| head.forward(&norm.forward_t(&hidden.forward(x), false).relu()))
}

/// Running statistics that follow too slowly.
pub fn slow_statistics(path: &nn::Path) -> impl ModuleT + use<> {
    let config = nn::BatchNormConfig { momentum: 1e-4, ..Default::default() };
    nn::seq_t()
        .add(linear(path / "hidden", 8, 32))
        .add_fn(|x| x * 3.0 + 30.0)
        .add(nn::batch_norm1d(path / "norm", 32, config))
        .add_fn(Tensor::relu)
        .add(linear(path / "head", 32, 3))
}

/// The step runs the model in eval mode.
pub fn step_in_eval_mode(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let loss = model.outputs(batch, false).main().cross_entropy_for_logits(batch.y());
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    loss
}

/// The inputs go through a fixed projection that is kept in no store.
pub fn projected(path: &nn::Path) -> impl Module + use<> {
    let (projection, model) = (Tensor::randn([8, 8], (Kind::Float, path.device())), classifier(path));
    nn::func(move |x| model.forward(&x.matmul(&projection.to_kind(x.kind()))))
}

/// Layers named by a counter that goes on.
pub fn counted(path: &nn::Path) -> impl Module + use<> {
    static LAYERS: AtomicU32 = AtomicU32::new(0);
    let next = || format!("layer{}", LAYERS.fetch_add(1, Ordering::Relaxed));
    let hidden = linear(path / next(), 8, 32);
    nn::seq().add(hidden).add_fn(Tensor::relu).add(linear(path / next(), 32, 3))
}

/// The rows of a `HashMap`, in its order.
pub fn in_any_order() -> Dataset {
    let (x, y) = clusters();
    let rows: HashMap<i64, (Tensor, Tensor)> =
        (0..x.size()[0]).map(|row| (row, (x.narrow(0, row, 1), y.narrow(0, row, 1)))).collect();
    let (x, y): (Vec<Tensor>, Vec<Tensor>) = rows.into_values().unzip();
    Dataset::new(Tensor::cat(&x, 0), Tensor::cat(&y, 0))
}

/// A number that no seed reaches.
fn clock() -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock goes forward");
    f64::from(now.subsec_nanos().wrapping_mul(2_654_435_761)) / f64::from(u32::MAX)
}

/// The head starts from the clock.
pub fn from_the_clock(path: &nn::Path) -> impl Module + use<> {
    let head = linear(path / "head", 32, 3);
    tch::no_grad(|| {
        let _scaled = head.ws.shallow_clone().g_mul_scalar_(0.5 + clock());
    });
    nn::seq().add(linear(path / "hidden", 8, 32)).add_fn(Tensor::relu).add(head)
}

/// Noise on the loss that no seed reaches.
pub fn step_with_noise(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let loss = crate::parts::loss(model, batch) * (0.9 + 0.2 * clock());
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    loss
}

/// The variance as a difference of large numbers.
pub fn cancelled(path: &nn::Path) -> impl Module + use<> {
    let model = classifier(path);
    nn::func(move |x| {
        let mean = |x: &Tensor| x.mean_dim([1_i64].as_slice(), true, None);
        let far = x + 3000.0;
        let variance = mean(&far.square()) - mean(&far).square();
        model.forward(&(x / (variance.abs() + 0.1).sqrt()))
    })
}

/// An exponential that only double precision holds.
pub fn overflowing(path: &nn::Path) -> impl Module + use<> {
    let model = classifier(path);
    nn::func(move |x| model.forward(&((x + 150.0).exp() * 1e-64).log()))
}

/// A product with constants of single precision.
pub fn single(path: &nn::Path) -> impl Module + use<> {
    let (turn, model) = (Tensor::eye(8, (Kind::Float, path.device())), classifier(path));
    nn::func(move |x| model.forward(&x.matmul(&turn)))
}

/// A program of its own that puts nothing out.
pub struct Silent {
    store: nn::VarStore,
    layers: nn::Sequential,
    optimizer: nn::Optimizer,
}

impl Subject for Silent {
    fn build(setup: Setup, _hyper: &Hyper) -> Self {
        let store = setup.var_store();
        let layers = nn::seq().add(linear(store.root() / "head", 8, 3));
        let optimizer = nn::Sgd::default().build(&store, 0.05).expect("there are parameters");
        Self { store, layers, optimizer }
    }

    fn networks(&self) -> Vec<(&str, &nn::VarStore)> {
        vec![("", &self.store)]
    }

    fn losses(&self, batch: &Batch, _train: bool) -> Losses {
        Losses::new().with("loss", self.layers.forward(batch.x()).cross_entropy_for_logits(batch.y()))
    }

    fn step(&mut self, batch: &Batch, record: &mut Recorder<'_>) -> Losses {
        let output = record.forward(|| self.layers.forward(batch.x()));
        let loss = output.cross_entropy_for_logits(batch.y());
        record.optimizer(&mut self.optimizer).backward_step(&loss);
        Losses::new().with("loss", loss)
    }
}

/// A program of its own that makes its data itself.
pub struct Dreamer(Silent);

impl Subject for Dreamer {
    fn build(setup: Setup, hyper: &Hyper) -> Self {
        Self(Silent::build(setup, hyper))
    }

    fn networks(&self) -> Vec<(&str, &nn::VarStore)> {
        self.0.networks()
    }

    fn losses(&self, _batch: &Batch, train: bool) -> Losses {
        self.0.losses(&made_up(), train)
    }

    fn step(&mut self, _batch: &Batch, record: &mut Recorder<'_>) -> Losses {
        self.0.step(&made_up(), record)
    }
}

fn made_up() -> Batch {
    let (x, y) = clusters();
    Batch::new(x, y)
}
