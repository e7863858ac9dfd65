//! Shapes, checked before anything is built.

use super::{Layer, Misfit};
use crate::diagnostic::Located;

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
    let mut shape = input.to_vec();
    let mut inferred: Vec<Layer> = Vec::with_capacity(layers.len());
    for (index, layer) in layers.iter().enumerate() {
        let Layer { name, mut kind } = layer.value.clone();
        let called = match &name {
            Some(name) => format!("{} `{name}`", kind.name()),
            None => format!("{} (layer {index})", kind.name()),
        };
        let name = name.unwrap_or_else(|| index.to_string());
        if let Some(other) = inferred.iter().position(|l| l.name.as_ref() == Some(&name)) {
            return Err(LayerError {
                index,
                message: format!("the layers {other} and {index} are both named `{name}`"),
                help: Some("give each layer a name of its own; one without a name is named by its index".to_owned()),
            });
        }
        shape = kind.rule().output(&shape).map_err(|misfit| {
            let (message, help) = match misfit {
                Misfit::Arguments(what) => (format!("{called} cannot be built: {what}"), None),
                Misfit::Input { takes, help } => {
                    let before = if index == 0 { "the data" } else { "the layer before it" };
                    (format!("{called} {takes}, but {before} gives {shape:?}"), help)
                }
            };
            LayerError { index, message, help }
        })?;
        inferred.push(Layer { name: Some(name), kind });
    }
    Ok(Inferred { layers: inferred, output: shape })
}
