//! `embedding`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Misfit, Rule, size};

/// A vector for each token; its input holds the numbers of tokens, from 0 on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Embedding {
    /// How many tokens there are.
    #[serde(alias = "num_embeddings", deserialize_with = "size::one")]
    #[schemars(extend("x-aliases" = ["num_embeddings"]))]
    pub size: usize,
    /// The length of a vector.
    #[serde(alias = "embedding_dim", deserialize_with = "size::one")]
    #[schemars(extend("x-aliases" = ["embedding_dim"]))]
    pub dim: usize,
    /// A token whose vector is zero at first and has no gradient; negative ones count from the last.
    #[serde(default)]
    pub padding_idx: Option<i64>,
    /// Whether gradients are divided by how often the token is in the batch.
    #[serde(default)]
    pub scale_grad_by_freq: bool,
}

impl Embedding {
    /// The token whose vector is zero, counted from the first.
    #[must_use]
    pub fn padding(&self) -> Option<i64> {
        let size = i64::try_from(self.size).unwrap_or(i64::MAX);
        self.padding_idx.map(|token| if token < 0 { token.saturating_add(size) } else { token })
    }
}

impl Rule for Embedding {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        if let (Some(token), Some(written)) = (self.padding(), self.padding_idx)
            && usize::try_from(token).map_or(true, |token| token >= self.size)
        {
            return Err(Misfit::Arguments(format!(
                "its `padding_idx` = {written} is none of its {} tokens",
                self.size
            )));
        }
        Ok([input, &[self.dim]].concat())
    }
}
