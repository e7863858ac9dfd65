//! Programs whose outputs depend on what they must not, or do not depend on what they must.

use nncheck::Dataset;
use tch::nn::{self, Module, ModuleT, RNN};
use tch::Tensor;

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
    let layers = (0..11).fold(layers, |layers, i| {
        layers.add(linear(path / format!("hidden{i}"), 32, 32)).add_fn(Tensor::sigmoid)
    });
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
