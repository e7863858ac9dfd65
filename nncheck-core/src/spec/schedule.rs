//! `schedule`: how the learning rate changes from step to step of the optimizer. Names and defaults are PyTorch's,
//! except that what PyTorch calls `T_max`, `total_iters` and `total_steps` is `steps` everywhere.

mod course;
mod read;

use std::num::NonZeroU64;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::bounds;
pub use course::Course;
pub(crate) use read::schema;

/// A schedule of the learning rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Which one, with its own settings.
    pub kind: ScheduleKind,
    /// Steps before it begins, over which the rate rises in equal parts: of `n` steps, step `i` (from 0) has
    /// `(i + 1) / (n + 1)` of the full rate. PyTorch's `LinearLR(start_factor = 1 / (n + 1), total_iters = n)`.
    pub warmup: u64,
}

/// The schedules that nncheck knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ScheduleKind {
    /// The full rate.
    Constant,
    /// PyTorch's `StepLR`.
    Step(Step),
    /// PyTorch's `ExponentialLR`.
    Exponential(Exponential),
    /// PyTorch's `CosineAnnealingLR`.
    Cosine(Cosine),
    /// PyTorch's `LinearLR`.
    Linear(Linear),
    /// PyTorch's `OneCycleLR`.
    OneCycle(OneCycle),
    /// PyTorch's `ReduceLROnPlateau`, of the loss of each step.
    Plateau(Plateau),
}

/// Settings of `kind = "constant"`: none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Constant {}

/// Settings of `kind = "step"`: falls by a factor every so many steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Steps between two falls.
    pub step_size: NonZeroU64,
    /// The factor.
    #[serde(default = "tenth", deserialize_with = "bounds::positive")]
    pub gamma: f64,
}

/// Settings of `kind = "exponential"`: falls by a factor every step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exponential {
    /// The factor.
    #[serde(deserialize_with = "bounds::positive")]
    pub gamma: f64,
}

/// Settings of `kind = "cosine"`: half a cosine from the full rate down to `eta_min`. Goes up again after `steps`, as
/// in PyTorch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cosine {
    /// Steps from the full rate to the lowest; PyTorch's `T_max`.
    #[serde(alias = "T_max")]
    #[schemars(extend("x-aliases" = ["T_max"]))]
    pub steps: NonZeroU64,
    /// The lowest rate.
    #[serde(default, deserialize_with = "bounds::not_negative")]
    pub eta_min: f64,
}

/// Settings of `kind = "linear"`: a straight line between two factors of the rate, then the last of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Linear {
    /// Factor of the first step.
    #[serde(default = "third", deserialize_with = "bounds::share")]
    pub start_factor: f64,
    /// Factor from `steps` on.
    #[serde(default = "one", deserialize_with = "bounds::zero_to_one")]
    pub end_factor: f64,
    /// Steps from the first factor to the last; PyTorch's `total_iters`.
    #[serde(default = "five", alias = "total_iters")]
    #[schemars(extend("x-aliases" = ["total_iters"]))]
    pub steps: NonZeroU64,
}

/// Settings of `kind = "one_cycle"`: up to `max_lr` and far down again, the momentum the other way round. Stays at the
/// last rate after `steps`, where PyTorch refuses to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OneCycle {
    /// The highest rate; `lr` without it. (The cycle takes no other notice of `lr`.)
    #[serde(default, deserialize_with = "bounds::positive_if_any")]
    pub max_lr: Option<f64>,
    /// Steps of the whole cycle; PyTorch's `total_steps`.
    #[serde(alias = "total_steps")]
    #[schemars(extend("x-aliases" = ["total_steps"]))]
    pub steps: NonZeroU64,
    /// The share of the steps that goes up.
    #[serde(default = "three_tenths", deserialize_with = "bounds::zero_to_one")]
    pub pct_start: f64,
    /// The way between the rates.
    #[serde(default)]
    pub anneal_strategy: Anneal,
    /// Cycles the momentum (of Adam, the first beta) against the rate.
    #[serde(default = "yes")]
    pub cycle_momentum: bool,
    /// The lowest momentum.
    #[serde(default = "base_momentum", deserialize_with = "bounds::below_one")]
    pub base_momentum: f64,
    /// The highest momentum.
    #[serde(default = "max_momentum", deserialize_with = "bounds::below_one")]
    pub max_momentum: f64,
    /// The first rate is `max_lr` over this.
    #[serde(default = "div_factor", deserialize_with = "bounds::positive")]
    pub div_factor: f64,
    /// The last rate is the first over this.
    #[serde(default = "final_div_factor", deserialize_with = "bounds::positive")]
    pub final_div_factor: f64,
    /// Goes back to the first rate before it goes down to the last.
    #[serde(default)]
    pub three_phase: bool,
}

/// The way between two rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// Half a cosine.
    #[default]
    Cos,
    /// A straight line.
    Linear,
}

/// Settings of `kind = "plateau"`: falls by a factor when the loss of the steps no longer falls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plateau {
    /// The factor.
    #[serde(default = "tenth", deserialize_with = "bounds::within_one")]
    pub factor: f64,
    /// Steps without a better loss that are let pass.
    #[serde(default = "ten")]
    pub patience: u64,
    /// How much better a loss has to be to count.
    #[serde(default = "threshold", deserialize_with = "bounds::not_negative")]
    pub threshold: f64,
    /// Whether `threshold` is a share of the best loss or a difference from it.
    #[serde(default)]
    pub threshold_mode: ThresholdMode,
    /// Steps after a fall before losses count again.
    #[serde(default)]
    pub cooldown: u64,
    /// The lowest rate.
    #[serde(default, deserialize_with = "bounds::not_negative")]
    pub min_lr: f64,
    /// Falls smaller than this are left out.
    #[serde(default = "eps", deserialize_with = "bounds::not_negative")]
    pub eps: f64,
}

/// What a threshold is measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdMode {
    /// A share of the best loss.
    #[default]
    Rel,
    /// The loss's own units.
    Abs,
}

fn one() -> f64 {
    1.0
}

fn third() -> f64 {
    1.0 / 3.0
}

fn tenth() -> f64 {
    0.1
}

fn three_tenths() -> f64 {
    0.3
}

fn five() -> NonZeroU64 {
    const { NonZeroU64::new(5).unwrap() }
}

fn ten() -> u64 {
    10
}

fn yes() -> bool {
    true
}

fn base_momentum() -> f64 {
    0.85
}

fn max_momentum() -> f64 {
    0.95
}

fn div_factor() -> f64 {
    25.0
}

fn final_div_factor() -> f64 {
    1e4
}

fn threshold() -> f64 {
    1e-4
}

fn eps() -> f64 {
    1e-8
}
