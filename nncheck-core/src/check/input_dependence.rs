//! `input_dependence`: what a model puts out depends on what it is given.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::{at_least, seen, shown, worst};
use super::evidence::some_names;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Judged, Rule, Sample};
use crate::measurement::{Measurement, Request, Response, ResponseAsk};
use crate::spec::Subject;
use crate::spec::model::ModelSource;

/// The entry of all inputs together.
const ALL: &str = "(all inputs)";

/// What a model puts out varies with its inputs.
///
/// ## What it measures
/// In eval mode, on some training rows: the spread of the outputs over their root mean square,
/// sqrt(mean variance over the rows) / sqrt(mean f(x)^2). For each input, and under `every` for each feature of an input of
/// features, also the largest change of any output over the spread when this input alone is that of other rows. It is taken of a
/// copy of the model in float64 where it runs in it, constant parameters moved a little, so that a head that starts at zero
/// does not count.
///
/// ## Why it matters
/// A model that does not see its input learns the distribution of the labels, and its loss falls all the same, down to
/// their entropy.
///
/// ## Usual causes
/// Units that are dead or saturated for every row; an input that is overwritten, multiplied by zero, or not used; a signal that
/// vanishes in many layers.
///
/// ## What to try
/// Look at the layer that the report names: its initialisation, its activation, and what it is given.
///
/// ## Defaults
/// 16 rows, and a spread of at least 1e-6 of the size. Single inputs are shown, and judged under `every`: an input that is
/// not used changes nothing at all.
///
/// ## Sources
/// A. Karpathy, A Recipe for Training Neural Networks (2019): "input-independent baseline".
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InputDependence {
    /// Rows in a batch.
    pub rows: NonZeroUsize,
    /// The smallest spread that holds, over the size of the outputs.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub least: f64,
    /// Whether outputs have to vary with each input, and with each feature of an input of features.
    pub every: bool,
}

impl Default for InputDependence {
    fn default() -> Self {
        Self { rows: super::parameter::count(16), least: 1e-6, every: false }
    }
}

impl CheckType for InputDependence {
    const INFO: Info = Info {
        id: "input_dependence",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "dead_units",
                what: "a layer puts out zeros for every row",
                cure: "look at its initialisation (a bias far below zero) and at the scale of what it is given",
            },
            CauseInfo {
                id: "input_unused",
                what: "the input does not reach the output: it is overwritten, multiplied by zero, or not read",
                cure: "look at what the named layer is given",
            },
            CauseInfo {
                id: "vanishing",
                what: "what the inputs say fades from layer to layer, or saturates",
                cure: "initialise for the activation (`kaiming_uniform` for rectifiers), normalise, or use fewer layers",
            },
        ],
    };
}

impl Check for InputDependence {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![ResponseAsk { rows: self.rows.get(), features: self.every }.into()]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &Response| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        if seen.is_noise() && matches!(context.subject.model.source, ModelSource::Subject { .. }) {
            return Sample::Nothing(
                "the program puts out what does not come from its inputs, as a generator does".to_owned(),
            );
        }
        let variation = if seen.is_noise() { 0.0 } else { seen.variation };
        let mut entries = vec![at_least(ALL, variation, self.least)];
        let parts = seen.inputs.iter().filter_map(|(name, by)| Some((name, (*by)?)));
        // A single input says no more than all of them.
        if self.every || seen.inputs.len() > 1 {
            entries.extend(parts.map(
                |(name, by)| {
                    if self.every { at_least(name, by, self.least) } else { shown(name, by) }
                },
            ));
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "variation of the outputs with the inputs"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = worst::<Response>(judged, taken) else { return Vec::new() };
        if !judged.outside.iter().any(|name| name == ALL) {
            let help = format!(
                "the outputs do not change with {}: it is not read, or overwritten before it is",
                some_names(&judged.outside)
            );
            return vec![Cause { id: "input_unused", help }];
        }
        let what = format!("the outputs vary by {} of their size over the rows", number(seen.variation));
        let place = |layer: &crate::measurement::trace::LayerSeen| format!("{} in {}", layer.operator, layer.name);
        let cause = match &seen.lost {
            Some(layer) if seen.dead => Cause {
                id: "dead_units",
                help: format!(
                    "{what}: {} puts out zeros for every row; look at the bias and the weights in front of it, and at the scale of what it is given",
                    place(layer)
                ),
            },
            Some(layer) if seen.variation <= f64::EPSILON => Cause {
                id: "input_unused",
                help: format!(
                    "{what}: from {} on nothing of the inputs is left; look at what it is given",
                    place(layer)
                ),
            },
            _ if seen.variation <= f64::EPSILON || seen.is_noise() => {
                Cause { id: "input_unused", help: format!("{what}: the input is not read, or overwritten on the way") }
            }
            _ => Cause {
                id: "vanishing",
                help: format!(
                    "{what}: what the inputs say fades through the layers; initialise for the activation, normalise between layers, or use fewer"
                ),
            },
        };
        vec![cause]
    }
}

impl Response {
    /// Whether the outputs vary from row to row, and yet do not change with any input.
    pub(super) fn is_noise(&self) -> bool {
        let mut changes = self.inputs.iter().filter_map(|(_, by)| *by).peekable();
        self.variation > 0.0 && changes.peek().is_some() && changes.all(|by| by == 0.0)
    }
}

#[cfg(test)]
#[path = "tests/input_dependence.rs"]
mod tests;
