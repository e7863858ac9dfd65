//! The names that the parameters of layers will have, told from the spec alone: PyTorch's, as the state dict of an
//! `nn.Sequential` has them.

use super::{Layer, LayerKind};
use crate::diagnostic::Located;

/// The names of all parameters of layers, buffers such as running statistics left out.
#[must_use]
pub fn parameter_names(layers: &[Located<Layer>]) -> Vec<String> {
    let mut names = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let own = layer.value.name.clone().unwrap_or_else(|| index.to_string());
        names.extend(of_kind(&layer.value.kind).into_iter().map(|name| format!("{own}.{name}")));
    }
    names
}

/// The names of one layer's parameters, below its own.
fn of_kind(kind: &LayerKind) -> Vec<String> {
    match kind {
        LayerKind::Linear(l) => weight_and(l.bias),
        LayerKind::Conv1d(l) => weight_and(l.bias),
        LayerKind::Conv2d(l) => weight_and(l.bias),
        LayerKind::ConvTranspose2d(l) => weight_and(l.bias),
        LayerKind::BatchNorm1d(l) => affine(l.affine, true),
        LayerKind::BatchNorm2d(l) => affine(l.affine, true),
        LayerKind::LayerNorm(l) => affine(l.elementwise_affine, l.bias),
        LayerKind::GroupNorm(l) => affine(l.affine, true),
        LayerKind::Embedding(_) => weight_and(false),
        LayerKind::Lstm(l) | LayerKind::Gru(l) => {
            let kinds = if l.bias {
                &["weight_ih", "weight_hh", "bias_ih", "bias_hh"][..]
            } else {
                &["weight_ih", "weight_hh"]
            };
            let directions = if l.bidirectional { &["", "_reverse"][..] } else { &[""] };
            let of_layer = |layer: usize| {
                directions.iter().flat_map(move |way| kinds.iter().map(move |kind| format!("{kind}_l{layer}{way}")))
            };
            (0..l.num_layers).flat_map(of_layer).collect()
        }
        LayerKind::MultiheadAttention(l) => attention(l.bias),
        LayerKind::TransformerEncoderLayer(l) => {
            let of = |part: &str, names: Vec<String>| {
                names.into_iter().map(move |name| format!("{part}.{name}")).collect::<Vec<_>>()
            };
            let parts = ["linear1", "linear2", "norm1", "norm2"].map(|part| of(part, weight_and(l.bias)));
            of("self_attn", attention(l.bias)).into_iter().chain(parts.into_iter().flatten()).collect()
        }
        LayerKind::Residual(l) => parameter_names(&l.layers),
        LayerKind::Relu(_)
        | LayerKind::LeakyRelu(_)
        | LayerKind::Elu(_)
        | LayerKind::Gelu(_)
        | LayerKind::Silu(_)
        | LayerKind::Tanh(_)
        | LayerKind::Sigmoid(_)
        | LayerKind::Softmax(_)
        | LayerKind::LogSoftmax(_)
        | LayerKind::Dropout(_)
        | LayerKind::MaxPool2d(_)
        | LayerKind::AvgPool2d(_)
        | LayerKind::AdaptiveAvgPool2d(_)
        | LayerKind::Flatten(_)
        | LayerKind::Reshape(_)
        | LayerKind::LastStep(_) => Vec::new(),
    }
}

fn weight_and(bias: bool) -> Vec<String> {
    let names = if bias { &["weight", "bias"][..] } else { &["weight"] };
    names.iter().map(|&name| name.to_owned()).collect()
}

fn affine(affine: bool, bias: bool) -> Vec<String> {
    if affine { weight_and(bias) } else { Vec::new() }
}

fn attention(bias: bool) -> Vec<String> {
    let names: &[&str] = if bias {
        &["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"]
    } else {
        &["in_proj_weight", "out_proj.weight"]
    };
    names.iter().map(|&name| name.to_owned()).collect()
}
