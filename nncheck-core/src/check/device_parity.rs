//! `device_parity`: CPU and GPU agree.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::parity;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::{Judged, Rule, Sample};
use crate::measurement::parity::{Other, ParityAsk};
use crate::measurement::{Measurement, Request};
use crate::spec::Subject;

/// Outputs on the CPU and on the GPU agree.
///
/// ## What it measures
/// In eval mode, on some training rows, of two copies of the model with the same parameters (constant ones moved a little),
/// one on the CPU and one on the GPU: the largest difference of any output over the spread of the
/// outputs, max |f(x) - f'(x)| / sqrt(mean variance over the rows). The report names the first operator whose output differs.
///
/// ## Why it matters
/// A model that is trained on one device and used on the other is the same model only if they agree.
///
/// ## Usual causes
/// A tensor that is made anew on each device (a table of constants from another generator); an operator that behaves
/// otherwise; reduced precision of matrix products (TF32).
///
/// ## What to try
/// Make constants on the CPU and move them, or register them in the store. Turn TF32 off where the difference matters.
///
/// ## Defaults
/// 16 rows, and a difference of at most 1e-2 of the spread: TF32, which convolutions use by default, makes 1e-3.
/// Without a GPU that libtorch sees it is skipped.
///
/// ## Sources
/// PyTorch's notes on CUDA semantics and on reproducibility.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceParity {
    /// Rows in a batch.
    pub rows: NonZeroUsize,
    /// The largest difference that holds, over the spread of the outputs.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub tolerance: f64,
}

impl Default for DeviceParity {
    fn default() -> Self {
        Self { rows: super::parameter::count(16), tolerance: 1e-2 }
    }
}

impl CheckType for DeviceParity {
    const INFO: Info = Info {
        id: "device_parity",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            parity::OVERFLOWS,
            CauseInfo {
                id: parity::DRIFTS,
                what: "the two devices compute something else: constants made anew on each, an operator that behaves otherwise, TF32",
                cure: "make constants on the CPU and move them; turn TF32 off",
            },
        ],
    };
}

impl Check for DeviceParity {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![ParityAsk { rows: self.rows.get(), other: Other::Device }.into()]
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        parity::sample(taken, self.tolerance)
    }

    fn quantity(&self) -> &'static str {
        "difference of the outputs"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        parity::diagnose(judged, taken, "look for constants that are made anew on each device")
    }
}
