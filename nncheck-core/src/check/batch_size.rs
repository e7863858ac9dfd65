//! `batch_size`: the batch is in reason with the noise of the gradients.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::seen;
use super::evidence::{answer, typical};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::{number, times};
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::noise_scale::{NoiseScale, NoiseScaleAsk};
use crate::measurement::{Measurement, Request};
use crate::spec::Subject;
use crate::spec::property::Level;

/// The batch is neither far smaller nor far larger than the noise of the gradients asks for.
///
/// ## What it measures
/// The gradient noise scale tr(Sigma) / |G|^2 after `after` training steps, in eval mode: Sigma is the covariance (n - 1) of the gradients of
/// the first `rows` training examples taken one by one, G their mean, all parameters together, and from |G|^2 is taken what the mean of so few examples has of noise itself,
/// tr(Sigma) / n. Judged is the batch of one optimizer step (`batch` times `accumulate`) over it, on a log scale.
///
/// ## Why it matters
/// Far below the noise scale a step goes mostly where chance points, and half the batch needs twice the steps; far above it a
/// larger batch hardly improves the step and costs its time.
///
/// ## Usual causes
/// A batch of one or two because of memory; a batch of thousands for data that says the same over and over.
///
/// ## What to try
/// A batch near the noise scale, which grows while training goes on; `[train] accumulate` where memory is short. The learning rate goes with it: in proportion
/// for SGD, with its root for Adam.
///
/// ## Defaults
/// From 0.002 to 100 times the noise scale of 128 rows after 50 steps, as a warning: 19 sound and unusual programs with batches of 32 had 0.013 to 6.5. Where the rows' mean gradient is nothing but noise, the
/// scale is beyond what they can tell, and only the upper edge is judged, against their number.
///
/// ## Sources
/// S. `McCandlish`, J. Kaplan, D. Amodei and others, An Empirical Model of Large-Batch Training (2018).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BatchSize {
    /// After how many training steps.
    pub after: usize,
    /// Of how many of the first training rows.
    pub rows: NonZeroUsize,
}

impl Default for BatchSize {
    fn default() -> Self {
        Self { after: 50, rows: super::parameter::count(128) }
    }
}

const BAND: Band = Band { min: Some(0.002), max: Some(100.0), expect: None };

impl CheckType for BatchSize {
    const INFO: Info = Info {
        id: "batch_size",
        stage: Stage::Parameters,
        rule: Rule::Mean,
        takes_band: true,
        narrows: &[],
        trains: true,
        causes: &[
            CauseInfo {
                id: "batch_small",
                what: "the batch is so small that steps go mostly where chance points",
                cure: "raise `batch`, or `accumulate` in [train]",
            },
            CauseInfo {
                id: "batch_large",
                what: "the batch is so large that most of it repeats what the rest says",
                cure: "lower `batch`, and take more steps",
            },
        ],
    };
    const LEVEL: Level = Level::Warn;
}

impl BatchSize {
    /// Rows of one optimizer step.
    fn batch(subject: &Subject, seen: &NoiseScale) -> f64 {
        let batch = subject.data.batch.min(seen.facts.examples.max(1)) * subject.train.accumulate.max(1);
        #[expect(clippy::cast_precision_loss, reason = "batches are far smaller than 2^53 rows")]
        let batch = batch as f64;
        batch
    }

    /// The noise scale, or the least that it can be.
    fn scale(seen: &NoiseScale) -> (f64, bool) {
        #[expect(clippy::cast_precision_loss, reason = "rows are few")]
        let rows = seen.rows as f64;
        seen.unbiased().map_or((rows, false), |scale| (scale, true))
    }
}

impl Check for BatchSize {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![NoiseScaleAsk { rows: self.rows.get(), after: self.after }.into()]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &NoiseScale| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        if seen.trace == 0.0 && seen.mean_square == 0.0 {
            return Sample::Nothing("all gradients are zero: look at `parameters_update`".to_owned());
        }
        if !(seen.trace.is_finite() && seen.mean_square.is_finite()) {
            return Sample::Nothing("the gradients are not finite: look at `finite`".to_owned());
        }
        let (scale, known) = Self::scale(seen);
        match context.band(&seen.facts, BAND) {
            Err(why) => Sample::Unanswerable(why),
            Ok(band) => Sample::Seen(vec![Entry {
                name: None,
                value: Some(Self::batch(context.subject, seen) / scale.max(f64::MIN_POSITIVE)),
                band: Some(if known { band } else { Band { min: None, ..band } }),
                scale: Scale::Log,
            }]),
        }
    }

    fn quantity(&self) -> &'static str {
        "batch over the gradient noise scale"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some((batch, scale)) = self.numbers(context, taken) else { return Vec::new() };
        let after = self.after;
        let numbers = format!(
            "the gradient noise scale is {} after {after} steps and the batch {}",
            number(scale),
            number(batch)
        );
        if judged.value.zip(judged.band.max).is_some_and(|(value, max)| value > max) {
            let help =
                format!("{numbers}, {} times as large: lower `batch`, and take more steps", times(batch / scale));
            return vec![Cause { id: "batch_large", help }];
        }
        let help =
            format!("{numbers}, {} times smaller: raise `batch`, or `accumulate` in [train]", times(scale / batch));
        vec![Cause { id: "batch_small", help }]
    }

    fn suggestion(&self, context: &Context<'_>, taken: &[Vec<Measurement>]) -> Option<String> {
        let (_, scale) = self.numbers(context, taken)?;
        // Of a scale that is beyond what the rows can tell, nobody knows how far beyond.
        let told = |seed: &Vec<Measurement>| answer::<NoiseScale>(seed, 0).is_ok_and(|seen| seen.unbiased().is_some());
        if !taken.iter().all(told) {
            return None;
        }
        Some(format!("a batch near {}", number(scale.max(1.0).round())))
    }

    fn remark(&self, context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Option<String> {
        let (batch, scale) = self.numbers(context, taken)?;
        Some(format!(
            "the noise scale after {} steps suggests a batch near {}; it is {}",
            self.after,
            number(scale.max(1.0).round()),
            number(batch)
        ))
    }
}

impl BatchSize {
    /// The batch, and the noise scale in the median over the seeds.
    fn numbers(&self, context: &Context<'_>, taken: &[Vec<Measurement>]) -> Option<(f64, f64)> {
        let first: &NoiseScale = answer(taken.first()?, 0).ok()?;
        let scale = typical(taken, |seed| Some(Self::scale(answer(seed, 0).ok()?).0))?;
        Some((Self::batch(context.subject, first), scale))
    }
}

#[cfg(test)]
#[path = "tests/batch_size.rs"]
mod tests;
