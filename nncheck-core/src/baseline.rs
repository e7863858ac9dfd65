//! The baseline: the numbers of a training program that were accepted, seed by seed, in a file beside its spec
//! (`specs/digits.baseline.json` beside `specs/digits.toml`), and the smallest change of each that can be told.

mod file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::{Scale, mean, student};

pub use file::{Broken, read, write};

/// Version of the file's format.
pub const VERSION: u32 = 1;

/// With fewer seeds than this no baseline is taken where nobody says how many: at five a number has to change by four of its
/// standard deviations to be told, at ten by two, at twenty by one.
pub const SEEDS: u32 = 10;

/// A number of a training program that is held against its baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Numbers in all parameters.
    Parameters,
    /// The loss before training.
    InitialLoss,
    /// L2 norm of the whole gradient in the first training step.
    GradientNorm,
    /// Mean loss of the last tenth of the training steps.
    FinalLoss,
    /// The metric after training, on the validation share where there is one.
    Metric,
}

impl Quantity {
    /// All of them, in the order of a training.
    pub const ALL: [Self; 5] = [Self::Parameters, Self::InitialLoss, Self::GradientNorm, Self::FinalLoss, Self::Metric];

    /// As it is written in specs and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::InitialLoss => "initial_loss",
            Self::GradientNorm => "gradient_norm",
            Self::FinalLoss => "final_loss",
            Self::Metric => "metric",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quantity| quantity.name() == name)
    }

    /// Whether chance has no part in it, so that any change is one.
    #[must_use]
    pub fn is_exact(self) -> bool {
        self == Self::Parameters
    }
}

/// A file: what was accepted of each property of one spec.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// [`VERSION`].
    pub version: u32,
    /// By property, on a ladder `RUNG::PROPERTY`.
    pub properties: BTreeMap<String, Accepted>,
}

/// What was accepted of one property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "file::Unproven")]
pub struct Accepted {
    /// nncheck's version.
    pub nncheck: String,
    /// tch's version; `None` where the build does not tell.
    pub tch: Option<String>,
    /// libtorch's version.
    pub libtorch: Option<String>,
    /// What was measured.
    pub measured: Measured,
    /// The numbers; every quantity has the same seeds.
    pub quantities: BTreeMap<Quantity, Values>,
}

/// What decides which numbers are measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Training steps.
    pub steps: usize,
    /// The metric, where one is among the quantities.
    pub metric: Option<String>,
}

/// A quantity's accepted numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Values {
    /// Mean over the seeds.
    pub mean: f64,
    /// Standard deviation (n - 1) over the seeds.
    pub spread: f64,
    /// The smallest change that can be told, as a share of [`Values::unit`], if other random numbers are drawn.
    pub told: f64,
    /// Seed by seed.
    #[serde(deserialize_with = "file::seeds")]
    pub seeds: BTreeMap<u64, f64>,
}

impl Values {
    /// The numbers of at least two seeds; `told` is what [`Values::can_tell`] says. `None` where they are too far apart to be
    /// reckoned with.
    #[must_use]
    pub fn of(seeds: BTreeMap<u64, f64>, told: impl FnOnce(&Self) -> f64) -> Option<Self> {
        let numbers: Vec<f64> = seeds.values().copied().collect();
        let spread = student::spread(&numbers)?;
        let mean = mean(&numbers, Scale::Linear)?;
        let mut values = Self { mean, spread, told: 0.0, seeds };
        values.told = told(&values);
        [mean, spread, values.told].iter().all(|v| v.is_finite()).then_some(values)
    }

    /// What a change is a share of: the mean's size, or the spread where that is larger, as of a score near zero; one where
    /// both are zero.
    #[must_use]
    pub fn unit(&self) -> f64 {
        let unit = self.mean.abs().max(self.spread);
        if unit == 0.0 { 1.0 } else { unit }
    }

    /// The smallest change of the mean, as a share of it, that can be told with this confidence from the chance of other
    /// random numbers: the difference of two means of as many seeds, of this spread.
    #[must_use]
    pub fn can_tell(&self, confidence: f64) -> f64 {
        let n = self.seeds.len();
        let t = student::quantile(n, 1.0 - confidence);
        if self.spread == 0.0 {
            0.0
        } else {
            t * self.spread * (2.0 / crate::judge::number::count(n)).sqrt() / self.unit()
        }
    }
}

/// What a check that is held against a baseline is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// What was accepted; `None`: nothing yet.
    pub accepted: Option<Accepted>,
    /// How sure a change has to be, of all numbers of the spec's file together.
    pub confidence: f64,
    /// How many numbers in all the properties of the spec's file search for a change.
    pub searched: usize,
    /// The seed that the run begins with.
    pub first_seed: u64,
    /// What was accepted and belongs to no property any more, in words: one may be what this one, or its spec, was called.
    pub unclaimed: Vec<String>,
    /// Where the numbers are taken to be accepted instead of held against what was: with how many seeds.
    pub accepting: Option<u32>,
}

impl Held {
    /// The confidence of one number's interval: the error is shared out (Bonferroni).
    #[must_use]
    pub fn of_one(&self) -> f64 {
        1.0 - (1.0 - self.confidence) / crate::judge::number::count(self.searched.max(1))
    }
}

/// The name of a property in its spec's file.
#[must_use]
pub fn key(rung: Option<&str>, property: &str) -> String {
    rung.map_or_else(|| property.to_owned(), |rung| format!("{rung}::{property}"))
}

/// How the names of the files end.
pub const ENDING: &str = ".baseline.json";

/// The file beside a spec.
#[must_use]
pub fn path(spec: &Path) -> PathBuf {
    spec.with_extension(&ENDING[1..])
}

#[cfg(test)]
mod tests;
