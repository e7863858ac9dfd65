//! `update_ratio`: how far a step moves each weight.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::{median, some_names, trace, typical};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::{number, times};
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::trace::{Inputs, Parameter, Watched};
use crate::measurement::{Measurement, Request, Trace, TraceAsk};
use crate::spec::Subject;

/// The name of the entry for the largest single step.
const LARGEST_STEP: &str = "(largest step)";
/// The first step that counts as a large one; Adam's first steps have the size of the learning rate for every entry.
const FIRST_SPIKE: usize = 2;
/// The reference line, where neither band nor `expect` says another.
const REFERENCE: f64 = 1e-3;
const DEFAULT_BAND: Band = Band { min: Some(5e-5), max: Some(0.1), expect: Some(REFERENCE) };

/// Each step moves each weight by a sensible share of its size.
///
/// ## What it measures
/// For every trainable tensor of two or more dimensions: the L2 norm of its update over the L2 norm of the tensor before
/// it, ||after - before|| / ||before||, the median over the `steps` steps that come after the first `after` ones and in which the
/// optimizer stepped. And the largest share by which any one step from the third on moves all trainable parameters as one
/// vector, which has to stay below `spike`. Biases and frozen parameters are listed and not judged; an all-zero parameter
/// has no ratio. Judged on a log scale.
///
/// ## Why it matters
/// It is the learning rate in the only unit that weights understand. Near 1e-3 training is steady; far below, nothing
/// happens within the budget; far above, each step throws away what the last one found.
///
/// ## Usual causes
/// A learning rate that is orders of magnitude off; a loss that is summed instead of averaged (gradients that are never
/// cleared are for `gradient_accumulation` to find); layers that no gradient reaches, whose ratio is zero; weights of
/// another size than usual.
///
/// ## What to try
/// Scale the learning rate by what the report says. Where a single layer is off, look at its initialisation. Where only the
/// largest step is, clip gradients or warm up, and see that the loss is a mean.
///
/// ## Defaults
/// 5e-5 to 0.1 around the reference 1e-3, steps 10 to 50: no alarm on 37 sound programs, and 13 of 49 faulty ones found. A
/// factor of ten either way would alarm on 16 sound programs (SGD at 0.05 with momentum moves 0.03). `spike` 0.3: no alarm on
/// sound programs, and it finds a learning rate of 5 and a summed loss, which the median misses.
///
/// ## Sources
/// CS231n, Neural Networks Part 3: ratio of weights to updates, "somewhere around 1e-3"; A. Karpathy's makemore lectures.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateRatio {
    /// How many steps pass before the first that counts.
    pub after: usize,
    /// How many steps count.
    pub steps: NonZeroUsize,
    /// The most that any single step may move all trainable parameters together, relative to their size.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub spike: f64,
}

impl Default for UpdateRatio {
    fn default() -> Self {
        Self { after: 10, steps: super::parameter::count(40), spike: 0.3 }
    }
}

impl CheckType for UpdateRatio {
    const INFO: Info = Info {
        id: "update_ratio",
        stage: Stage::Connections,
        rule: Rule::Mean,
        takes_band: true,
        narrows: &[crate::spec::property::Narrow::Layers],
        trains: true,
        causes: &[
            CauseInfo {
                id: "no_update",
                what: "no weight moves: the optimizer does not step, or its learning rate is zero",
                cure: "look at the optimizer's parameters and rate",
            },
            CauseInfo {
                id: "dead",
                what: "no gradient reaches the weight",
                cure: "look for a detached, unused or dead layer with `parameters_update`",
            },
            CauseInfo {
                id: "loss_sum",
                what: "the loss is summed over the batch instead of averaged",
                cure: "use mean reduction",
            },
            CauseInfo {
                id: "learning_rate_high",
                what: "the learning rate is too high",
                cure: "lower it by the factor that the report states",
            },
            CauseInfo {
                id: "learning_rate_low",
                what: "the learning rate is too low",
                cure: "raise it by the factor that the report states",
            },
            CauseInfo {
                id: "uneven_layers",
                what: "one layer moves at another pace than the others: its weights have an unusual size",
                cure: "look at its initialisation",
            },
            CauseInfo {
                id: "spike",
                what: "a single step moves everything: no warm-up and no clipping where they are needed",
                cure: "set `clip = { norm = 1.0 }`, warm up, or lower the learning rate",
            },
        ],
    };
}

impl Check for UpdateRatio {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        let steps = self.end();
        vec![Request::Trace(TraceAsk { inputs: Inputs::Real, steps, watched: steps })]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let entries = trace(taken, 0).and_then(|trace| {
            let band = context.band(&trace.facts, DEFAULT_BAND)?;
            Ok(self.entries(context, trace, band))
        });
        match entries {
            Ok(entries) if entries.iter().all(|e| e.band.is_none()) => Sample::Nothing(
                "the model has no trainable tensor of two or more dimensions with an update ratio in these steps"
                    .to_owned(),
            ),
            Ok(entries) => Sample::Seen(entries),
            Err(why) => Sample::Unanswerable(why),
        }
    }

    fn quantity(&self) -> &'static str {
        "update ratio"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = taken.first().and_then(|seed| trace(seed, 0).ok()) else { return Vec::new() };
        let mut causes = Vec::new();
        let weights = Weights::new(seen, judged);
        let outside = judged.outside.iter().any(|name| name == LARGEST_STEP);
        let spike = judged.by.iter().find(|(name, _)| outside && name == LARGEST_STEP).and_then(|(_, v)| *v);
        if weights.all_still() {
            causes.extend(summed(context, taken));
            if let Some(spike) = spike {
                causes.push(Cause {
                    id: "learning_rate_high",
                    help: format!(
                        "an early step moves all parameters by {} of their size, and after it no weight moves any more: the step leaves dead units behind; {}",
                        number(spike),
                        context.try_lr(self.spike / spike / 10.0)
                    ),
                });
            }
            causes.push(Cause {
                id: "no_update",
                help: format!(
                    "no weight moves in steps {} to {}: see that the optimizer steps, holds these parameters and has a learning rate above zero",
                    self.after,
                    self.end()
                ),
            });
            return causes;
        }
        if !weights.still.is_empty() {
            causes.push(Cause {
                id: "dead",
                help: format!(
                    "no step moves {}: look with `parameters_update` for a detached, unused or dead layer",
                    some_names(&weights.still)
                ),
            });
        }
        if let Some(name) = weights.wild.first() {
            causes.push(Cause {
                id: "learning_rate_high",
                help: format!(
                    "update ratio of {name} is not finite, so training diverges: {}; `finite` names the place where it begins",
                    context.lower_rate()
                ),
            });
        }
        causes.extend(summed(context, taken));
        causes.extend(pace(context, seen, &weights));
        if outside && spike.is_some_and(f64::is_finite) {
            causes.push(Cause {
                id: "spike",
                help: format!(
                    "one step moves all parameters by {} of their size, and {} is the most: set `[optimizer] clip = {{ norm = 1.0 }}`, warm up, or {}",
                    spike.map_or_else(|| "an unknown share".to_owned(), number),
                    number(self.spike),
                    context.try_lr(spike.map_or(0.1, |l| self.spike / l / 2.0))
                ),
            });
        }
        causes
    }
}

impl UpdateRatio {
    /// One past the last step that counts.
    fn end(&self) -> usize {
        self.after.saturating_add(self.steps.get())
    }

    fn entries(&self, context: &Context<'_>, trace: &Trace, band: Band) -> Vec<Entry> {
        let watched = |from: usize| {
            let steps = trace.steps.iter().take(self.end()).skip(from);
            steps.filter_map(|step| step.watched.as_ref()).collect::<Vec<_>>()
        };
        let window = watched(self.after);
        // Steps in which the optimizer did not step (gradient accumulation) say nothing, unless it never does.
        let stepped: Vec<&Watched> =
            window.iter().copied().filter(|w| w.update_norm.iter().any(|&norm| norm != 0.0)).collect();
        let counted = if stepped.is_empty() { window } else { stepped };
        let mut entries: Vec<Entry> = trace
            .parameters
            .iter()
            .enumerate()
            .map(|(i, parameter)| {
                let ratios: Vec<f64> =
                    counted.iter().filter_map(|w| w.update_ratio.get(i).copied().flatten()).collect();
                let value = median(&ratios);
                let judged = value.is_some() && is_judged(parameter) && !context.allows_parameter(&parameter.name);
                Entry { name: Some(parameter.name.clone()), value, band: judged.then_some(band), scale: Scale::Log }
            })
            .collect();
        let whole = watched(FIRST_SPIKE).into_iter().filter_map(|w| w.whole_update_ratio);
        // A value that is not finite is the largest of all.
        if let Some(largest) = whole.reduce(|a, b| if b.is_nan() || b > a { b } else { a }) {
            entries.push(Entry {
                name: Some(LARGEST_STEP.to_owned()),
                value: Some(largest),
                band: Some(Band { min: None, max: Some(self.spike), expect: None }),
                scale: Scale::Log,
            });
        }
        entries
    }
}

fn is_judged(parameter: &Parameter) -> bool {
    parameter.trainable && !parameter.frozen && parameter.shape.len() >= 2
}

/// The judged weights by how they move.
struct Weights {
    still: Vec<String>,
    moving: Vec<(String, f64)>,
    wild: Vec<String>,
}

impl Weights {
    fn new(trace: &Trace, judged: &Judged) -> Self {
        let mut weights = Self { still: Vec::new(), moving: Vec::new(), wild: Vec::new() };
        for parameter in trace.parameters.iter().filter(|p| is_judged(p)) {
            let value = judged.by.iter().find(|(name, _)| *name == parameter.name).and_then(|(_, value)| *value);
            match value {
                Some(v) if v > 0.0 && v.is_finite() => weights.moving.push((parameter.name.clone(), v)),
                Some(0.0) => weights.still.push(parameter.name.clone()),
                Some(v) if !v.is_finite() => weights.wild.push(parameter.name.clone()),
                _ => {}
            }
        }
        weights
    }

    fn all_still(&self) -> bool {
        self.moving.is_empty() && self.wild.is_empty() && !self.still.is_empty()
    }

    /// The middle of the moving ones.
    fn typical(&self) -> Option<f64> {
        median(&self.moving.iter().map(|(_, v)| *v).collect::<Vec<_>>())
    }
}

/// The learning rate, where all weights are off; a single layer, where the others are not.
fn pace(context: &Context<'_>, trace: &Trace, weights: &Weights) -> Option<Cause> {
    let outside = |value: f64, band: &Band| !band.contains(value);
    // Not the judged entry's band: that may be the largest step's.
    let band = context.band(&trace.facts, DEFAULT_BAND).unwrap_or(DEFAULT_BAND);
    let expect = band.expect.unwrap_or(REFERENCE);
    let (name, value) = weights
        .moving
        .iter()
        .filter(|(_, v)| outside(*v, &band))
        .max_by(|a, b| band.excess(a.1, Scale::Log).total_cmp(&band.excess(b.1, Scale::Log)))?;
    let typical = weights.typical()?;
    let high = *value > expect;
    if weights.moving.len() > 1 && band.contains(typical) {
        return Some(Cause {
            id: "uneven_layers",
            help: format!(
                "update ratio of {name} is {}, {} times that of the middle weight ({}): look at how this layer is initialised",
                number(*value),
                number(value / typical),
                number(typical)
            ),
        });
    }
    let compared = if high {
        format!("{} times the expected {}", times(value / expect), number(expect))
    } else {
        format!("a {}th of the expected {}", times(expect / value), number(expect))
    };
    Some(Cause {
        id: if high { "learning_rate_high" } else { "learning_rate_low" },
        help: format!("update ratio of {name} is {}, {compared}: {}", number(*value), context.try_lr(expect / value)),
    })
}

/// A loss that begins about a batch size above what guessing has.
fn summed(context: &Context<'_>, taken: &[Vec<Measurement>]) -> Option<Cause> {
    let seen = trace(taken.first()?, 0).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "classes and rows are few")]
    let (k, batch) = (seen.facts.classes? as f64, context.subject.data.batch as f64);
    let first = typical(taken, |seed| Some(trace(seed, 0).ok()?.steps.first()?.loss))?;
    let ratio = first / k.ln();
    (batch >= 4.0 && (0.5..2.0).contains(&(ratio / batch))).then(|| Cause {
        id: "loss_sum",
        help: format!(
            "the first loss is {}, {} times ln({k}), with {batch} rows in a batch: average the loss instead of summing it",
            number(first),
            times(ratio)
        ),
    })
}

#[cfg(test)]
#[path = "tests/update_ratio.rs"]
mod tests;
