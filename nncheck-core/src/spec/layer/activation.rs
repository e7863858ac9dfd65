//! Activations: functions of each entry, or of each row.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Misfit, Rule};
use crate::spec::values::bounds;

/// `max(0, x)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Relu {}

/// The hyperbolic tangent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tanh {}

/// `1 / (1 + exp(-x))`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sigmoid {}

/// `x` times the normal distribution function of `x`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gelu {
    /// How it is computed.
    #[serde(default)]
    pub approximate: Approximate,
}

/// How `gelu` is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Approximate {
    /// By the error function.
    #[default]
    None,
    /// By the hyperbolic tangent.
    Tanh,
}

/// `x` where it is above zero, and `negative_slope * x` elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeakyRelu {
    /// The slope below zero.
    #[serde(alias = "slope", default = "hundredth", deserialize_with = "bounds::finite")]
    #[schemars(extend("x-aliases" = ["slope"]))]
    pub negative_slope: f64,
}

/// `x` where it is above zero, and `alpha * (exp(x) - 1)` elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Elu {
    /// What it goes down to.
    #[serde(default = "one", deserialize_with = "bounds::finite")]
    pub alpha: f64,
}

/// `x / (1 + exp(-x))`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Silu {}

/// `softmax` and `log_softmax`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Softmax {
    /// The axis that sums to one, the batch being axis 0; negative ones count from the last.
    #[serde(default = "last")]
    pub dim: i64,
}

fn hundredth() -> f64 {
    0.01
}

fn one() -> f64 {
    1.0
}

fn last() -> i64 {
    -1
}

macro_rules! of_each_entry {
    ($($kind:ty),*) => {$(
        impl Rule for $kind {
            fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
                Ok(input.to_vec())
            }
        }
    )*};
}

of_each_entry!(Relu, LeakyRelu, Elu, Silu, Tanh, Sigmoid, Gelu);

impl Rule for Softmax {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        axis(self.dim, input.len() + 1)
            .ok_or_else(|| Misfit::takes(format!("works along axis {}, the batch being axis 0", self.dim)))?;
        Ok(input.to_vec())
    }
}

/// An axis by its number, negative ones from the last; `None` where there is none of that number.
pub(super) fn axis(dim: i64, axes: usize) -> Option<usize> {
    let axes = i64::try_from(axes).ok()?;
    let dim = if dim < 0 { dim.checked_add(axes)? } else { dim };
    if (0..axes).contains(&dim) { usize::try_from(dim).ok() } else { None }
}
