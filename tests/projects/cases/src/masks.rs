//! Classifiers of padded sequences: two inputs, tokens and a mask.

use nncheck::{Batch, Dataset, Model, Named, Outputs};
use tch::nn::{self, Module};
use tch::{Kind, Tensor};

use crate::parts::{linear, uniform};

const TOKENS: i64 = 12;
const LENGTH: usize = 9;
const WIDTH: i64 = 16;

/// 128 sequences of 4 to 9 tokens, whose class is the first token modulo three; padding is token 0.
pub fn load() -> Dataset {
    let mut uniform = uniform();
    let (mut ids, mut mask, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..128 {
        let length = 4 + (uniform() * 6.0) as usize;
        for place in 0..LENGTH {
            let token = 1 + (uniform() * 11.0) as i64;
            ids.push(if place < length { token } else { 0 });
            mask.push(if place < length { 1.0_f32 } else { 0.0 });
            if place == 0 {
                labels.push(token % 3);
            }
        }
    }
    let shape = [-1, LENGTH as i64];
    let inputs: Named =
        [("ids", Tensor::from_slice(&ids).reshape(shape)), ("mask", Tensor::from_slice(&mask).reshape(shape))]
            .into_iter()
            .collect();
    Dataset::named(inputs, [("y", Tensor::from_slice(&labels))].into_iter().collect())
}

/// Where the mask is read, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reads {
    /// In the mean.
    Mean,
    /// In attention and in the mean.
    Both,
    /// In attention alone.
    AttentionAlone,
    /// The wrong way round.
    Inverted,
    /// Nowhere.
    Nowhere,
}

/// Attention over tokens, and a mean.
#[derive(Debug)]
pub struct Pooled {
    tokens: nn::Embedding,
    scores: nn::Linear,
    hidden: nn::Linear,
    head: nn::Linear,
    reads: Reads,
}

impl Pooled {
    fn new(path: &nn::Path, reads: Reads) -> Self {
        Self {
            tokens: nn::embedding(path / "tokens", TOKENS, WIDTH, Default::default()),
            scores: linear(path / "scores", WIDTH, WIDTH),
            hidden: linear(path / "hidden", WIDTH, 32),
            head: linear(path / "head", 32, 3),
            reads,
        }
    }
}

impl Model for Pooled {
    fn outputs(&self, batch: &Batch, _train: bool) -> Outputs {
        let (mask, mut x) = (batch.input("mask"), self.tokens.forward(batch.input("ids")));
        if matches!(self.reads, Reads::Both | Reads::AttentionAlone) {
            let scores = self.scores.forward(&x).matmul(&x.transpose(1, 2));
            let out = mask.eq(0.0).unsqueeze(1);
            x = scores.masked_fill(&out, f64::NEG_INFINITY).softmax(-1, None).matmul(&x) + x;
        }
        let weights = match self.reads {
            Reads::Mean | Reads::Both => mask.shallow_clone(),
            Reads::Inverted => 1.0 - mask,
            Reads::AttentionAlone | Reads::Nowhere => mask.ones_like(),
        };
        let weights = weights.unsqueeze(-1);
        let sum = |x: Tensor| x.sum_dim_intlist([1_i64].as_slice(), false, None::<Kind>);
        let mean = sum(x * &weights) / sum(weights).clamp_min(1.0);
        self.head.forward(&self.hidden.forward(&mean).relu()).into()
    }
}

/// The mean over what the mask leaves.
pub fn sound(path: &nn::Path) -> Pooled {
    Pooled::new(path, Reads::Mean)
}

/// Attention and the mean under the mask.
pub fn attentive(path: &nn::Path) -> Pooled {
    Pooled::new(path, Reads::Both)
}

/// The wrong way round.
pub fn inverted(path: &nn::Path) -> Pooled {
    Pooled::new(path, Reads::Inverted)
}

/// Not read.
pub fn ignored(path: &nn::Path) -> Pooled {
    Pooled::new(path, Reads::Nowhere)
}

/// Attention minds the mask, the mean does not.
pub fn mean_of_all(path: &nn::Path) -> Pooled {
    Pooled::new(path, Reads::AttentionAlone)
}

/// A mean of embeddings over the mask, with nothing done for rows that have no positions.
pub struct PlainMean {
    tokens: nn::Embedding,
    head: nn::Linear,
}

impl Model for PlainMean {
    fn outputs(&self, batch: &Batch, _train: bool) -> Outputs {
        let mask = batch.input("mask");
        let sum = (self.tokens.forward(batch.input("ids")) * mask.unsqueeze(-1)).sum_dim_intlist(1, false, Kind::Float);
        let mean = sum / mask.sum_dim_intlist(1, true, Kind::Float);
        Outputs::new().with("output", self.head.forward(&mean))
    }
}

/// A mean over the mask.
pub fn plain_mean(path: &nn::Path) -> PlainMean {
    let tokens = nn::embedding(path / "tokens", TOKENS, WIDTH, Default::default());
    PlainMean { tokens, head: linear(path / "head", WIDTH, 3) }
}
