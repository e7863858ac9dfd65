//! `[run]`: how properties are run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How properties are run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// How many seeds to begin with.
    pub seeds: u32,
    /// The first seed.
    pub seed: u64,
    /// How many seeds at most, where the first ones do not decide.
    pub max_seeds: u32,
    /// Confidence of the verdicts, between 0 and 1.
    pub confidence: f64,
}

impl Default for Run {
    fn default() -> Self {
        Self { seeds: 5, seed: 0, max_seeds: 40, confidence: 0.99 }
    }
}

/// Number format of parameters and data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// 32 bits.
    #[default]
    Float32,
    /// 64 bits.
    Float64,
}

/// Where the model lives: `cpu`, `cuda`, `cuda:1`, `mps`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// A CUDA device by its number.
    Cuda(u32),
    /// Apple's GPU.
    Mps,
}
