//! `activation_scale`: signals keep their size through the depth.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::worst_seed;
use super::evidence::{answer, median};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::{number, times};
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::{Measurement, Request, UnitLayer, Units};
use crate::spec::Subject;

const DEFAULT_BAND: Band = Band { min: Some(0.01), max: Some(100.0), expect: Some(1.0) };

/// A spread below this share of the middle one is none.
const NOTHING: f64 = 1e-9;

/// Every layer's output varies about as much as those of the others.
///
/// ## What it measures
/// For every layer with weights (linear, convolution, recurrent, embedding): its spread over the median of all such layers'
/// spreads, on a log scale. The spread is the root mean square, over the units, of each unit's standard deviation over rows and
/// positions: how much the layer tells of its inputs, whatever its mean. Over the first `rows` training rows, after `after` training
/// steps, in train mode. The last layer, whose size the targets decide, and layers in front of a normalisation are listed and
/// not judged.
///
/// ## Why it matters
/// Where signals shrink or grow by a factor from layer to layer, gradients do the same on their way back, and the layers at one
/// end do not learn. Where a layer does not vary at all, nothing of the input is left behind it.
///
/// ## Usual causes
/// An initialiser that does not suit the activation or the width, multiplied by the depth; sigmoids in a deep stack; one layer of
/// another scale; a learning rate that blew one end up.
///
/// ## What to try
/// `kaiming_uniform` for rectifiers, `xavier_uniform` for tanh; residual connections; batch or layer norm between the layers.
///
/// ## Defaults
/// Within a factor of 100 of the middle one. Narrow bands are no use: [0.5, 2] alarms on 58 % of sound runs, since PyTorch's own
/// initialiser shrinks what passes a rectifier by 0.4 a layer.
///
/// ## Sources
/// K. He et al., Delving Deep into Rectifiers (2015); D. Mishkin, J. Matas, All you need is a good init (2016).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ActivationScale {
    /// After how many training steps.
    pub after: usize,
    /// Over how many of the first training rows.
    pub rows: NonZeroUsize,
}

impl Default for ActivationScale {
    fn default() -> Self {
        Self { after: 200, rows: super::parameter::count(1024) }
    }
}

impl CheckType for ActivationScale {
    const INFO: Info = Info {
        id: "activation_scale",
        stage: Stage::Connections,
        rule: Rule::Mean,
        takes_band: true,
        narrows: &[crate::spec::property::Narrow::Layers],
        trains: true,
        causes: &[
            CauseInfo {
                id: "constant",
                what: "a layer puts out the same for every row",
                cure: "look at what the layer is given: dead units, or an input that is lost",
            },
            CauseInfo {
                id: "vanishing",
                what: "signals shrink from layer to layer",
                cure: "initialise for the activation (`kaiming_uniform` for rectifiers), normalise between layers, or use fewer",
            },
            CauseInfo {
                id: "exploding",
                what: "signals grow from layer to layer",
                cure: "initialise for the width (`kaiming_uniform`, `xavier_uniform`), or normalise between layers",
            },
            CauseInfo {
                id: "uneven_layer",
                what: "one layer is of another scale than the others",
                cure: "look at its initialisation and at factors around it",
            },
            CauseInfo {
                id: "learning_rate_high",
                what: "training drove the layers apart",
                cure: "lower the learning rate, or clip gradients",
            },
        ],
    };
}

impl Check for ActivationScale {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        super::units::now_and_before(self.rows, self.after)
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let read = answer::<Units>(taken, 0).and_then(|units| Ok((units, context.band(&units.facts, DEFAULT_BAND)?)));
        let (units, band) = match read {
            Ok(read) => read,
            Err(why) => return Sample::Unanswerable(why),
        };
        if let Some(why) = &units.cannot {
            return Sample::Nothing(why.clone());
        }
        let all = weighted(units);
        if all.iter().filter(|layer| layer.judged).count() < 2 {
            return Sample::Nothing(
                "the model has no two layers with weights, before its last one, that could differ in size".to_owned(),
            );
        }
        let middle = middle(&all);
        let entry = |layer: &Weighted<'_>| Entry {
            name: Some(layer.seen.name.clone()),
            value: Some(ratio(layer.seen.spread, middle)),
            band: (layer.judged && !context.allows_parameter(&layer.seen.name)).then_some(band),
            scale: Scale::Log,
        };
        Sample::Seen(all.iter().map(entry).collect())
    }

    fn quantity(&self) -> &'static str {
        "spread over the median layer's"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let worst = worst_seed(judged);
        let Some(seed) = taken.get(worst) else { return Vec::new() };
        let (Ok(now), Some(name)) = (answer::<Units>(seed, 0), &judged.at) else { return Vec::new() };
        let before = answer::<Units>(seed, usize::from(self.after > 0)).ok();
        let all = weighted(now);
        let middle = middle(&all);
        let spread = now.layer(name).map_or(f64::NAN, |layer| layer.spread);
        let seen = format!(
            "{name} varies by {}, the layer in the middle by {}",
            number(spread),
            number(middle.unwrap_or_default())
        );
        let stands = |units: &Units| {
            let all = weighted(units);
            let ratio = ratio(units.layer(name).map_or(f64::NAN, |layer| layer.spread), self::middle(&all));
            holds(judged.band, ratio)
        };
        if let Some(still) = all.iter().find(|layer| layer.judged && is_still(layer.seen.spread, middle)) {
            let help = format!(
                "{} puts out the same for every row: nothing of the input is left there; look at what it is given",
                still.seen.name
            );
            return vec![Cause { id: "constant", help }];
        }
        let mut causes = Vec::new();
        if !spread.is_finite() || before.is_some_and(stands) && self.after > 0 {
            causes.push(Cause {
                id: "learning_rate_high",
                help: format!("{seen}, and before training it was not so: {}, or clip gradients", context.try_lr(0.1)),
            });
        }
        let start = weighted(before.unwrap_or(now));
        causes.push(match trend(&start) {
            Some(factor) if factor < 1.0 => Cause {
                id: "vanishing",
                help: format!(
                    "{seen}: before training each layer's output is {} times smaller than that of the layer before; initialise for the activation, or normalise between layers",
                    times(1.0 / factor)
                ),
            },
            Some(factor) => Cause {
                id: "exploding",
                help: format!(
                    "{seen}: before training each layer's output is {} times larger than that of the layer before; initialise for the width, or normalise between layers",
                    times(factor)
                ),
            },
            None => Cause {
                id: "uneven_layer",
                help: format!("{seen}: look at the initialisation of {name}, and at factors around it"),
            },
        });
        causes
    }
}

/// A layer with weights.
struct Weighted<'a> {
    seen: &'a UnitLayer,
    judged: bool,
}

fn weighted(units: &Units) -> Vec<Weighted<'_>> {
    let next = |index: usize| units.layers.get(index + 1).map_or("", |layer: &UnitLayer| layer.operator.as_str());
    let mut all: Vec<Weighted<'_>> = units
        .layers
        .iter()
        .enumerate()
        .filter(|(_, layer)| layer.has_parameters && has_weights(&layer.operator))
        .map(|(index, seen)| Weighted { seen, judged: !next(index).contains("norm") })
        .collect();
    if let Some(last) = all.last_mut() {
        last.judged = false;
    }
    all
}

/// Scales and shifts are meant to be of any size, and a normalisation has its size by definition.
fn has_weights(operator: &str) -> bool {
    let known = ["conv", "linear", "matmul", "addmm", "mm", "bilinear", "lstm", "gru", "rnn", "embedding", "einsum"];
    known.iter().any(|known| operator.contains(known)) && !operator.contains("norm")
}

/// The median spread of the judged layers that vary at all; `None` where none does.
fn middle(all: &[Weighted<'_>]) -> Option<f64> {
    let spreads = all.iter().filter(|layer| layer.judged).map(|layer| layer.seen.spread);
    median(&spreads.filter(|spread| *spread > 0.0 && spread.is_finite()).collect::<Vec<_>>())
}

fn ratio(spread: f64, middle: Option<f64>) -> f64 {
    middle.map_or(0.0, |middle| spread / middle)
}

fn is_still(spread: f64, middle: Option<f64>) -> bool {
    spread == 0.0 || middle.is_some_and(|middle| spread < NOTHING * middle)
}

fn holds(band: Band, value: f64) -> bool {
    value.is_finite() && band.min.is_none_or(|min| value >= min) && band.max.is_none_or(|max| value <= max)
}

/// By which factor the spread changes from one judged layer to the next, where it does so steadily.
fn trend(all: &[Weighted<'_>]) -> Option<f64> {
    let logs: Vec<f64> = all
        .iter()
        .filter(|layer| layer.judged && layer.seen.spread > 0.0 && layer.seen.spread.is_finite())
        .map(|layer| layer.seen.spread.ln())
        .collect();
    super::evidence::slope(&logs).filter(|(_, r)| r.abs() > 0.8).map(|(slope, _)| slope.exp())
}

#[cfg(test)]
#[path = "tests/activation_scale.rs"]
mod tests;
