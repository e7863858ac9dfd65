//! `dead_units`: rectifiers that let something through.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::{answer, typical};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::{Measurement, Request, UnitLayer, Units};
use crate::spec::Subject;

const DEFAULT_BAND: Band = Band { min: None, max: Some(0.7), expect: None };

/// From this share on it is worth saying, be it within the band.
const MANY: f64 = 0.5;

/// Few units of a rectifier are zero whatever the input.
///
/// ## What it measures
/// For every rectifier (`relu`, `relu6`, `threshold`, a clamp at zero): the share of its units that are exactly zero for every
/// one of the first `rows` training rows, after `after` training steps, in train mode. Units are features of `[N, F]`, channels of
/// `[N, C, ...]`, the last axis of `[N, T, F]`.
///
/// ## Why it matters
/// A unit that is zero for every row has no gradient either: it will stay so. The model is smaller than it looks, and with too
/// many of them the layer passes nothing on.
///
/// ## Usual causes
/// A learning rate so high that a step pushes the biases far below zero; weights or biases that are initialised so that units
/// never fire.
///
/// ## What to try
/// Lower the learning rate, warm up, clip gradients. Start biases at zero and weights by `kaiming_uniform`. A leaky rectifier or `gelu`
/// does not die.
///
/// ## Defaults
/// At most 0.7 of a layer over 1,024 rows after 200 steps. Of sound programs the most was 0.5, of faulty ones 1. More than half is
/// remarked on.
///
/// ## Sources
/// L. Lu et al., Dying `ReLU` and Initialization (2019); CS231n, Neural Networks Part 1.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeadUnits {
    /// After how many training steps.
    pub after: usize,
    /// Over how many of the first training rows.
    pub rows: NonZeroUsize,
}

impl Default for DeadUnits {
    fn default() -> Self {
        Self { after: 200, rows: super::parameter::count(1024) }
    }
}

impl CheckType for DeadUnits {
    const INFO: Info = Info {
        id: "dead_units",
        stage: Stage::Connections,
        rule: Rule::Mean,
        takes_band: true,
        narrows: &[crate::spec::property::Narrow::Layers],
        trains: true,
        causes: &[
            CauseInfo {
                id: "learning_rate_high",
                what: "the units died in training: steps are too long",
                cure: "lower the learning rate, warm up, or clip gradients",
            },
            CauseInfo {
                id: "initialization",
                what: "the units are dead before training begins",
                cure: "start biases at zero and weights by `kaiming_uniform`; look at the scale of what the layer is given",
            },
        ],
    };
}

impl Check for DeadUnits {
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
        let rectifiers = units.layers.iter().filter(|layer| is_rectifier(layer));
        let entries: Vec<Entry> = rectifiers
            .map(|layer| Entry {
                name: Some(layer.name.clone()),
                value: Some(super::units::of_finite(layer, layer.dead)),
                band: (!context.allows_parameter(&layer.name)).then_some(band),
                scale: Scale::Linear,
            })
            .collect();
        if entries.iter().all(|entry| entry.band.is_none()) {
            return Sample::Nothing("the model has no rectifier whose units could be dead".to_owned());
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "share of dead units"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let edge = judged.band.max.unwrap_or(1.0);
        let share = |at: usize, name: &str| {
            typical(taken, |seed| {
                let layer = answer::<Units>(seed, at).ok()?.layer(name)?;
                Some(super::units::of_finite(layer, layer.dead))
            })
        };
        let (mut early, mut late) = (Vec::new(), Vec::new());
        for name in &judged.outside {
            let now = share(0, name).unwrap_or(f64::NAN);
            let before = share(usize::from(self.after > 0), name).unwrap_or(now);
            if before > edge {
                early.push(format!(
                    "{} of the units of {name} are zero for every row before the first step",
                    number(before)
                ));
            } else if !now.is_finite() {
                late.push(format!("what {name} puts out is not finite after {} steps", self.after));
            } else {
                late.push(format!(
                    "in {name} {} of the units were dead before training, {} after {} steps",
                    number(before),
                    number(now),
                    self.after
                ));
            }
        }
        let mut causes = Vec::new();
        if let Some(first) = early.first() {
            let help = format!(
                "{first}: look at the biases and weights in front of it, and at the scale of what they are given"
            );
            causes.push(Cause { id: "initialization", help });
        }
        if let Some(first) = late.first() {
            let help = format!("{first}: {}, warm up or clip gradients", context.try_lr(0.1));
            causes.push(Cause { id: "learning_rate_high", help });
        }
        causes
    }

    fn remark(&self, _context: &Context<'_>, judged: &Judged, _taken: &[Vec<Measurement>]) -> Option<String> {
        let many: Vec<String> = judged
            .by
            .iter()
            .filter(|(name, share)| share.is_some_and(|share| share > MANY) && !judged.outside.contains(name))
            .map(|(name, share)| format!("{name} ({})", number(share.unwrap_or_default())))
            .collect();
        (!many.is_empty()).then(|| format!("more than half of the units are dead in {}", many.join(", ")))
    }
}

/// Whether an operator cuts off at zero. A clamp may cut off elsewhere, which leaves no exact zeros.
fn is_rectifier(layer: &UnitLayer) -> bool {
    match layer.operator.as_str() {
        "relu" | "relu6" | "threshold" => true,
        "clamp" | "clamp_min" | "hardtanh" | "maximum" => layer.zero_fraction > 0.0,
        _ => false,
    }
}

#[cfg(test)]
#[path = "tests/dead_units.rs"]
mod tests;
