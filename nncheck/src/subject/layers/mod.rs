//! Layers of a spec as libtorch modules, with PyTorch's names of parameters, initialisation and forward pass. One file a
//! family; a new layer of the spec language is one line in [`build`].

mod activation;
mod attention;
mod conv;
mod dropout;
mod embedding;
mod init;
mod linear;
mod norm;
mod parameters;
mod pool;
mod recurrent;
mod residual;
mod sequential;
mod shape;

use nncheck_core::spec::layer::{Layer, LayerKind, Sizes};
use tch::nn::{ModuleT, Path};

use activation::Activation;
use parameters::Parameters;
use recurrent::Cell;
pub use sequential::Sequential;

/// Builds layers below `path`. Parameters are named `<layer name or index>.<weight|bias|...>`, so that the state dict of a
/// PyTorch `nn.Sequential` loads, and are drawn in PyTorch's order, so that its seeds give the same ones.
///
/// # Panics
/// When a size is missing: layers come from [`nncheck_core::spec::layer::infer`], which fills them in.
#[must_use]
pub fn build(path: &Path<'_>, layers: &[Layer]) -> Sequential {
    chain(path, layers.iter())
}

fn chain<'l>(path: &Path<'_>, layers: impl Iterator<Item = &'l Layer>) -> Sequential {
    let mut modules = Sequential::default();
    for (index, layer) in layers.enumerate() {
        let own = Parameters::below(match &layer.name {
            Some(name) => path.sub(name),
            None => path.sub(index),
        });
        modules.push(module(&own, &layer.kind));
        init::apply(&own, layer.init);
    }
    modules
}

fn module(own: &Parameters<'_>, kind: &LayerKind) -> Box<dyn ModuleT> {
    match kind {
        LayerKind::Linear(l) => Box::new(linear::Linear::new(own, l)),
        LayerKind::Conv1d(l) => Box::new(conv::Conv::new(own, l)),
        LayerKind::Conv2d(l) => Box::new(conv::Conv::new(own, l)),
        LayerKind::ConvTranspose2d(l) => Box::new(conv::ConvTranspose2d::new(own, l)),
        LayerKind::BatchNorm1d(l) => Box::new(norm::BatchNorm::new(own, l)),
        LayerKind::BatchNorm2d(l) => Box::new(norm::BatchNorm::new(own, l)),
        LayerKind::LayerNorm(l) => Box::new(norm::LayerNorm::new(own, l)),
        LayerKind::GroupNorm(l) => Box::new(norm::GroupNorm::new(own, l)),
        LayerKind::Embedding(l) => Box::new(embedding::Embedding::new(own, l)),
        LayerKind::Lstm(l) => Box::new(recurrent::Recurrent::new(own, Cell::Lstm, l)),
        LayerKind::Gru(l) => Box::new(recurrent::Recurrent::new(own, Cell::Gru, l)),
        LayerKind::MultiheadAttention(l) => Box::new(attention::MultiheadAttention::new(own, l)),
        LayerKind::TransformerEncoderLayer(l) => Box::new(attention::TransformerEncoderLayer::new(own, l)),
        LayerKind::Relu(_) => Box::new(Activation::Relu),
        LayerKind::LeakyRelu(l) => Box::new(Activation::LeakyRelu { slope: l.negative_slope }),
        LayerKind::Elu(l) => Box::new(Activation::Elu { alpha: l.alpha }),
        LayerKind::Gelu(l) => Box::new(Activation::Gelu(l.approximate)),
        LayerKind::Silu(_) => Box::new(Activation::Silu),
        LayerKind::Tanh(_) => Box::new(Activation::Tanh),
        LayerKind::Sigmoid(_) => Box::new(Activation::Sigmoid),
        LayerKind::Softmax(l) => Box::new(Activation::Softmax { dim: l.dim }),
        LayerKind::LogSoftmax(l) => Box::new(Activation::LogSoftmax { dim: l.dim }),
        LayerKind::Dropout(l) => Box::new(dropout::Dropout { p: l.p }),
        LayerKind::MaxPool2d(l) => Box::new(pool::MaxPool2d::new(l)),
        LayerKind::AvgPool2d(l) => Box::new(pool::AvgPool2d::new(l)),
        LayerKind::AdaptiveAvgPool2d(l) => Box::new(pool::AdaptiveAvgPool2d { size: sizes(l.size) }),
        LayerKind::Flatten(l) => Box::new(shape::Flatten { start: l.start_dim, end: l.end_dim }),
        LayerKind::Reshape(l) => Box::new(shape::Reshape { shape: l.shape.clone() }),
        LayerKind::Residual(l) => {
            Box::new(residual::Residual { layers: chain(own.path(), l.layers.iter().map(|layer| &layer.value)) })
        }
        LayerKind::LastStep(_) => Box::new(recurrent::LastStep),
    }
}

/// A size as libtorch has it; sizes in specs are far below where it would not fit.
fn size(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A size that may be left out of a spec.
fn inferred(n: Option<usize>) -> i64 {
    size(n.expect("layers are built after their shapes are inferred"))
}

fn sizes<const D: usize>(sizes: Sizes<D>) -> [i64; D] {
    sizes.0.map(size)
}
