//! `flatten`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::activation::axis;
use super::{Misfit, Rule};

/// Makes the axes from `start_dim` to `end_dim` one, the batch being axis 0; negative ones count from the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Flatten {
    /// The first axis.
    #[serde(alias = "start", default = "first")]
    #[schemars(extend("x-aliases" = ["start"]))]
    pub start_dim: i64,
    /// The last axis.
    #[serde(alias = "end", default = "last")]
    #[schemars(extend("x-aliases" = ["end"]))]
    pub end_dim: i64,
}

fn first() -> i64 {
    1
}

fn last() -> i64 {
    -1
}

impl Rule for Flatten {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let Self { start_dim, end_dim } = *self;
        let axes = input.len() + 1;
        let (Some(start), Some(end)) = (axis(start_dim, axes), axis(end_dim, axes)) else {
            return Err(Misfit::takes(format!("joins the axes {start_dim} to {end_dim}, the batch being axis 0")));
        };
        if start == 0 {
            return Err(Misfit::Arguments("it would mix the examples of a batch; start at axis 1".to_owned()));
        }
        if start > end {
            return Err(Misfit::Arguments(format!("its first axis {start_dim} comes after its last {end_dim}")));
        }
        let (before, rest) = input.split_at(start - 1);
        let (joined, after) = rest.split_at(end + 1 - start);
        let joined = joined.iter().fold(1_usize, |a, &b| a.saturating_mul(b));
        Ok([before, &[joined], after].concat())
    }
}
