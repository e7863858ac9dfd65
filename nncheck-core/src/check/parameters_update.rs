//! `parameters_update`: what shall learn moves, and nothing else does.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::worst_seed;
use super::evidence::{some_names, trace};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::trace::{Inputs, Parameter, Watched};
use crate::measurement::{Measurement, Request, Trace, TraceAsk};
use crate::spec::Subject;
use crate::spec::optimizer::Optimizer;

/// A bias whose gradient is this small beside the largest one is there for nothing.
const REDUNDANT: f64 = 1e-12;

/// Every trainable parameter gets a gradient and moves; every frozen one stays.
///
/// ## What it measures
/// For each trainable parameter the largest update ratio ||after - before|| / ||before|| of the first `steps` steps (the
/// norm of the update where the parameter is all zero), which has to be above zero; it counts as zero if no step brings the
/// parameter a gradient other than zero. For each frozen parameter the largest norm of an update, which has to be exactly zero.
/// Tensors that require a gradient and reach an operator, but that neither the variable store nor the optimizer knows,
/// fail by the name of the layer that reads them.
///
/// ## Why it matters
/// A layer that does not learn costs little accuracy on small data, and so nobody sees it: the others make up for it. It
/// is a random projection that one pays for.
///
/// ## Usual causes
/// A `detach` or `no_grad` too much; a layer that is built and never called; parameters made outside the variable store, or
/// not handed to the optimizer; rectifiers that are dead from the start; parameters that were meant to be frozen and are not;
/// parameters that are frozen without `frozen` in `[model]` saying so.
///
/// ## What to try
/// Follow the named parameter from its layer to the loss. What is meant to stay as it is goes into `[model] frozen`, or into
/// `allow = ["param:GLOB"]` with a `reason`.
///
/// ## Defaults
/// 20 steps, so that a unit that is dead for one batch has its chance. A bias in front of batch norm is redundant, not
/// broken (its gradient is 1e-16): it is listed and not judged. A zero-initialised layer moves from the second step on.
///
/// ## Sources
/// PyTorch's documentation of `Tensor.detach` and `Module.register_parameter`; suriyadeepan's torchtest (2018): variables change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParametersUpdate {
    /// How many training steps are watched.
    pub steps: NonZeroUsize,
}

impl Default for ParametersUpdate {
    fn default() -> Self {
        Self { steps: super::parameter::count(20) }
    }
}

impl CheckType for ParametersUpdate {
    const INFO: Info = Info {
        id: "parameters_update",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[crate::spec::property::Narrow::Layers],
        trains: true,
        causes: &[
            CauseInfo {
                id: "not_finite",
                what: "gradients or parameters are not finite",
                cure: "look at `finite`, which names the place where it begins",
            },
            CauseInfo {
                id: "not_declared_frozen",
                what: "a parameter asks for no gradient, and the spec does not say that it is meant to be frozen",
                cure: "name it in `frozen` of [model], or let it train",
            },
            CauseInfo {
                id: "unregistered",
                what: "a layer reads a tensor that neither the variable store nor the optimizer knows",
                cure: "make it through the variable store's path",
            },
            CauseInfo {
                id: "not_in_optimizer",
                what: "a parameter gets a gradient and does not move: the optimizer does not know it, or its rate is zero",
                cure: "hand it to the optimizer",
            },
            CauseInfo {
                id: "no_gradient",
                what: "no gradient reaches a parameter: it is detached or never used",
                cure: "look for `detach`, `no_grad`, or a layer that is built and never called",
            },
            CauseInfo {
                id: "dead_units",
                what: "a parameter's gradient is zero in every step: the units behind it are dead",
                cure: "initialise smaller, lower the learning rate, or give rectifiers a slope below zero (leaky_relu)",
            },
            CauseInfo {
                id: "frozen_moves",
                what: "a frozen parameter moves",
                cure: "switch its gradient off, and keep it out of the optimizer (weight decay moves it too)",
            },
        ],
    };
}

impl Check for ParametersUpdate {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        let steps = self.steps.get();
        vec![Request::Trace(TraceAsk { inputs: Inputs::Real, steps, watched: steps })]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let trace = match trace(taken, 0) {
            Ok(trace) => trace,
            Err(why) => return Sample::Unanswerable(why),
        };
        let watched = self.watched(trace);
        if watched.is_empty() {
            return Sample::Nothing("no training step was watched".to_owned());
        }
        if trace.parameters.is_empty() && trace.unregistered.is_empty() {
            return Sample::Nothing("the model has no parameters".to_owned());
        }
        let largest = largest_gradient(&watched);
        let mut entries: Vec<Entry> = trace
            .parameters
            .iter()
            .enumerate()
            .map(|(i, parameter)| {
                let seen = Seen::new(&watched, i);
                let unjudged = context.allows_parameter(&parameter.name)
                    || !stays(parameter) && is_redundant(trace, parameter, &seen, largest);
                let (value, band) = if stays(parameter) {
                    (seen.norm, Band { min: None, max: Some(0.0), expect: None })
                } else {
                    (if seen.gradient == 0.0 { 0.0 } else { seen.movement }, MOVES)
                };
                Entry {
                    name: Some(parameter.name.clone()),
                    value: Some(value),
                    band: (!unjudged).then_some(band),
                    scale: Scale::Linear,
                }
            })
            .collect();
        for (name, layer) in unregistered_names(trace) {
            let band = (!context.allows_parameter(&name) && !context.allows_parameter(layer)).then_some(MOVES);
            entries.push(Entry { name: Some(name), value: Some(0.0), band, scale: Scale::Linear });
        }
        if entries.iter().all(|e| e.band.is_none()) {
            return Sample::Nothing("every parameter is allowed to be as it is".to_owned());
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "largest relative movement"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        // The seed in which the judged entry is worst; other entries may be worse in others, but the causes are the same.
        let at = worst_seed(judged);
        let Some(trace) = taken.get(at).and_then(|seed| trace(seed, 0).ok()) else { return Vec::new() };
        let watched = self.watched(trace);
        let mut found = Found::default();
        for (name, _) in unregistered_names(trace) {
            if judged.outside.contains(&name) {
                found.unregistered.push(name);
            }
        }
        for (i, parameter) in trace.parameters.iter().enumerate() {
            if !judged.outside.contains(&parameter.name) {
                continue;
            }
            let seen = Seen::new(&watched, i);
            let name = parameter.name.clone();
            if stays(parameter) {
                found.frozen_moves.push((name, seen.norm));
            } else if !seen.gradient.is_finite() || !seen.movement.is_finite() {
                found.not_finite.push(name);
            } else if !parameter.trainable {
                found.undeclared.push(name);
            } else if seen.gradient > 0.0 {
                found.not_in_optimizer.push((name, seen.gradient));
            } else if !parameter.used {
                found.unused.push(name);
            } else if seen.has_gradient {
                found.dead.push(name);
            } else {
                found.detached.push(name);
            }
        }
        found.causes(context, self.steps.get())
    }
}

/// Anything above zero: the smallest number there is room for.
const MOVES: Band = Band { min: Some(f64::MIN_POSITIVE), max: None, expect: None };

impl ParametersUpdate {
    fn watched<'a>(&self, trace: &'a Trace) -> Vec<&'a Watched> {
        trace.steps.iter().take(self.steps.get()).filter_map(|step| step.watched.as_ref()).collect()
    }
}

/// Whether a parameter must not move: the spec says so. One that asks for no gradient without being declared frozen is
/// frozen by mistake.
fn stays(parameter: &Parameter) -> bool {
    parameter.frozen
}

/// One parameter over the watched steps.
struct Seen {
    /// Whether any step brought a gradient, be it zero.
    has_gradient: bool,
    /// Largest norm of a gradient; NaN where one is not finite.
    gradient: f64,
    /// Largest norm of an update.
    norm: f64,
    /// Largest update ratio, or norm of an update where there is no ratio.
    movement: f64,
}

impl Seen {
    fn new(watched: &[&Watched], parameter: usize) -> Self {
        let gradients = || watched.iter().filter_map(|w| w.gradient_norm.get(parameter).copied().flatten());
        let norms = || watched.iter().filter_map(|w| w.update_norm.get(parameter).copied());
        let moves = watched.iter().filter_map(|w| {
            let ratio = w.update_ratio.get(parameter).copied().flatten();
            ratio.or_else(|| w.update_norm.get(parameter).copied())
        });
        Self {
            has_gradient: gradients().next().is_some(),
            gradient: largest(gradients()),
            norm: largest(norms()),
            movement: largest(moves),
        }
    }
}

/// The largest, at least zero; NaN where one is not finite.
fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |largest: f64, v| if v.is_finite() && largest.is_finite() { largest.max(v) } else { f64::NAN })
}

fn largest_gradient(watched: &[&Watched]) -> f64 {
    largest(watched.iter().flat_map(|w| w.gradient_norm.iter().copied().flatten()).filter(|g| g.is_finite()))
}

/// A bias that batch norm takes away again, by the operator behind its layer or by its vanishing gradient.
fn is_redundant(trace: &Trace, parameter: &Parameter, seen: &Seen, largest: f64) -> bool {
    let Some((layer, "bias")) = parameter.name.rsplit_once('.') else { return false };
    let normalised = trace
        .layers
        .windows(2)
        .any(|pair| pair[0].name == layer && !is_batch_norm(&pair[0].operator) && is_batch_norm(&pair[1].operator));
    // Exactly zero is a dead unit, not a redundant bias.
    let vanishing = parameter.shape.len() == 1 && seen.gradient > 0.0 && seen.gradient <= REDUNDANT * largest;
    normalised && seen.has_gradient || vanishing
}

fn is_batch_norm(operator: &str) -> bool {
    operator.contains("batch_norm")
}

/// Unregistered tensors by their layers' names, numbered where a layer has several; each with its layer.
fn unregistered_names(trace: &Trace) -> Vec<(String, &str)> {
    let mut names: Vec<(String, &str)> = Vec::new();
    for tensor in &trace.unregistered {
        let before = names.iter().filter(|(_, layer)| *layer == tensor.layer).count();
        let number = if before == 0 { String::new() } else { format!(" #{}", before + 1) };
        names.push((format!("{} (unregistered{number})", tensor.layer), &tensor.layer));
    }
    names
}

/// The parameters that are outside, by what is wrong with them.
#[derive(Default)]
struct Found {
    not_finite: Vec<String>,
    undeclared: Vec<String>,
    unregistered: Vec<String>,
    not_in_optimizer: Vec<(String, f64)>,
    unused: Vec<String>,
    detached: Vec<String>,
    dead: Vec<String>,
    frozen_moves: Vec<(String, f64)>,
}

impl Found {
    fn causes(&self, context: &Context<'_>, steps: usize) -> Vec<Cause> {
        let mut causes = Vec::new();
        let mut add = |id, help: String| causes.push(Cause { id, help });
        if !self.not_finite.is_empty() {
            add(
                "not_finite",
                format!(
                    "{}: gradients or values are not finite; `finite` names the place where it begins",
                    some_names(&self.not_finite)
                ),
            );
        }
        if !self.undeclared.is_empty() {
            add(
                "not_declared_frozen",
                format!(
                    "{}: no gradient is asked for (`requires_grad` is off); if that is meant, declare it: `frozen = [\"{}\"]` in [model]",
                    some_names(&self.undeclared),
                    self.undeclared[0]
                ),
            );
        }
        if !self.unregistered.is_empty() {
            add(
                "unregistered",
                format!(
                    "{} reads a tensor that requires a gradient and that neither the variable store nor the optimizer knows: make it with the path's own functions (`path.var`, `nn::linear`)",
                    some_names(&self.unregistered)
                ),
            );
        }
        if let Some((_, gradient)) = self.not_in_optimizer.first() {
            let rate = context
                .subject
                .optimizer
                .as_ref()
                .and_then(Optimizer::lr)
                .map_or_else(String::new, |lr| format!(" (its learning rate is {})", number(lr)));
            add(
                "not_in_optimizer",
                format!(
                    "a gradient reaches {} (norm {}), which does not move: hand it to the optimizer{rate}",
                    some_names(&names(&self.not_in_optimizer)),
                    number(*gradient)
                ),
            );
        }
        if !self.unused.is_empty() {
            add(
                "no_gradient",
                format!(
                    "no operator of the forward pass reads {}: call its layer, or remove it",
                    some_names(&self.unused)
                ),
            );
        }
        if !self.detached.is_empty() {
            add(
                "no_gradient",
                format!(
                    "no gradient comes back to {}, which the forward pass reads: look for `detach`, `no_grad` or a rebuilt tensor between it and the loss{}",
                    some_names(&self.detached),
                    if context.subject.train.step.is_some() { ", and that the step runs `backward`" } else { "" }
                ),
            );
        }
        if !self.dead.is_empty() {
            add(
                "dead_units",
                format!(
                    "the gradient of {} is exactly zero in each of {steps} steps: the units behind it are dead; initialise smaller, lower the learning rate, or give rectifiers a slope below zero (leaky_relu)",
                    some_names(&self.dead)
                ),
            );
        }
        if let Some((_, norm)) = self.frozen_moves.first() {
            add(
                "frozen_moves",
                format!(
                    "{} must not move and does, by a norm of {}: switch its gradient off and keep it out of the optimizer, since weight decay moves it too",
                    some_names(&names(&self.frozen_moves)),
                    number(*norm)
                ),
            );
        }
        causes
    }
}

fn names(list: &[(String, f64)]) -> Vec<&str> {
    list.iter().map(|(name, _)| name.as_str()).collect()
}

#[cfg(test)]
#[path = "tests/parameters_update.rs"]
mod tests;
