//! `dropout`.

use schemars::JsonSchema;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use super::{Layer, LayerKind, Misfit, Rule};
use crate::diagnostic::Located;

/// Zeroes entries at random in train mode and scales the others by `1 / (1 - p)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dropout {
    /// Share of the entries that are zeroed.
    #[serde(default = "half", deserialize_with = "share")]
    pub p: f64,
}

fn half() -> f64 {
    0.5
}

pub(super) fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let p = f64::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&p) {
        Ok(p)
    } else {
        Err(Error::custom(format_args!("expected a share from 0 to 1, found {p}")))
    }
}

/// Sets the share of every dropout layer; how many there are.
pub(crate) fn set_all(layers: &mut [Located<Layer>], p: f64) -> usize {
    layers
        .iter_mut()
        .map(|layer| {
            let share = match &mut layer.value.kind {
                LayerKind::Dropout(l) => &mut l.p,
                // It is between layers: a single one has none.
                LayerKind::Lstm(l) | LayerKind::Gru(l) if l.num_layers > 1 => &mut l.dropout,
                LayerKind::MultiheadAttention(l) => &mut l.dropout,
                LayerKind::TransformerEncoderLayer(l) => &mut l.dropout,
                LayerKind::Residual(l) => return set_all(&mut l.layers, p),
                _ => return 0,
            };
            *share = p;
            1
        })
        .sum()
}

impl Rule for Dropout {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        Ok(input.to_vec())
    }
}
