//! `causality`: what a model puts out at a position depends on no later one.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::{at_most, seen, worst};
use super::evidence::some_names;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Judged, Rule, Sample};
use crate::measurement::trace::LayerSeen;
use crate::measurement::{Measurement, Request, Sequence, SequenceAsk};
use crate::spec::Subject;

/// What a model puts out at a position depends on no later position.
///
/// ## What it measures
/// In eval mode, the input is changed from some position s on (tokens to other tokens, features to those of other rows), for
/// s = 1, the middle and the last. The value is the largest change of any output in front of s, over the spread of the outputs:
/// max over t < s of |f(x)_t - f(x')_t| / sqrt(mean variance over the rows). It is taken of a copy of the model in float64
/// where it runs in it, constant parameters moved a little, with libtorch's generator in the same state both times.
///
/// ## Why it matters
/// A language model that sees the next token learns to copy it: its loss falls to nothing, and it writes nonsense.
///
/// ## Usual causes
/// No causal mask in an attention, or one that is off by one; convolutions padded on both sides; a recurrence that runs
/// both ways; a mean or a norm over the positions.
///
/// ## What to try
/// Mask attention above the diagonal (`triu(1)`), for queries and keys in this order. Pad convolutions on the left by
/// dilation x (kernel - 1). Normalise over features.
///
/// ## Defaults
/// 8 rows, and a change of at most 1e-5 of the spread: causal models have exactly 0. It is asked where each target is what the
/// input holds one position later, as in a language model; `any_target` asks it of every model with an output for each
/// position.
///
/// ## Sources
/// A. Karpathy, A Recipe for Training Neural Networks (2019), "use backprop to chart dependencies"; A. Vaswani et al.,
/// Attention Is All You Need (2017), section 3.2.3.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Causality {
    /// Rows in a batch.
    pub rows: NonZeroUsize,
    /// The largest change that holds, over the spread of the outputs.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub tolerance: f64,
    /// Also where the targets are not what the input holds one position later.
    pub any_target: bool,
}

impl Default for Causality {
    fn default() -> Self {
        Self { rows: super::parameter::count(8), tolerance: 1e-5, any_target: false }
    }
}

impl CheckType for Causality {
    const INFO: Info = Info {
        id: "causality",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "no_mask",
                what: "every position sees the whole sequence: no causal mask, a recurrence both ways, or a mean over positions",
                cure: "mask attention above the diagonal; run recurrences forwards alone; normalise over features",
            },
            CauseInfo {
                id: "looks_ahead",
                what: "a position sees a few of those that follow: a mask that is off by one, or convolutions padded on both sides",
                cure: "mask with `triu(1)`; pad convolutions on the left alone",
            },
        ],
    };
}

impl Check for Causality {
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
        if !seen.per_position {
            return Sample::Nothing("there is no target and no output for each position of the input".to_owned());
        }
        if !seen.next && !self.any_target {
            return Sample::Nothing(
                "the targets are not what the input holds one position later: later positions may be seen (`any_target = true` asks all the same)"
                    .to_owned(),
            );
        }
        Sample::Seen(seen.ahead.iter().map(|a| at_most(from(a.position), a.difference, self.tolerance)).collect())
    }

    fn quantity(&self) -> &'static str {
        "change in front of the positions that change"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = worst::<Sequence>(judged, taken) else { return Vec::new() };
        let by = number(judged.value.unwrap_or(f64::NAN));
        let at = judged.at.as_deref().unwrap_or("some position on");
        let what = format!(
            "with the input changed {at} (of {}), outputs in front of it change by {by} of the spread",
            seen.length
        );
        let cause = if seen.whole {
            let (recur, attend): (Vec<_>, Vec<_>) = seen.mixers.iter().partition(|mixer| mixer.recurs());
            let names = |layers: &[&LayerSeen]| some_names(&layers.iter().map(|l| &l.name).collect::<Vec<_>>());
            let mixers = match (attend.is_empty(), recur.is_empty()) {
                (false, _) => format!("mask {} above the diagonal (`triu(1)`)", names(&attend)),
                (true, false) => format!("run {} forwards alone", names(&recur)),
                (true, true) => "look for a mean or a norm over all positions".to_owned(),
            };
            Cause { id: "no_mask", help: format!("{what}, and the first output depends on the last input: {mixers}") }
        } else {
            Cause {
                id: "looks_ahead",
                help: format!(
                    "{what}, and an output depends on inputs up to {} {} later: a mask that is off by one (`triu(1)` leaves the diagonal), or a convolution padded on both sides",
                    seen.reach,
                    if seen.reach == 1 { "position" } else { "positions" }
                ),
            }
        };
        vec![cause]
    }
}

impl LayerSeen {
    /// Whether it is a recurrence.
    fn recurs(&self) -> bool {
        ["lstm", "gru", "rnn"].iter().any(|word| self.operator.contains(word))
    }
}

fn from(position: usize) -> String {
    format!("from position {position} on")
}

#[cfg(test)]
#[path = "tests/causality.rs"]
mod tests;
