//! `precision_parity`: float32 and float64 agree.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::parity;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::{Judged, Rule, Sample};
use crate::measurement::parity::{Other, ParityAsk};
use crate::measurement::{Measurement, Request};
use crate::spec::Subject;

/// Outputs in float32 and in float64 agree.
///
/// ## What it measures
/// In eval mode, on some training rows, of two copies of the model with the same parameters (constant ones moved a little),
/// one in float32 and one in float64: the largest difference of any output over the spread of the
/// outputs, max |f(x) - f'(x)| / sqrt(mean variance over the rows). The report names the first operator whose output differs.
///
/// ## Why it matters
/// Where they do not, the numbers that training goes by are rounding errors: gradients lose their direction, and a little more of
/// anything makes a NaN.
///
/// ## Usual causes
/// A difference of large numbers (a variance as E[x^2] - E[x]^2), a sum of numbers of very different size, an exponential
/// that overflows.
///
/// ## What to try
/// Subtract the mean before squaring; use `logsumexp`, `log_softmax` and the losses on logits; normalise inputs.
///
/// ## Defaults
/// 16 rows, and a difference of at most 1e-4 of the spread: sound models have 1e-6. A cast to half
/// precision inside the model rounds in both copies alike, and is not seen.
///
/// ## Sources
/// N. Higham, Accuracy and Stability of Numerical Algorithms (2002), chapter 1.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PrecisionParity {
    /// Rows in a batch.
    pub rows: NonZeroUsize,
    /// The largest difference that holds, over the spread of the outputs.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub tolerance: f64,
}

impl Default for PrecisionParity {
    fn default() -> Self {
        Self { rows: super::parameter::count(16), tolerance: 1e-4 }
    }
}

impl CheckType for PrecisionParity {
    const INFO: Info = Info {
        id: "precision_parity",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            parity::OVERFLOWS,
            CauseInfo {
                id: parity::DRIFTS,
                what: "rounding is blown up: a difference of large numbers",
                cure: "subtract before squaring or exponentiating, not afterwards",
            },
        ],
    };
}

impl Check for PrecisionParity {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![ParityAsk { rows: self.rows.get(), other: Other::Precision }.into()]
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        parity::sample(taken, self.tolerance)
    }

    fn quantity(&self) -> &'static str {
        "difference of the outputs"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        parity::diagnose(judged, taken, "look for a difference of large numbers")
    }
}
