//! Shapes, checked before anything is built.

use super::{Layer, Misfit};
use crate::diagnostic::{Located, Span};

/// A model whose layers fit each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Inferred {
    /// The layers, with every size filled in and every name resolved.
    pub layers: Vec<Layer>,
    /// The shape of the output for one example.
    pub output: Vec<usize>,
}

/// A layer that does not fit the one before it, or the data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LayerError {
    /// Which layer.
    pub index: usize,
    /// Where it, or the layer inside it that is to blame, stands.
    pub span: Span,
    /// What does not fit.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Fills in what the spec left out, for examples of the shape `input` (without the batch axis), and checks that each
/// layer fits the one before it.
///
/// # Errors
/// For the first layer that does not fit, and for a name that two layers share.
pub fn infer(layers: &[Located<Layer>], input: &[usize]) -> Result<Inferred, LayerError> {
    chain(layers, input, "the data")
}

/// The same for layers inside another one.
pub(super) fn within(layers: &[Located<Layer>], input: &[usize]) -> Result<Inferred, LayerError> {
    chain(layers, input, "the input of the layer around it")
}

fn chain(layers: &[Located<Layer>], input: &[usize], source: &str) -> Result<Inferred, LayerError> {
    let mut shape = input.to_vec();
    let mut inferred: Vec<Layer> = Vec::with_capacity(layers.len());
    for (index, layer) in layers.iter().enumerate() {
        let span = layer.span;
        let Layer { name, init, mut kind } = layer.value.clone();
        let called = match &name {
            Some(name) => format!("{} `{name}`", kind.name()),
            None => format!("{} (layer {index})", kind.name()),
        };
        let name = name.unwrap_or_else(|| index.to_string());
        if let Some(other) = inferred.iter().position(|l| l.name.as_ref() == Some(&name)) {
            return Err(LayerError {
                index,
                span,
                message: format!("the layers {other} and {index} are both named `{name}`"),
                help: Some("give each layer a name of its own; one without a name is named by its index".to_owned()),
            });
        }
        shape = kind.rule().output(&shape).map_err(|misfit| {
            let (message, help) = match misfit {
                Misfit::Inside(inner) => {
                    return LayerError { index, message: format!("in {called}: {}", inner.message), ..inner };
                }
                Misfit::Arguments(what) => (format!("{called} cannot be built: {what}"), None),
                Misfit::Input { takes, help } => {
                    let before = if index == 0 { source } else { "the layer before it" };
                    (format!("{called} {takes}, but {before} gives {shape:?}"), help)
                }
            };
            LayerError { index, span, message, help }
        })?;
        inferred.push(Layer { name: Some(name), init, kind });
    }
    Ok(Inferred { layers: inferred, output: shape })
}
