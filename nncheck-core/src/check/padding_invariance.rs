//! `padding_invariance`: what stands at masked positions changes nothing.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::{at_most, seen, worst};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Judged, Rule, Sample};
use crate::measurement::{Measurement, Padding, PaddingAsk, Request};
use crate::spec::Subject;

/// What stands at the positions that a mask takes out changes nothing.
///
/// ## What it measures
/// In eval mode, on rows whose mask takes out some positions: other contents are put there (other tokens, features of
/// other rows), for each input that the mask belongs to. The value is the largest change of the outputs over their spread,
/// max |f(x) - f(x')| / sqrt(mean variance over the rows); of outputs for each position, only those that the mask leaves
/// count. It is taken of a copy of the model in float64 where it runs in it, constant parameters moved a little, with
/// libtorch's generator in the same state both times.
///
/// ## Why it matters
/// A model that reads padding learns from the lengths of its batches, and answers to one text in different ways, depending on
/// what it is batched with.
///
/// ## Usual causes
/// The mask is not handed on to one of the places that need it (attention, pooling, the loss); it is applied the wrong way
/// round; a mean is taken over all positions instead of those that are left.
///
/// ## What to try
/// Multiply by the mask before a sum over positions, and divide by the number of those that are left; fill attention scores
/// with minus infinity where the mask takes out. Say `masked = 1` where ones of the mask are the padding.
///
/// ## Defaults
/// 16 rows, and a change of at most 1e-5 of the spread. The mask is the one input of zeros and ones that has the positions
/// of another input; `mask` names it where that does not tell. What it takes out is 0 (`masked`).
///
/// ## Sources
/// PyTorch's documentation of `MultiheadAttention` (`key_padding_mask`).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PaddingInvariance {
    /// Rows in a batch.
    pub rows: NonZeroUsize,
    /// The largest change that holds, over the spread of the outputs.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub tolerance: f64,
    /// The input that is the mask, where there is a choice.
    pub mask: Option<String>,
    /// What the mask holds at the positions that it takes out: 0 or 1.
    #[serde(deserialize_with = "bit")]
    pub masked: u8,
}

impl Default for PaddingInvariance {
    fn default() -> Self {
        Self { rows: super::parameter::count(16), tolerance: 1e-5, mask: None, masked: 0 }
    }
}

impl CheckType for PaddingInvariance {
    const INFO: Info = Info {
        id: "padding_invariance",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "mask_inverted",
                what: "the mask is read the wrong way round: the model sees the padding, and nothing else",
                cure: "swap its zeros and ones, or say `masked = 1` where ones are the padding",
            },
            CauseInfo {
                id: "mask_ignored",
                what: "the mask is not read at all",
                cure: "hand it on to attention and pooling",
            },
            CauseInfo {
                id: "mask_in_part",
                what: "the mask is read in one place and forgotten in another, such as a mean over all positions",
                cure: "mask wherever positions are summed up: attention, mean, maximum, the recurrence's last state",
            },
        ],
    };
}

impl Check for PaddingInvariance {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![PaddingAsk { rows: self.rows.get(), mask: self.mask.clone(), masked: self.masked == 1 }.into()]
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &Padding| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        Sample::Seen(seen.changed.iter().map(|(name, by)| at_most(name, *by, self.tolerance)).collect())
    }

    fn quantity(&self) -> &'static str {
        "change with what is masked"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = worst::<Padding>(judged, taken) else { return Vec::new() };
        let what = format!(
            "the outputs change by {} of their spread with `{}` at the {} of {} positions that `{}` takes out",
            number(judged.value.unwrap_or(f64::NAN)),
            judged.at.as_deref().unwrap_or("the input"),
            seen.masked.0,
            seen.masked.1,
            seen.mask
        );
        let cause = if seen.left <= self.tolerance {
            Cause {
                id: "mask_inverted",
                help: format!(
                    "{what}, and not at all with those that it leaves: swap zeros and ones where the model reads it, or say `masked = {}` if the model is right",
                    1 - self.masked
                ),
            }
        } else if seen.unmasked <= self.tolerance {
            Cause { id: "mask_ignored", help: format!("{what}, and not at all with the mask itself: it is not read") }
        } else {
            Cause {
                id: "mask_in_part",
                help: format!(
                    "{what}; the mask is read, but not everywhere: look for a mean, a maximum or an attention over all positions"
                ),
            }
        };
        vec![cause]
    }
}

/// 0 or 1.
fn bit<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    match u8::deserialize(deserializer)? {
        bit @ (0 | 1) => Ok(bit),
        other => Err(serde::de::Error::custom(format_args!("{other} is out of range, expected 0 or 1"))),
    }
}

#[cfg(test)]
#[path = "tests/padding_invariance.rs"]
mod tests;
