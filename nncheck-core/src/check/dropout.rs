//! `dropout`: it drops what it should, keeps the mean, and rests in eval mode.

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::{at_most, seen, shown, worst};
use super::evidence::some_names;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::diagnostic::Located;
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::dropout::{DropoutAsk, Dropouts, Dropped};
use crate::measurement::{Measurement, Request};
use crate::spec::Subject;
use crate::spec::layer::{Layer, LayerKind};
use crate::spec::model::ModelSource;

/// Rows that are shown.
const ROWS: usize = 256;
/// What is judged of eval mode.
const IN_EVAL: &str = "(in eval mode)";
/// What is judged where dropout is declared and none is seen.
const SEEN: &str = "(layers that drop)";
/// A measured rate may be this far from the declared one beside sampling errors.
const RATE: f64 = 0.01;
/// Sampling errors that a rate may be off, in standard deviations.
const SURE: f64 = 6.0;

/// Dropout drops what it should, keeps the mean, and rests in eval mode.
///
/// ## What it measures
/// On 256 training rows before training, over four passes in train mode, for each operator whose output holds more zeros than its
/// input (libtorch's dropout, and a random mask of one's own): *rate*, the share of the other entries that are zeroed, against
/// the declared p (of the layers, or this check's `p`); *kept*, the factor of the survivors times the share that survives,
/// sqrt(E[out^2] / (E[in^2] (1 - rate))) (1 - rate), which is 1 where survivors are scaled by 1/(1 - p). And how many of them drop in eval
/// mode, which none may.
///
/// ## Why it matters
/// Without the scaling a model sees other activations in eval mode than it was trained on. With the shares exchanged it
/// learns from a tenth of its units. Active in eval mode it answers at random.
///
/// ## Usual causes
/// A train flag that is not passed on, or passed on as a constant; p taken for the share to keep; a mask of one's own
/// without the division.
///
/// ## What to try
/// `xs.dropout(p, train)`, with the flag that the model is given.
///
/// ## Defaults
/// A rate within 0.01 and six standard deviations of sampling; a mean kept within 10 %.
///
/// ## Sources
/// Srivastava et al. (2014); PyTorch's documentation of `Dropout`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Dropout {
    /// The share that is meant to be dropped, by every layer, where the model is not made of `layers`.
    pub p: Option<f64>,
}

impl CheckType for Dropout {
    const INFO: Info = Info {
        id: "dropout",
        stage: Stage::Parameters,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo { id: "active_in_eval", what: "dropout drops in eval mode", cure: "pass the train flag on" },
            CauseInfo {
                id: "inactive",
                what: "dropout is declared and nothing is dropped in train mode",
                cure: "pass the train flag on",
            },
            CauseInfo { id: "exchanged", what: "p is taken for the share to keep", cure: "use 1 - p" },
            CauseInfo { id: "rate", what: "another share is dropped than declared", cure: "look where p comes from" },
            CauseInfo {
                id: "not_scaled",
                what: "survivors are not scaled by 1/(1 - p)",
                cure: "divide by 1 - p in train mode",
            },
        ],
    };
}

impl Check for Dropout {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![DropoutAsk { rows: ROWS }.into()]
    }

    fn moot(&self, context: &Context<'_>) -> Option<String> {
        let ModelSource::Layers(layers) = &context.subject.model.source else { return None };
        let mut declared = Declared::default();
        declared.add(layers);
        (declared.shares.is_empty() && !declared.others).then(|| "there is no dropout among the layers".to_owned())
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &Dropouts| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        let declared = self.declared(context, seen.layers.len());
        if seen.layers.is_empty() && seen.in_eval.is_empty() {
            return match declared {
                Some(shares) if !shares.is_empty() => Sample::Seen(vec![super::entry::at_least(SEEN, 0.0, 1.0)]),
                _ => Sample::Nothing(
                    "nothing is dropped: no output holds more zeros than its input at random".to_owned(),
                ),
            };
        }
        let mut entries = Vec::new();
        for (at, layer) in seen.layers.iter().enumerate() {
            let name = format!("{} (rate)", layer.layer);
            match declared.as_ref().and_then(|shares| shares.get(at)) {
                Some(&p) => {
                    let around = RATE + SURE * (p * (1.0 - p) / observed(layer)).sqrt();
                    let band = Band { min: Some(p - around), max: Some(p + around), expect: Some(p) };
                    entries.push(Entry {
                        name: Some(name),
                        value: Some(layer.rate()),
                        band: Some(band),
                        scale: Scale::Linear,
                    });
                }
                None => entries.push(shown(name, layer.rate())),
            }
            // Of what is dropped altogether nothing survives to be scaled.
            if layer.rate() < 0.99 && layer.square_in > 0.0 {
                let band = Band { min: Some(0.9), max: Some(1.1), expect: Some(1.0) };
                entries.push(Entry {
                    name: Some(format!("{} (kept)", layer.layer)),
                    value: Some(layer.kept()),
                    band: Some(band),
                    scale: Scale::Linear,
                });
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a handful of layers")]
        entries.push(at_most(IN_EVAL, seen.in_eval.len() as f64, 0.0));
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "dropout"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = worst::<Dropouts>(judged, taken) else { return Vec::new() };
        let outside = |name: &str| judged.outside.iter().any(|o| o == name);
        let mut causes = Vec::new();
        if outside(IN_EVAL) {
            causes.push(Cause {
                id: "active_in_eval",
                help: format!("{} drops in eval mode: pass the train flag on", some_names(&seen.in_eval)),
            });
        }
        if outside(SEEN) {
            causes.push(Cause {
                id: "inactive",
                help: "dropout is declared, and nothing is dropped in train mode: pass the train flag on".to_owned(),
            });
        }
        let declared = self.declared(context, seen.layers.len()).unwrap_or_default();
        let wrong = seen.layers.iter().zip(&declared).find(|(l, _)| outside(&format!("{} (rate)", l.layer)));
        if let Some((layer, &p)) = wrong {
            let rate = layer.rate();
            let told =
                format!("{} drops {} of the entries, where {} is declared", layer.layer, number(rate), number(p));
            causes.push(if (rate - (1.0 - p)).abs() < 0.05 {
                Cause { id: "exchanged", help: format!("{told}: p is the share to drop, not to keep") }
            } else {
                Cause { id: "rate", help: format!("{told}: look where p comes from") }
            });
        }
        if let Some(layer) = seen.layers.iter().find(|l| outside(&format!("{} (kept)", l.layer))) {
            let rate = layer.rate();
            causes.push(Cause {
                id: "not_scaled",
                help: format!(
                    "what survives {} is multiplied by {}, where 1/(1 - {}) = {} keeps the mean",
                    layer.layer,
                    number(layer.kept() / (1.0 - rate)),
                    number(rate),
                    number(1.0 / (1.0 - rate))
                ),
            });
        }
        causes
    }
}

impl Dropout {
    /// The declared share of each of so many layers; `None` where nobody says, or in which order is not known.
    fn declared(&self, context: &Context<'_>, layers: usize) -> Option<Vec<f64>> {
        if let Some(p) = self.p {
            return Some(vec![p; layers.max(1)]);
        }
        let ModelSource::Layers(all) = &context.subject.model.source else { return None };
        let mut declared = Declared::default();
        declared.add(all);
        (!declared.others && (layers == 0 || declared.shares.len() == layers)).then_some(declared.shares)
    }
}

/// What the layers of a spec say of dropout.
#[derive(Default)]
struct Declared {
    /// Of each dropout layer that drops anything, in order.
    shares: Vec<f64>,
    /// Whether other layers drop as well.
    others: bool,
}

impl Declared {
    fn add(&mut self, layers: &[Located<Layer>]) {
        for layer in layers {
            match &layer.value.kind {
                LayerKind::Dropout(l) if l.p > 0.0 => self.shares.push(l.p),
                LayerKind::Residual(l) => self.add(&l.layers),
                LayerKind::Lstm(l) | LayerKind::Gru(l) => self.others |= l.num_layers > 1 && l.dropout > 0.0,
                LayerKind::MultiheadAttention(l) => self.others |= l.dropout > 0.0,
                LayerKind::TransformerEncoderLayer(l) => self.others |= l.dropout > 0.0,
                _ => {}
            }
        }
    }
}

/// Entries that could be dropped in one pass.
fn observed(layer: &Dropped) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 entries")]
    let entries = layer.entries as f64;
    (entries * (1.0 - layer.zero_in)).max(1.0)
}

#[cfg(test)]
#[path = "tests/dropout.rs"]
mod tests;
