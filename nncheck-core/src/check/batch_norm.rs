//! `batch_norm`: running statistics are the data's, and batches are large enough for them.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::answer;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::normalisation::{Normalisation, NormalisationAsk, Normalised};
use crate::measurement::{Measurement, Request};
use crate::spec::Subject;
use crate::spec::layer::{Layer, LayerKind};
use crate::spec::model::ModelSource;

/// Batches of which the data's statistics are taken.
const BATCHES: usize = 16;

/// Batch norm's running statistics are those of the data, and batches are large enough for them.
///
/// ## What it measures
/// After `steps` training steps, on a copy, for each layer that keeps `running_mean` and `running_var`: the statistics of 16
/// batches of training rows at the parameters of then, in train mode. *updates*: the share of a batch's statistics that the
/// running ones take over in a step (PyTorch's `momentum`), which must not be zero. *mean*: root mean square over the channels
/// of (running mean - mean) / standard deviation. *variance*: exp of the mean of |ln(running variance / variance)|, which is 1 where
/// they agree; both variances with the 1e-5 that batch norm adds. *batch*: root mean square of (mean of a batch - mean) / standard deviation, about 1/sqrt(values a channel).
///
/// ## Why it matters
/// In eval mode the running statistics stand for the batch's. Where they are others, the model that is evaluated is not the
/// one that was trained; and where a batch's statistics are mostly noise, neither is the next batch's.
///
/// ## Usual causes
/// Batch norm that runs in eval mode while it trains; a momentum in TensorFlow's convention (0.99 for 0.01, or 0.001); batches
/// of a few rows.
///
/// ## What to try
/// Pass the train flag on; momentum 0.1, or at least three over the number of steps; batches of 16 or more, or group norm.
///
/// ## Defaults
/// 200 steps. A mean within half a standard deviation, a variance within a factor of 2: sound programs are within 0.1 and 1.2. Batch
/// noise of at most half a standard deviation, which four independent values a channel have.
///
/// ## Sources
/// Ioffe & Szegedy (2015); Wu & Johnson (2021), Rethinking "Batch" in `BatchNorm`; PyTorch's documentation of `BatchNorm1d`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BatchNorm {
    /// After how many training steps.
    pub steps: NonZeroUsize,
    /// The most that running means may be off, in standard deviations.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub mean: f64,
    /// The factor by which running variances may be off.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub variance: f64,
    /// The most that a batch's mean may be off, in standard deviations.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub noise: f64,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { steps: super::parameter::count(200), mean: 0.5, variance: 2.0, noise: 0.5 }
    }
}

impl CheckType for BatchNorm {
    const INFO: Info = Info {
        id: "batch_norm",
        stage: Stage::Parameters,
        rule: Rule::Mean,
        takes_band: false,
        narrows: &[crate::spec::property::Narrow::Layers],
        trains: true,
        causes: &[
            CauseInfo {
                id: "never_updated",
                what: "running statistics never move: batch norm is in eval mode while it trains",
                cure: "pass the train flag on to the layer",
            },
            CauseInfo {
                id: "small_batch",
                what: "batches are so small that their statistics are noise",
                cure: "use larger batches, or group norm",
            },
            CauseInfo {
                id: "lagging",
                what: "running statistics lag behind the data's: the momentum is too small for so few steps",
                cure: "use PyTorch's momentum of 0.1, and mind that other libraries count from the other end",
            },
        ],
    };
}

impl Check for BatchNorm {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![NormalisationAsk { after: self.steps.get(), batches: BATCHES }.into()]
    }

    fn moot(&self, context: &Context<'_>) -> Option<String> {
        let ModelSource::Layers(layers) = &context.subject.model.source else { return None };
        let any = layers.iter().any(|layer| normalises(&layer.value));
        (!any).then(|| "there is no batch norm among the layers".to_owned())
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen: &Normalisation = match answer(taken, 0) {
            Ok(seen) => seen,
            Err(why) => return Sample::Unanswerable(why),
        };
        if seen.layers.is_empty() {
            return Sample::Nothing("no layer keeps running statistics".to_owned());
        }
        let mut entries = Vec::new();
        for layer in &seen.layers {
            let judged = !context.allows_parameter(&format!("{}.weight", layer.layer));
            let mut entry = |what: &str, value: Option<f64>, min: Option<f64>, max: Option<f64>, scale: Scale| {
                entries.push(Entry {
                    name: Some(format!("{} ({what})", layer.layer)),
                    value,
                    band: (judged && value.is_some()).then_some(Band { min, max, expect: None }),
                    scale,
                });
            };
            entry("updates", Some(layer.momentum), Some(f64::MIN_POSITIVE), None, Scale::Linear);
            entry("mean", layer.mean_off, None, Some(self.mean), Scale::Linear);
            entry("variance", layer.variance_off, None, Some(self.variance), Scale::Log);
            entry("batch", layer.batch_noise, None, Some(self.noise), Scale::Linear);
        }
        if entries.iter().all(|entry| entry.band.is_none()) {
            return Sample::Nothing("every layer is allowed to be as it is".to_owned());
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "running statistics"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some((rows, layers)) = taken
            .iter()
            .filter_map(|seed| answer::<Normalisation>(seed, 0).ok())
            .map(|seen| (seen.rows, &seen.layers))
            .next()
        else {
            return Vec::new();
        };
        let outside = |layer: &Normalised, what: &str| {
            let name = format!("{} ({what})", layer.layer);
            judged.outside.contains(&name)
        };
        let first = |what: &[&str]| layers.iter().find(|l| what.iter().any(|what| outside(l, what)));
        let mut causes = Vec::new();
        if let Some(layer) = first(&["updates"]) {
            causes.push(Cause {
                id: "never_updated",
                help: format!(
                    "the running statistics of {} do not move in train mode: pass the train flag on to it (`forward_t(xs, train)`)",
                    layer.layer
                ),
            });
        }
        if let Some(layer) = first(&["batch"]) {
            causes.push(Cause {
                id: "small_batch",
                help: format!(
                    "the mean of a batch of {rows} rows is off by {} standard deviations at {}: use batches of {} rows or more, or group norm",
                    number(layer.batch_noise.unwrap_or(f64::NAN)),
                    layer.layer,
                    16.max(rows * 2)
                ),
            });
        }
        if let Some(layer) = first(&["mean", "variance"]) {
            #[expect(clippy::cast_precision_loss, reason = "steps are few")]
            let steps = self.steps.get() as f64;
            let left = (1.0 - layer.momentum).powf(steps);
            let try_it = if left > 0.05 {
                format!(
                    "with a momentum of {} they still hold {} of what they began with after {} steps: use 0.1",
                    number(layer.momentum),
                    number(left),
                    self.steps
                )
            } else {
                format!(
                    "with a momentum of {} they cannot follow weights that move so fast: {}",
                    number(layer.momentum),
                    context.try_lr(0.3)
                )
            };
            causes.push(Cause {
                id: "lagging",
                help: format!(
                    "the running mean of {} is off by {} standard deviations and its variance by a factor of {}: {try_it}",
                    layer.layer,
                    number(layer.mean_off.unwrap_or(f64::NAN)),
                    number(layer.variance_off.unwrap_or(f64::NAN))
                ),
            });
        }
        causes
    }
}

fn normalises(layer: &Layer) -> bool {
    match &layer.kind {
        LayerKind::BatchNorm1d(l) => l.track_running_stats,
        LayerKind::BatchNorm2d(l) => l.track_running_stats,
        LayerKind::Residual(residual) => residual.layers.iter().any(|layer| normalises(&layer.value)),
        _ => false,
    }
}

#[cfg(test)]
#[path = "tests/batch_norm.rs"]
mod tests;
