//! `batch_norm1d` and `batch_norm2d`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::norm::eps;
use super::{Misfit, Rule, size, yes};
use crate::spec::values::bounds;

/// Normalises each channel by the batch's statistics in train mode, and by running ones in eval mode; `D` is the number
/// of axes beside the channels that PyTorch's name of it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchNorm<const D: usize> {
    /// Channels; may be left out.
    #[serde(alias = "num_features", default, deserialize_with = "size::optional")]
    #[schemars(extend("x-aliases" = ["num_features"]))]
    pub features: Option<usize>,
    /// Added to the variance.
    #[serde(default = "eps", deserialize_with = "bounds::not_negative")]
    pub eps: f64,
    /// Share of the batch's statistics in the running ones.
    #[serde(default = "momentum", deserialize_with = "bounds::not_negative")]
    pub momentum: f64,
    /// Whether there are a weight and a bias.
    #[serde(default = "yes")]
    pub affine: bool,
    /// Whether there are running statistics.
    #[serde(default = "yes")]
    pub track_running_stats: bool,
}

fn momentum() -> f64 {
    0.1
}

impl<const D: usize> Rule for BatchNorm<D> {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let (fits, wanted) = match D {
            1 => (matches!(input.len(), 1 | 2), "[features] or [features, length]"),
            _ => (input.len() == 3, "[channels, height, width]"),
        };
        let &[channels, ..] = input else {
            return Err(Misfit::takes(format!("takes {wanted}")));
        };
        if !fits {
            let misfit = Misfit::takes(format!("takes {wanted}"));
            return Err(match (D, input.len()) {
                (1, 3) => misfit.help("use `batch_norm2d`"),
                (2, 1 | 2) => misfit.help("use `batch_norm1d`"),
                _ => misfit,
            });
        }
        let features = *self.features.get_or_insert(channels);
        if features != channels {
            return Err(Misfit::takes(format!("takes {features} features"))
                .help(format!("set `features = {channels}`, or leave `features` out")));
        }
        Ok(input.to_vec())
    }
}
