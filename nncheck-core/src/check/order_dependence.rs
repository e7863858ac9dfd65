//! `order_dependence`: a model of sequences tells their order.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::{seen, worst};
use super::evidence::some_names;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::{Measurement, Request, Sequence, SequenceAsk};
use crate::spec::Subject;

/// A model of sequences puts out something else when their positions change places.
///
/// ## What it measures
/// In eval mode, the positions between the first and the last are put in reverse; outputs for each position are put back
/// into their places. The value is the largest change over the spread of the outputs: max |f(x) - f(reversed x)| /
/// sqrt(mean variance over the rows). It is taken of a copy of the model in float64 where it runs in it, constant parameters
/// moved a little (a positional embedding that starts at zero counts), with libtorch's generator in the same state both
/// times.
///
/// ## Why it matters
/// Attention does not know the order of what it looks at: without a positional encoding a transformer reads a bag of words.
/// It trains, and stays behind what it could do.
///
/// ## Usual causes
/// The positional encoding is not added, is the same at every position, or is added after the positions were averaged.
///
/// ## What to try
/// Add a positional encoding or embedding to the input of the first attention, broadcast over the rows, not over the
/// positions.
///
/// ## Defaults
/// 8 rows, and a change of at least 1e-5 of the spread: without positional encoding it is 5e-7 in float32 and 1e-15 in
/// float64, sound models have 0.09 and more. It is asked of models that attend or recur; `any_model` asks it of all that
/// take sequences.
///
/// ## Sources
/// A. Vaswani et al., Attention Is All You Need (2017), section 3.5: positional encoding.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OrderDependence {
    /// Rows in a batch.
    pub rows: NonZeroUsize,
    /// The smallest change that holds, over the spread of the outputs.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub least: f64,
    /// Also where the model neither attends nor recurs.
    pub any_model: bool,
}

impl Default for OrderDependence {
    fn default() -> Self {
        Self { rows: super::parameter::count(8), least: 1e-5, any_model: false }
    }
}

impl CheckType for OrderDependence {
    const INFO: Info = Info {
        id: "order_dependence",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "no_positions",
                what: "attention without a positional encoding: the model reads a bag of words",
                cure: "add a positional encoding to the input of the first attention",
            },
            CauseInfo {
                id: "pooled",
                what: "positions are averaged before anything looks at their order",
                cure: "let a recurrence, a convolution or an attention with positions look at them first",
            },
        ],
    };
}

impl Check for OrderDependence {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![SequenceAsk { rows: self.rows.get() }.into()]
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &Sequence| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        if seen.mixers.is_empty() && !self.any_model {
            return Sample::Nothing(
                "the model neither attends nor recurs: it may well mean to read without order (`any_model = true` asks all the same)"
                    .to_owned(),
            );
        }
        let Some(value) = seen.reversed else {
            return Sample::Nothing("the sequences read the same whichever way round".to_owned());
        };
        let band = Band { min: Some(self.least), max: None, expect: None };
        Sample::Seen(vec![Entry { name: None, value: Some(value), band: Some(band), scale: Scale::Linear }])
    }

    fn quantity(&self) -> &'static str {
        "change when positions change places"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = worst::<Sequence>(judged, taken) else { return Vec::new() };
        let what = format!(
            "with the inner ones of {} positions in reverse, the outputs change by {} of their spread",
            seen.length,
            number(judged.value.unwrap_or(f64::NAN))
        );
        if seen.mixers.is_empty() {
            let help = format!("{what}: nothing looks at the positions before they are averaged");
            return vec![Cause { id: "pooled", help }];
        }
        let help = format!(
            "{what}: {} cannot tell the positions apart; add a positional encoding to its input, one that differs from position to position",
            some_names(&seen.mixers.iter().map(|mixer| &mixer.name).collect::<Vec<_>>())
        );
        vec![Cause { id: "no_positions", help }]
    }
}

#[cfg(test)]
#[path = "tests/order_dependence.rs"]
mod tests;
