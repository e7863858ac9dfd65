//! `[train]`: how a training step is made.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::DeTable;

use super::name::read_path;
use super::read::{Place, Reader};
use crate::diagnostic::Located;

/// How a training step is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Train {
    /// The user's own step, by path.
    pub step: Option<Located<String>>,
    /// Micro-batches to an optimizer step, at least 1.
    pub accumulate: usize,
}

impl Default for Train {
    fn default() -> Self {
        Self { step: None, accumulate: 1 }
    }
}

/// How a training step is made.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "train")]
pub(crate) struct TrainTable {
    /// The training step of your own, by path: `fn(&dyn nncheck::Model, &mut dyn nncheck::Optimize, &nncheck::Batch) -> Tensor`.
    #[schemars(with = "Option<String>")]
    step: Option<Spanned<String>>,
    /// Micro-batches to an optimizer step.
    #[serde(default = "one")]
    accumulate: NonZeroUsize,
}

fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

impl Train {
    /// Reads `[train]`.
    pub(crate) fn read(reader: &mut Reader<'_>, place: Place<'_>, table: &DeTable<'_>) -> Option<Self> {
        let raw = reader.value::<TrainTable>(place, table, &[]).value?;
        let step = match raw.step {
            None => None,
            Some(path) => Some(read_path(reader, &path)?),
        };
        Some(Self { step, accumulate: raw.accumulate.get() })
    }
}
