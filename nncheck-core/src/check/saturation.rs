//! `saturation`: activations away from their plateaus.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::{answer, typical};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::{Measurement, Request, Units};
use crate::spec::Subject;

const DEFAULT_BAND: Band = Band { min: None, max: Some(0.7), expect: None };

/// Few entries of a tanh, sigmoid or softmax lie where it is flat.
///
/// ## What it measures
/// For every tanh, sigmoid, hard tanh, hard sigmoid and softmax inside the model: the share of its entries that lie on a plateau,
/// over the first `rows` training rows, after `after` training steps, in train mode. A plateau is where the slope is below a
/// twentieth of the steepest: |y| > 0.975 for tanh, y < 0.013 or y > 0.987 for sigmoid; the bounds of the hard ones; a softmax
/// whose largest share is above 0.99. The model's own output is not judged: a classifier may be sure.
///
/// ## Why it matters
/// On a plateau hardly any gradient passes: the layers before it stop learning.
///
/// ## Usual causes
/// Inputs that are not normalised; weights that are too large for the number of inputs; a learning rate that blew them up; in
/// attention, scores that are not divided by the root of the width.
///
/// ## What to try
/// Normalise the inputs, initialise by `xavier_uniform`, normalise between layers, lower the learning rate.
///
/// ## Defaults
/// At most 0.7 of a layer's entries over 1,024 rows after 200 steps.
///
/// ## Sources
/// X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural networks (2010); A. Rakitianskaia,
/// A. Engelbrecht, Measuring saturation in neural networks (2015).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Saturation {
    /// After how many training steps.
    pub after: usize,
    /// Over how many of the first training rows.
    pub rows: NonZeroUsize,
}

impl Default for Saturation {
    fn default() -> Self {
        Self { after: 200, rows: super::parameter::count(1024) }
    }
}

impl CheckType for Saturation {
    const INFO: Info = Info {
        id: "saturation",
        stage: Stage::Connections,
        rule: Rule::Mean,
        takes_band: true,
        narrows: &[crate::spec::property::Narrow::Layers],
        trains: true,
        causes: &[
            CauseInfo {
                id: "inputs",
                what: "the inputs are not normalised",
                cure: "set `normalize = \"standard\"` in [data], or scale them to a spread near one",
            },
            CauseInfo {
                id: "initialization",
                what: "the weights in front of it are too large before training begins",
                cure: "initialise by `xavier_uniform`, or normalise between layers",
            },
            CauseInfo {
                id: "learning_rate_high",
                what: "training blew the weights up",
                cure: "lower the learning rate, or clip gradients",
            },
        ],
    };
}

impl Check for Saturation {
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
        let entry = |layer: &crate::measurement::UnitLayer| {
            Some(Entry {
                name: Some(layer.name.clone()),
                value: Some(super::units::of_finite(layer, layer.plateau?)),
                band: (!context.allows_parameter(&layer.name)).then_some(band),
                scale: Scale::Linear,
            })
        };
        let entries: Vec<Entry> = units.inner().iter().filter_map(entry).collect();
        if entries.iter().all(|entry| entry.band.is_none()) {
            return Sample::Nothing("the model has no tanh, sigmoid or softmax before its output".to_owned());
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "share of entries on a plateau"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(name) = judged.outside.first() else { return Vec::new() };
        let edge = judged.band.max.unwrap_or(1.0);
        let share = |at: usize| {
            typical(taken, |seed| {
                let layer = answer::<Units>(seed, at).ok()?.layer(name)?;
                Some(super::units::of_finite(layer, layer.plateau?))
            })
        };
        let now = share(0).unwrap_or(f64::NAN);
        let before = share(usize::from(self.after > 0)).unwrap_or(now);
        let facts = taken.first().and_then(|seed| answer::<Units>(seed, 0).ok()).map(|units| &units.facts);
        let inputs = facts.and_then(super::units::wild_inputs).map(|size| Cause {
            id: "inputs",
            help: format!(
                "the inputs are of size {} (root mean square) instead of about 1: set `normalize = \"standard\"` in [data]",
                number(size)
            ),
        });
        let early = before > edge;
        let state = if now.is_finite() {
            format!(
                "{} of the entries of {name} are on a plateau before training, {} after {} steps",
                number(before),
                number(now),
                self.after
            )
        } else {
            format!("what {name} puts out is not finite after {} steps", self.after)
        };
        let own = if early {
            let help = format!(
                "{state}: the weights in front of it are too large; initialise by `xavier_uniform`, or normalise between layers"
            );
            Cause { id: "initialization", help }
        } else {
            Cause { id: "learning_rate_high", help: format!("{state}: {}, or clip gradients", context.try_lr(0.1)) }
        };
        inputs.into_iter().chain([own]).collect()
    }
}

#[cfg(test)]
#[path = "tests/saturation.rs"]
mod tests;
