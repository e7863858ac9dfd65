//! `gradient_flow`: every layer gets a gradient of about the same size.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::{median, slope, some_names, trace, typical};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::{number, times};
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::trace::{Inputs, Parameter, Step};
use crate::measurement::{Measurement, Request, Trace, TraceAsk};
use crate::spec::Subject;

const DEFAULT_BAND: Band = Band { min: Some(1e-3), max: None, expect: None };

/// Below this share of the first loss the model has converged, and gradients vanish because there is nothing to learn.
const CONVERGED: f64 = 0.1;

/// The gradient reaches every layer.
///
/// ## What it measures
/// For every trainable tensor of two or more dimensions: the root mean square of its gradient's entries (L2 norm over the root of
/// their number) over that of the tensor which has the largest; the median over the `steps` steps that come after the first `after`
/// ones, as long as the loss is above a tenth of the first. Judged on a log scale. A tensor that no gradient reaches counts as zero.
///
/// ## Why it matters
/// Gradients that shrink layer by layer leave one end of the network as it was initialised; those that grow make one learning rate
/// too high for one end and too low for the other.
///
/// ## Usual causes
/// Sigmoids or tanh in a deep stack; an initialiser that does not suit the activation; a layer that is detached or dead; one layer
/// whose inputs or outputs are scaled by a large factor.
///
/// ## What to try
/// Rectifiers with `kaiming_uniform`, residual connections, batch or layer norm. For a zero follow the named parameter with
/// `parameters_update`.
///
/// ## Defaults
/// Above 1e-3, over steps 5 to 20: later the gradients of a good model vanish anyway. The least of 37 sound programs was 0.04, that of
/// ten sigmoids 9e-10. Absolute sizes say nothing: only zero and what is not finite fail by themselves.
///
/// ## Sources
/// S. Hochreiter, Untersuchungen zu dynamischen neuronalen Netzen (1991); X. Glorot, Y. Bengio, Understanding the difficulty of
/// training deep feedforward neural networks (2010).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GradientFlow {
    /// How many steps pass before the first that counts.
    pub after: usize,
    /// How many steps count.
    pub steps: NonZeroUsize,
}

impl Default for GradientFlow {
    fn default() -> Self {
        Self { after: 5, steps: super::parameter::count(15) }
    }
}

impl CheckType for GradientFlow {
    const INFO: Info = Info {
        id: "gradient_flow",
        stage: Stage::Connections,
        rule: Rule::Mean,
        takes_band: true,
        narrows: &[crate::spec::property::Narrow::Layers],
        trains: true,
        causes: &[
            CauseInfo {
                id: "not_finite",
                what: "gradients are not finite",
                cure: "look at `finite`, which names the place where it begins",
            },
            CauseInfo {
                id: "no_gradient",
                what: "no gradient reaches a layer: it is detached, unused or dead",
                cure: "look with `parameters_update`, which tells these apart",
            },
            CauseInfo {
                id: "vanishing",
                what: "gradients shrink from layer to layer on their way back to the input",
                cure: "use rectifiers with `kaiming_uniform`, residual connections or normalisation",
            },
            CauseInfo {
                id: "exploding",
                what: "gradients grow from layer to layer on their way back to the input",
                cure: "initialise smaller, or normalise between layers",
            },
            CauseInfo {
                id: "uneven_layer",
                what: "one layer's gradient is of another size than those of its neighbours",
                cure: "look at its initialisation and at factors around it",
            },
        ],
    };
}

impl Check for GradientFlow {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        let steps = self.end();
        vec![Request::Trace(TraceAsk { inputs: Inputs::Real, steps, watched: steps })]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let read = trace(taken, 0).and_then(|trace| Ok((trace, context.band(&trace.facts, DEFAULT_BAND)?)));
        let (trace, band) = match read {
            Ok(read) => read,
            Err(why) => return Sample::Unanswerable(why),
        };
        if trace.parameters.iter().filter(|parameter| is_judged(parameter)).count() < 2 {
            return Sample::Nothing("the model has no two trainable tensors of two or more dimensions".to_owned());
        }
        let steps = self.counted(trace);
        if steps.is_empty() {
            return Sample::Nothing(
                "the loss is below a tenth of the first one before the first step that counts: gradients vanish because there is nothing left to learn".to_owned(),
            );
        }
        let entries = sizes(trace, &steps).into_iter().map(|(name, value)| {
            let band = (!context.allows_parameter(&name)).then_some(band);
            Entry { name: Some(name), value: Some(value), band, scale: Scale::Log }
        });
        let entries: Vec<Entry> = entries.collect();
        if entries.iter().all(|entry| entry.band.is_none()) {
            return Sample::Nothing("every parameter is allowed to be as it is".to_owned());
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "gradient over the largest layer's"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let value = |name: &String| judged.by.iter().find(|(by, _)| by == name).and_then(|(_, value)| *value);
        let finite = |name: &&String| value(name).is_some_and(f64::is_finite);
        let wild: Vec<&String> = judged.outside.iter().filter(|name| !finite(name)).collect();
        let (still, small): (Vec<&String>, Vec<&String>) =
            judged.outside.iter().filter(finite).partition(|name| value(name) == Some(0.0));
        let mut causes = Vec::new();
        // Where a gradient is zero in one seed and not in another, its mean says nothing.
        let zero = |name: &str| {
            let seeds = taken.iter().filter_map(|seed| trace(seed, 0).ok());
            seeds.flat_map(|trace| sizes(trace, &self.counted(trace))).any(|(by, value)| by == name && value == 0.0)
        };
        let (still_now, wild): (Vec<&String>, Vec<&String>) = wild.into_iter().partition(|name| zero(name));
        if !wild.is_empty() {
            let help = format!(
                "the gradient of {} is not finite: `finite` names the place where it begins",
                some_names(&wild)
            );
            causes.push(Cause { id: "not_finite", help });
        }
        let still: Vec<&String> = still.into_iter().chain(still_now).collect();
        if !still.is_empty() {
            let help = format!(
                "no gradient reaches {}: `parameters_update` tells whether the layer is detached, unused or dead",
                some_names(&still)
            );
            causes.push(Cause { id: "no_gradient", help });
        }
        if let Some(name) =
            small.iter().min_by(|a, b| value(a).partial_cmp(&value(b)).unwrap_or(std::cmp::Ordering::Equal))
        {
            let size = value(name).unwrap_or_default();
            let factor = typical(taken, |seed| trace(seed, 0).ok().and_then(|trace| self.trend(trace)));
            let seen = format!("the gradient of {name} is {} of the largest one", number(size));
            causes.push(match factor {
                Some(factor) if factor > 1.0 => Cause {
                    id: "vanishing",
                    help: format!(
                        "{seen}: it shrinks {} times a layer on its way back to the input; use rectifiers with `kaiming_uniform`, residual connections, or normalisation",
                        times(factor)
                    ),
                },
                Some(factor) => Cause {
                    id: "exploding",
                    help: format!(
                        "{seen}: gradients grow {} times a layer on their way back to the input; initialise smaller, or normalise between layers",
                        times(1.0 / factor)
                    ),
                },
                None => Cause {
                    id: "uneven_layer",
                    help: format!("{seen}: look at the initialisation of its layer, and at factors around it"),
                },
            });
        }
        causes
    }
}

impl GradientFlow {
    /// One past the last step that counts.
    fn end(&self) -> usize {
        self.after.saturating_add(self.steps.get())
    }

    /// The steps in which there was something to learn.
    fn counted<'t>(&self, trace: &'t Trace) -> Vec<&'t Step> {
        let first = trace.steps.first().map_or(f64::NAN, |step| step.loss);
        let steps = trace.steps.iter().take(self.end()).skip(self.after).filter(|step| step.watched.is_some());
        // Losses of any sign, or none, are not judged; what is not finite is kept.
        steps.filter(|step| !(first > 0.0 && step.loss >= 0.0 && step.loss < CONVERGED * first)).collect()
    }

    /// By which factor gradients grow from one layer to the next in the order of computation, where they do so steadily.
    fn trend(&self, trace: &Trace) -> Option<f64> {
        let sizes = sizes(trace, &self.counted(trace));
        let layer = |name: &str| name.rsplit_once('.').map_or(name.to_owned(), |(layer, _)| layer.to_owned());
        let logs: Vec<f64> = trace
            .layers
            .iter()
            .filter_map(|seen| sizes.iter().find(|(name, _)| layer(name) == seen.name))
            .filter(|(_, size)| *size > 0.0 && size.is_finite())
            .map(|(_, size)| size.ln())
            .collect();
        slope(&logs).filter(|(_, r)| r.abs() > 0.8).map(|(slope, _)| slope.exp())
    }
}

fn is_judged(parameter: &Parameter) -> bool {
    parameter.trainable && !parameter.frozen && parameter.shape.len() >= 2
}

/// The root mean square of each judged tensor's gradient over the largest one, the median over these steps.
fn sizes(trace: &Trace, steps: &[&Step]) -> Vec<(String, f64)> {
    let judged: Vec<usize> = (0..trace.parameters.len()).filter(|&at| is_judged(&trace.parameters[at])).collect();
    let mut shares = vec![Vec::with_capacity(steps.len()); judged.len()];
    for watched in steps.iter().filter_map(|step| step.watched.as_ref()) {
        let size = |at: usize| {
            #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 entries")]
            let entries = trace.parameters[at].shape.iter().product::<usize>() as f64;
            watched.gradient_norm.get(at).copied().flatten().unwrap_or(0.0) / entries.sqrt()
        };
        let largest = judged.iter().map(|&at| size(at)).filter(|size| size.is_finite()).fold(0.0, f64::max);
        // Where no layer has a gradient (accumulation, a step that is skipped), there is nothing to compare.
        if largest > 0.0 || judged.iter().any(|&at| !size(at).is_finite()) {
            for (shares, &at) in shares.iter_mut().zip(&judged) {
                let size = size(at);
                shares.push(if size.is_finite() && largest > 0.0 { size / largest } else { size });
            }
        }
    }
    let named = judged.iter().zip(shares);
    named.map(|(&at, shares)| (trace.parameters[at].name.clone(), median(&shares).unwrap_or(0.0))).collect()
}

#[cfg(test)]
#[path = "tests/gradient_flow.rs"]
mod tests;
