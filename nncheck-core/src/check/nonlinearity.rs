//! `nonlinearity`: a model of several layers is more than one straight line.

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::{seen, worst};
use super::evidence::some_names;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::{Measurement, Request, Response, ResponseAsk};
use crate::spec::Subject;

/// Rows in a batch; shared with `input_dependence`.
const ROWS: usize = 16;
/// What float32 leaves of a difference that is zero.
const SINGLE_PRECISION: f64 = 1e-5;
/// Operators that bend nothing.
const STRAIGHT: [&str; 12] =
    ["linear", "addmm", "matmul", "mm", "bmm", "conv", "norm", "add", "sub", "mean", "dropout", "pool"];

/// A model with more than one layer of weights does more than one layer could.
///
/// ## What it measures
/// In eval mode, for rows a and b of the data: the largest of |f(0.3 a + 0.7 b) - 0.3 f(a) - 0.7 f(b)| over the largest of
/// |f(a) - f(b)|. It is 0 where f is a straight line. It is taken of a copy of the model in float64 where it runs in it,
/// constant parameters moved a little.
///
/// ## Why it matters
/// Layers without an activation between them are one layer: the depth costs time and memory and adds nothing. On simple data
/// the loss does not tell.
///
/// ## Usual causes
/// The activation between two layers was forgotten, or is the identity; activations are there, but no unit ever leaves the
/// straight part of its curve.
///
/// ## What to try
/// Put an activation between each two layers of weights.
///
/// ## Defaults
/// At least 1e-9 (1e-5 where the model does not run in float64): without activation it is 1e-16, sound models have 0.014 and
/// more. Models in
/// which no layer of weights stands behind another are meant to be straight, and are skipped.
///
/// ## Sources
/// I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 6.1.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Nonlinearity {
    /// The least that holds, where the model runs in float64.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub least: f64,
}

impl Default for Nonlinearity {
    fn default() -> Self {
        Self { least: 1e-9 }
    }
}

impl CheckType for Nonlinearity {
    const INFO: Info = Info {
        id: "nonlinearity",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "no_activation",
                what: "there is no activation between the layers: together they are one",
                cure: "put one between each two layers of weights",
            },
            CauseInfo {
                id: "straight_activation",
                what: "the activations that are there bend nothing: every unit stays on the straight part of its curve",
                cure: "look at biases and at the scale of the inputs",
            },
        ],
    };
}

impl Check for Nonlinearity {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![ResponseAsk { rows: ROWS, features: false }.into()]
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &Response| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        if seen.depth < 2 {
            return Sample::Nothing(
                "no layer of weights stands behind another: the model is meant to be a straight line".to_owned(),
            );
        }
        let Some(bend) = seen.bend else {
            let why = if seen.variation <= f64::EPSILON || seen.is_noise() {
                "the outputs do not change with the inputs: see `input_dependence`"
            } else {
                "the inputs are tokens, which cannot be mixed"
            };
            return Sample::Nothing(why.to_owned());
        };
        let least = if seen.precise { self.least } else { self.least.max(SINGLE_PRECISION) };
        let band = Band { min: Some(least), max: None, expect: None };
        Sample::Seen(vec![Entry { name: None, value: Some(bend), band: Some(band), scale: Scale::Linear }])
    }

    fn quantity(&self) -> &'static str {
        "distance from a straight line"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = worst::<Response>(judged, taken) else { return Vec::new() };
        let what = format!(
            "f(0.3 a + 0.7 b) differs from 0.3 f(a) + 0.7 f(b) by {} of the difference of f(a) and f(b)",
            number(judged.value.unwrap_or(f64::NAN))
        );
        let straight = |operator: &str| STRAIGHT.iter().any(|word| operator.contains(word));
        let bends: Vec<String> = seen
            .layers
            .iter()
            .filter(|layer| !straight(&layer.operator) || layer.operator.contains("softmax"))
            .map(|layer| format!("{} in {}", layer.operator, layer.name))
            .collect();
        let layers: Vec<&str> = seen
            .layers
            .iter()
            .filter(|layer| ["linear", "addmm", "conv"].iter().any(|word| layer.operator.contains(word)))
            .map(|layer| layer.name.as_str())
            .collect();
        let missing = Cause {
            id: "no_activation",
            help: format!("{what}: put an activation (`relu`, `tanh`) between {}", some_names(&layers)),
        };
        if bends.is_empty() {
            return vec![missing];
        }
        let help = format!(
            "{what}, though there is {}: no unit leaves the straight part of its curve; look at biases and at the scale of the inputs",
            some_names(&bends)
        );
        vec![Cause { id: "straight_activation", help }, missing]
    }
}

#[cfg(test)]
#[path = "tests/nonlinearity.rs"]
mod tests;
