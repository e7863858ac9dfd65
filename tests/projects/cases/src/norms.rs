//! Batch norm that is not what it should be.

use tch::Tensor;
use tch::nn::{self, Module, ModuleT};

use crate::parts::linear;

/// Batch norm that runs in eval mode whatever it is told.
pub fn always_eval(path: &nn::Path) -> impl ModuleT {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    let norm = nn::batch_norm1d(path / "norm", 32, Default::default());
    nn::func_t(move |x, _train| head.forward(&norm.forward_t(&hidden.forward(x), false).relu()))
}

/// Dropout by hand: a mask, and a division where `scaled`.
fn dropped(x: &Tensor, p: f64, scaled: bool) -> Tensor {
    let kept = x * x.rand_like().ge(p).to_kind(x.kind());
    if scaled { kept / (1.0 - p) } else { kept }
}

fn with_dropout(path: &nn::Path, drop: impl Fn(&Tensor, bool) -> Tensor + Send + 'static) -> impl ModuleT {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    nn::func_t(move |x, train| head.forward(&drop(&hidden.forward(x).relu(), train)))
}

/// Dropout by hand, as it should be.
pub fn by_hand(path: &nn::Path) -> impl ModuleT {
    with_dropout(path, |x, train| if train { dropped(x, 0.3, true) } else { x.shallow_clone() })
}

/// Two towers put side by side and a gate, with dropout behind each.
pub fn dropout_behind_towers(path: &nn::Path) -> impl ModuleT {
    let (left, right) = (linear(path / "left", 8, 16), linear(path / "right", 8, 16));
    let (gate, head) = (linear(path / "gate", 32, 32), linear(path / "head", 32, 3));
    nn::func_t(move |x, train| {
        let both = Tensor::cat(&[left.forward(x).relu(), right.forward(x).tanh() * 5.0], 1).dropout(0.3, train);
        let gated = (&both * gate.forward(&both).sigmoid()).dropout(0.3, train);
        head.forward(&gated)
    })
}

/// Dropout by hand, without the division.
pub fn not_scaled(path: &nn::Path) -> impl ModuleT {
    with_dropout(path, |x, train| if train { dropped(x, 0.3, false) } else { x.shallow_clone() })
}

/// Dropout that drops in eval mode too.
pub fn dropout_always(path: &nn::Path) -> impl ModuleT {
    with_dropout(path, |x, _train| x.dropout(0.5, true))
}

/// Dropout that never drops.
pub fn dropout_never(path: &nn::Path) -> impl ModuleT {
    with_dropout(path, |x, _train| x.dropout(0.5, false))
}

/// Dropout of nine tenths.
pub fn dropout_of_most(path: &nn::Path) -> impl ModuleT {
    with_dropout(path, |x, train| x.dropout(0.9, train))
}

/// A normalisation that rests, as in fine-tuning.
pub fn resting(path: &nn::Path) -> impl ModuleT {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    let norm = nn::batch_norm1d(path / "norm", 32, Default::default());
    nn::func_t(move |x, _train| head.forward(&norm.forward_t(&hidden.forward(x), false).relu()))
}
