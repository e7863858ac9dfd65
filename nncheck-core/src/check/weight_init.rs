//! `weight_init`: weights begin as they are declared to, and differently from each other.

mod declared;

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use self::declared::Distribution;
use super::entry::worst_seed;
use super::evidence::{answer, some_names};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::weights::{WeightTensor, Weights, WeightsAsk};
use crate::measurement::{Measurement, Request};
use crate::spec::Subject;
use crate::spec::layer::Init;
use crate::spec::model::ModelSource;

/// How sure a distance has to be before it counts: one sound tensor in a million is further.
const CHANCE: f64 = 1e-6;
/// What follows the name of a parameter whose units are compared with each other.
const UNITS: &str = " (equal units)";

/// Weights begin as the spec declares, and no two units of a layer stay equal.
///
/// ## What it measures
/// For each weight of two or more dimensions whose initialiser is known, from `init` of its layer in `[model] layers` or from
/// this check's own `init`: Kolmogorov and Smirnov's distance between its entries before training and that distribution,
/// the largest difference of the two cumulative shares. And for every such weight: the share of its units (rows of the first
/// axis) that are equal to another one, to 1e-4, after `steps` training steps: what begins equal and gets equal gradients
/// stays equal for ever.
///
/// ## Why it matters
/// The spread of the weights decides whether signals grow or fade from layer to layer. Equal units are one unit: a layer of
/// constant weights, however wide, computes one feature.
///
/// ## Usual causes
/// Weights that start at a constant; a spread that is off by a factor (a `fan_in` of the wrong axis, a gain forgotten); a
/// default of the library that is not the one meant (tch's `nn::linear` starts wider than PyTorch's).
///
/// ## What to try
/// Give the layer the initialiser that the report says is missing. A layer of zeros is fine where its inputs or the layer
/// behind it differ (a head, the last layer of a residual branch).
///
/// ## Defaults
/// A distance of 0.05, or that which one sound tensor of its size in a million exceeds, whichever is more. At most half of the
/// units equal, after 20 steps. Weights that a file brings are not judged.
///
/// ## Sources
/// Glorot & Bengio (2010); He et al. (2015); Goodfellow et al., Deep Learning, section 8.4: breaking the symmetry.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WeightInit {
    /// What the weights are meant to be drawn from, where the model is not made of `layers`; with the property's `layers` of
    /// some of them. As `init` of a layer.
    pub init: Option<Init>,
    /// The distance that still holds.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub distance: f64,
    /// After how many training steps units are compared.
    pub steps: NonZeroUsize,
}

impl Default for WeightInit {
    fn default() -> Self {
        Self { init: None, distance: 0.05, steps: super::parameter::count(20) }
    }
}

impl CheckType for WeightInit {
    const INFO: Info = Info {
        id: "weight_init",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[crate::spec::property::Narrow::Layers],
        trains: true,
        causes: &[
            CauseInfo {
                id: "symmetry",
                what: "units of a layer begin equal and stay equal: they are one",
                cure: "draw the weights from a random distribution",
            },
            CauseInfo {
                id: "other_scale",
                what: "the weights are spread by another factor than declared",
                cure: "look at the gain, and at which axis `fan_in` is",
            },
            CauseInfo {
                id: "other_initialiser",
                what: "the weights follow another initialiser than the declared one",
                cure: "hand the declared one to the layer, or declare the one that is meant",
            },
        ],
    };
}

impl Check for WeightInit {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![WeightsAsk { after: 0 }.into(), WeightsAsk { after: self.steps.get() }.into()]
    }

    fn moot(&self, context: &Context<'_>) -> Option<String> {
        let model = &context.subject.model;
        (model.weights.is_some() || matches!(model.source, ModelSource::TorchScript(_)))
            .then(|| "the weights come from a file".to_owned())
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let (before, after): (&Weights, &Weights) = match (answer(taken, 0), answer(taken, 1)) {
            (Ok(before), Ok(after)) => (before, after),
            (Err(why), _) | (_, Err(why)) => return Sample::Unanswerable(why),
        };
        let mut entries = Vec::new();
        for tensor in before.tensors.iter().filter(|tensor| is_weight(tensor)) {
            let Some(declared) = self.declared(context, tensor) else { continue };
            let judged = !context.allows_parameter(&tensor.parameter);
            entries.push(Entry {
                name: Some(tensor.parameter.clone()),
                value: Some(declared.distance(tensor)),
                band: judged.then(|| at_most(self.furthest(tensor))),
                scale: Scale::Linear,
            });
        }
        for tensor in after.tensors.iter().filter(|tensor| is_weight(tensor) && tensor.shape[0] > 1) {
            let judged = tensor.trainable && !context.allows_parameter(&tensor.parameter);
            entries.push(Entry {
                name: Some(format!("{}{UNITS}", tensor.parameter)),
                value: Some(share_of_twins(tensor)),
                band: judged.then(|| at_most(0.5)),
                scale: Scale::Linear,
            });
        }
        if entries.iter().all(|entry| entry.band.is_none()) {
            return Sample::Nothing("there is no weight of two or more dimensions to judge".to_owned());
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "distance from the declared initialiser, or share of equal units"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let seed = worst_seed(judged);
        let Some((before, after)) =
            taken.get(seed).and_then(|seed| Some((answer::<Weights>(seed, 0).ok()?, answer::<Weights>(seed, 1).ok()?)))
        else {
            return Vec::new();
        };
        let outside = |name: &str| judged.outside.iter().any(|o| o == name);
        let mut causes = Vec::new();
        let equal: Vec<&WeightTensor> =
            after.tensors.iter().filter(|t| outside(&format!("{}{UNITS}", t.parameter))).collect();
        if let Some(worst) = equal.first() {
            let names: Vec<&str> = equal.iter().map(|t| t.parameter.as_str()).collect();
            causes.push(Cause {
                id: "symmetry",
                help: format!(
                    "{} of {} units of {} are equal to another one after {} steps{}",
                    worst.twins,
                    worst.shape[0],
                    worst.parameter,
                    self.steps,
                    if before.tensors.iter().any(|t| t.parameter == worst.parameter && t.twins > 0) {
                        format!(
                            ", as they were at the beginning: draw the weights of {} from a random distribution",
                            some_names(&names)
                        )
                    } else {
                        ", and they were not at the beginning: look at what drives them to one value, such as weight decay or too high a rate".to_owned()
                    }
                ),
            });
        }
        for tensor in before.tensors.iter().filter(|t| outside(&t.parameter)) {
            let Some(declared) = self.declared(context, tensor) else { continue };
            let (found, meant) = (tensor.std, declared.std());
            let factor = found / meant;
            let rescaled = declared.scaled(factor).distance(tensor) <= self.furthest(tensor);
            let follows = declared::known(tensor, self.furthest(tensor));
            let scale = meant > 0.0 && found > 0.0 && rescaled && (factor - 1.0).abs() > 0.02;
            let spread = format!(
                "the entries of {} have a standard deviation of {}, where {} is declared",
                tensor.parameter,
                number(found),
                number(meant)
            );
            let known = follows.map(|words| format!("; they follow {words}")).unwrap_or_default();
            let cause = if scale {
                Cause {
                    id: "other_scale",
                    help: format!(
                        "{spread}: {} times as wide, and of the declared shape otherwise{known}; look at the gain, and at which axis `fan_in` is",
                        number(factor)
                    ),
                }
            } else {
                Cause {
                    id: "other_initialiser",
                    help: format!(
                        "{spread}, and they are of another shape{known}; hand the declared initialiser to the layer"
                    ),
                }
            };
            if !causes.iter().any(|known: &Cause| known.id == cause.id) {
                causes.push(cause);
            }
        }
        causes
    }
}

impl WeightInit {
    fn declared(&self, context: &Context<'_>, tensor: &WeightTensor) -> Option<Distribution> {
        match self.init {
            Some(init) => Distribution::of(init, &tensor.shape),
            None => declared::of_layers(context.subject, &tensor.parameter, &tensor.shape),
        }
    }

    /// The distance that chance hardly exceeds in a tensor of this size (Massart's bound), if that is more than what holds anyway.
    fn furthest(&self, tensor: &WeightTensor) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 entries")]
        let by_chance = ((2.0 / CHANCE).ln() / (2.0 * tensor.sampled.max(1) as f64)).sqrt();
        self.distance.max(by_chance)
    }
}

fn is_weight(tensor: &WeightTensor) -> bool {
    tensor.shape.len() >= 2
}

fn share_of_twins(tensor: &WeightTensor) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 units")]
    let share = tensor.twins as f64 / tensor.shape[0].max(1) as f64;
    share
}

fn at_most(max: f64) -> Band {
    Band { min: None, max: Some(max), expect: None }
}

#[cfg(test)]
#[path = "tests/weight_init.rs"]
mod tests;
