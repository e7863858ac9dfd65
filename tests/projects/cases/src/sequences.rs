//! Models of sequences of tokens, that see positions that they must not, or do not tell them apart.

use nncheck::Dataset;
use tch::nn::{self, Module, RNN};
use tch::{Device, Kind, Tensor};

use crate::parts::linear;

const TOKENS: i64 = 12;
const LENGTH: i64 = 10;
const WIDTH: i64 = 16;

fn embedding(path: nn::Path, count: i64) -> nn::Embedding {
    nn::embedding(path, count, WIDTH, Default::default())
}

/// One head of attention; each position sees those up to `ahead` positions later, or all.
struct Attention {
    queries: nn::Linear,
    keys: nn::Linear,
    values: nn::Linear,
    ahead: Option<i64>,
}

impl Attention {
    fn new(path: nn::Path, ahead: Option<i64>) -> Self {
        let of = |name| linear(&path / name, WIDTH, WIDTH);
        Self { queries: of("queries"), keys: of("keys"), values: of("values"), ahead }
    }

    fn attend(&self, x: &Tensor) -> Tensor {
        let scores = self.queries.forward(x).matmul(&self.keys.forward(x).transpose(1, 2)) / (WIDTH as f64).sqrt();
        let scores = match self.ahead {
            None => scores,
            Some(ahead) => {
                let later = Tensor::ones([LENGTH, LENGTH], (Kind::Bool, x.device())).triu(1 + ahead);
                scores.masked_fill(&later, f64::NEG_INFINITY)
            }
        };
        x + scores.softmax(-1, None).matmul(&self.values.forward(x))
    }
}

fn positions(x: &Tensor) -> Tensor {
    Tensor::arange(LENGTH, (Kind::Int64, x.device()))
}

fn language_model(path: &nn::Path, ahead: Option<i64>) -> impl Module + use<> {
    let (tokens, places) = (embedding(path / "tokens", TOKENS), embedding(path / "places", LENGTH));
    let (attention, head) = (Attention::new(path / "attention", ahead), linear(path / "head", WIDTH, TOKENS));
    nn::func(move |x| {
        head.forward(&attention.attend(&(tokens.forward(x) + places.forward(&positions(x)))).gelu("none"))
    })
}

/// Attention under a mask.
pub fn causal(path: &nn::Path) -> impl Module + use<> {
    language_model(path, Some(0))
}

/// The mask leaves the next token.
pub fn off_by_one(path: &nn::Path) -> impl Module + use<> {
    language_model(path, Some(1))
}

/// No mask.
pub fn unmasked(path: &nn::Path) -> impl Module + use<> {
    language_model(path, None)
}

fn recurrent(path: &nn::Path, bidirectional: bool) -> impl Module + use<> {
    let tokens = embedding(path / "tokens", TOKENS);
    let lstm = nn::lstm(path / "lstm", WIDTH, WIDTH, nn::RNNConfig { bidirectional, ..Default::default() });
    let head = linear(path / "head", WIDTH * if bidirectional { 2 } else { 1 }, TOKENS);
    nn::func(move |x| head.forward(&lstm.seq(&tokens.forward(x)).0))
}

/// A recurrence forwards.
pub fn forwards(path: &nn::Path) -> impl Module + use<> {
    recurrent(path, false)
}

/// A recurrence both ways.
pub fn both_ways(path: &nn::Path) -> impl Module + use<> {
    recurrent(path, true)
}

fn convolution(path: &nn::Path, left: i64, right: i64) -> impl Module + use<> {
    let tokens = embedding(path / "tokens", TOKENS);
    let convolution = nn::conv1d(path / "convolution", WIDTH, WIDTH, 3, Default::default());
    let head = linear(path / "head", WIDTH, TOKENS);
    nn::func(move |x| {
        let padded = tokens.forward(x).transpose(1, 2).constant_pad_nd([left, right]);
        head.forward(&convolution.forward(&padded).relu().transpose(1, 2))
    })
}

/// Padded on the left.
pub fn left_padded(path: &nn::Path) -> impl Module + use<> {
    convolution(path, 2, 0)
}

/// Padded on both sides.
pub fn padded(path: &nn::Path) -> impl Module + use<> {
    convolution(path, 1, 1)
}

/// The mean of all positions is subtracted.
pub fn centred(path: &nn::Path) -> impl Module + use<> {
    let (tokens, head) = (embedding(path / "tokens", TOKENS), linear(path / "head", WIDTH, TOKENS));
    nn::func(move |x| {
        let x = tokens.forward(x);
        head.forward(&(&x - x.mean_dim([1_i64].as_slice(), true, x.kind())).relu())
    })
}

/// Three classes of sequences by attention; the positions' embedding is looked up with `places`.
fn classifier(path: &nn::Path, start: Option<f64>, places: fn(&Tensor) -> Option<Tensor>) -> impl Module + use<> {
    let tokens = embedding(path / "tokens", TOKENS);
    let init = start.map_or(nn::Init::Randn { mean: 0.0, stdev: 1.0 }, nn::Init::Const);
    let config = nn::EmbeddingConfig { ws_init: init, ..Default::default() };
    let table = nn::embedding(path / "places", LENGTH, WIDTH, config);
    let (attention, head) = (Attention::new(path / "attention", None), linear(path / "head", WIDTH, 3));
    nn::func(move |x| {
        let mut embedded = tokens.forward(x);
        if let Some(places) = places(x) {
            embedded = embedded + table.forward(&places);
        }
        head.forward(&attention.attend(&embedded).relu().mean_dim([1_i64].as_slice(), false, embedded.kind()))
    })
}

/// Attention over tokens and their positions.
pub fn labelled(path: &nn::Path) -> impl Module + use<> {
    classifier(path, None, |x| Some(positions(x)))
}

/// An embedding of positions that starts at zero.
pub fn positions_from_zero(path: &nn::Path) -> impl Module + use<> {
    classifier(path, Some(0.0), |x| Some(positions(x)))
}

/// No positions.
pub fn without_positions(path: &nn::Path) -> impl Module + use<> {
    classifier(path, None, |_| None)
}

/// The same position everywhere.
pub fn one_position(path: &nn::Path) -> impl Module + use<> {
    classifier(path, None, |x| Some(positions(x).zeros_like()))
}

/// The mean of the tokens' embeddings.
pub fn bag(path: &nn::Path) -> impl Module + use<> {
    let (tokens, hidden) = (embedding(path / "tokens", TOKENS), linear(path / "hidden", WIDTH, 32));
    let head = linear(path / "head", 32, 3);
    nn::func(move |x| {
        let mean = tokens.forward(x).mean_dim([1_i64].as_slice(), false, Kind::Float);
        head.forward(&hidden.forward(&mean).relu())
    })
}

/// Sequences that all begin with token 0, and then count on from a token of their own.
pub fn begun_alike() -> Dataset {
    let own = Tensor::arange(128, (Kind::Int64, Device::Cpu)).reshape([-1, 1]);
    let counted = (own + Tensor::arange(LENGTH, (Kind::Int64, Device::Cpu))).remainder(TOKENS - 1) + 1;
    let all = Tensor::cat(&[Tensor::zeros([128, 1], (Kind::Int64, Device::Cpu)), counted], 1);
    Dataset::new(all.narrow(1, 0, LENGTH), all.narrow(1, 1, LENGTH))
}
