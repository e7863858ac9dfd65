//! A classifier of sequences with two inputs, tokens and a mask, as `nncheck::Model` has them. Beside the sound one stand
//! two with a mistake each.

use nncheck::{Batch, Model, Outputs};
use tch::Tensor;
use tch::nn::{self, Module};

/// Averages what the tokens under the mask are embedded as, and tells two classes by it.
#[derive(Debug)]
struct Pooled {
    embedding: nn::Embedding,
    hidden: nn::Linear,
    head: nn::Linear,
}

impl Pooled {
    fn new(path: &nn::Path) -> Self {
        Self {
            embedding: nn::embedding(path / "embedding", 20, 16, Default::default()),
            hidden: nn::linear(path / "hidden", 16, 32, Default::default()),
            head: nn::linear(path / "head", 32, 2, Default::default()),
        }
    }

    /// `ids` and `mask` are [N, T].
    fn pool(&self, ids: &Tensor, mask: &Tensor) -> Tensor {
        let mask = mask.unsqueeze(-1);
        let sum = (self.embedding.forward(ids) * &mask).sum_dim_intlist([1_i64].as_slice(), false, mask.kind());
        sum / mask.sum_dim_intlist([1_i64].as_slice(), false, mask.kind()).clamp_min(1.0)
    }

    fn classify(&self, pooled: &Tensor) -> Outputs {
        pooled.apply(&self.hidden).relu().apply(&self.head).into()
    }
}

/// The sound one.
#[derive(Debug)]
pub struct Masked(Pooled);

/// Builds the sound one.
pub fn masked(path: &nn::Path) -> Masked {
    Masked(Pooled::new(path))
}

impl Model for Masked {
    fn outputs(&self, batch: &Batch, _train: bool) -> Outputs {
        self.0.classify(&self.0.pool(batch.input("ids"), batch.input("mask")))
    }
}

/// The mask is read the wrong way round: only the padding is seen.
#[derive(Debug)]
pub struct Inverted(Pooled);

/// Builds the one with the inverted mask.
pub fn inverted(path: &nn::Path) -> Inverted {
    Inverted(Pooled::new(path))
}

impl Model for Inverted {
    fn outputs(&self, batch: &Batch, _train: bool) -> Outputs {
        self.0.classify(&self.0.pool(batch.input("ids"), &(1.0 - batch.input("mask"))))
    }
}

/// The pooled embedding is detached: the embedding never learns.
#[derive(Debug)]
pub struct Detached(Pooled);

/// Builds the one with the detached embedding.
pub fn detached(path: &nn::Path) -> Detached {
    Detached(Pooled::new(path))
}

impl Model for Detached {
    fn outputs(&self, batch: &Batch, _train: bool) -> Outputs {
        self.0.classify(&self.0.pool(batch.input("ids"), batch.input("mask")).detach())
    }
}
