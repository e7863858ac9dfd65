//! Layers of a spec as libtorch modules, with PyTorch's names of parameters, initialisation and forward pass. One file a
//! family; a new layer of the spec language is one line in [`build`].

mod activation;
mod conv;
mod dropout;
mod init;
mod linear;
mod norm;
mod pool;
mod sequential;
mod shape;

use nncheck_core::spec::layer::{Layer, LayerKind, Pair};
use tch::nn::Path;

use activation::Activation;
pub use sequential::Sequential;

/// Builds layers below `path`. Parameters are named `<layer name or index>.<weight|bias|...>`, so that the state dict of a
/// PyTorch `nn.Sequential` loads, and are drawn in PyTorch's order, so that its seeds give the same ones.
///
/// # Panics
/// When a size is missing: layers come from [`nncheck_core::spec::layer::infer`], which fills them in.
#[must_use]
pub fn build(path: &Path<'_>, layers: &[Layer]) -> Sequential {
    let mut modules = Sequential::default();
    for (index, layer) in layers.iter().enumerate() {
        let own = match &layer.name {
            Some(name) => path.sub(name),
            None => path.sub(index),
        };
        match &layer.kind {
            LayerKind::Linear(l) => modules.push(linear::Linear::new(&own, l)),
            LayerKind::Conv2d(l) => modules.push(conv::Conv2d::new(&own, l)),
            LayerKind::BatchNorm1d(l) => modules.push(norm::BatchNorm::new(&own, l)),
            LayerKind::BatchNorm2d(l) => modules.push(norm::BatchNorm::new(&own, l)),
            LayerKind::Relu(_) => modules.push(Activation::Relu),
            LayerKind::Tanh(_) => modules.push(Activation::Tanh),
            LayerKind::Sigmoid(_) => modules.push(Activation::Sigmoid),
            LayerKind::Gelu(l) => modules.push(Activation::Gelu(l.approximate)),
            LayerKind::Softmax(l) => modules.push(Activation::Softmax { dim: l.dim }),
            LayerKind::LogSoftmax(l) => modules.push(Activation::LogSoftmax { dim: l.dim }),
            LayerKind::Dropout(l) => modules.push(dropout::Dropout { p: l.p }),
            LayerKind::Flatten(l) => modules.push(shape::Flatten { start: l.start_dim, end: l.end_dim }),
            LayerKind::MaxPool2d(l) => modules.push(pool::MaxPool2d::new(l)),
            LayerKind::AdaptiveAvgPool2d(l) => modules.push(pool::AdaptiveAvgPool2d { size: pair(l.size) }),
        }
    }
    modules
}

/// A size as libtorch has it; sizes in specs are far below where it would not fit.
fn size(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A size that may be left out of a spec.
fn inferred(n: Option<usize>) -> i64 {
    size(n.expect("layers are built after their shapes are inferred"))
}

fn pair(pair: Pair) -> [i64; 2] {
    pair.0.map(size)
}
