//! `layer_order`: no layer stands where it undoes another, or what the loss does itself.

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::{answer, initial};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::dropout::{DropoutAsk, Dropouts};
use crate::measurement::{DataFacts, Initial, InitialAsk, Measurement, Request, Share};
use crate::spec::Subject;
use crate::spec::loss::LossKind;

/// Rows of the first pass, as `initial_loss` takes them.
const ROWS: usize = 1024;
/// Rows that dropout is looked at on.
const DROPOUT_ROWS: usize = 256;
/// What is judged of the last layer.
const LAST: &str = "(last layer)";

/// No layer stands where it undoes another, or what the loss does itself.
///
/// ## What it measures
/// *last layer*: 1 where the last operator of the model is an activation that the loss does not want, else 0: softmax, sigmoid,
/// tanh or a rectifier before cross-entropy or BCE with logits, which take raw scores; a rectifier before a regression whose
/// targets lie below zero, a bounded activation where they lie beyond its bounds; dropout before any loss. And for each batch
/// norm behind dropout: the variance of what goes into it in train mode, with dropout, over the variance in eval mode, without
/// it, both normalised by the same batch's statistics. This ratio is 1 where dropout does not stand before batch norm, and it
/// warns, never fails.
///
/// ## Why it matters
/// A softmax before cross-entropy, which has its own, still trains, slowly and to a loss far above zero: nobody sees it.
/// Dropout before batch norm makes running variances too large for eval mode.
///
/// ## Usual causes
/// The last activation of a model for another loss; a loss "with logits" that was exchanged for one without; dropout in front
/// of batch norm.
///
/// ## What to try
/// Leave the last activation out and apply it where probabilities are wanted; put dropout behind the last batch norm.
///
/// ## Defaults
/// A variance ratio of 0.8 to 1.25: without dropout in front it is 1.000, with it 1.39 to 1.65. Wide residual networks do it on
/// purpose: hence a warning.
///
/// ## Sources
/// Li et al. (2019), Understanding the Disharmony between Dropout and Batch Normalization by Variance Shift; PyTorch's
/// documentation of `CrossEntropyLoss`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LayerOrder {}

impl CheckType for LayerOrder {
    const INFO: Info = Info {
        id: "layer_order",
        stage: Stage::Parameters,
        rule: Rule::Mean,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "output_activation",
                what: "the last layer's activation is one that the loss does not want",
                cure: "leave it out: these losses take raw scores",
            },
            CauseInfo {
                id: "output_dropout",
                what: "dropout is the last layer",
                cure: "leave it out: the loss sees zeros that nobody put out",
            },
            CauseInfo {
                id: "variance_shift",
                what: "dropout stands before batch norm",
                cure: "put dropout behind the last batch norm",
            },
        ],
    };
}

impl Check for LayerOrder {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![
            Request::Initial(InitialAsk { rows: ROWS, share: Share::Training }),
            DropoutAsk { rows: DROPOUT_ROWS }.into(),
        ]
    }

    fn advises(&self, name: &str) -> bool {
        name != LAST
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let (first, dropouts): (&Initial, &Dropouts) = match (initial(taken, 0), answer(taken, 1)) {
            (Ok(first), Ok(dropouts)) => (first, dropouts),
            (Err(why), _) | (_, Err(why)) => return Sample::Unanswerable(why),
        };
        let mut entries = Vec::new();
        if let (Some(operator), Some(kind)) = (&first.last_operator, context.subject.loss.kind()) {
            let wrong = unwanted(operator, kind, &first.facts).is_some();
            entries.push(Entry {
                name: Some(LAST.to_owned()),
                value: Some(if wrong { 1.0 } else { 0.0 }),
                band: Some(Band { min: None, max: Some(0.0), expect: None }),
                scale: Scale::Linear,
            });
        }
        for shift in dropouts.shifts.iter().filter(|shift| shift.off > 0.0) {
            let allowed =
                context.allows_cause("variance_shift") || context.allows_parameter(&format!("{}.weight", shift.layer));
            entries.push(Entry {
                name: Some(shift.layer.clone()),
                value: Some(shift.on / shift.off),
                band: (!allowed).then_some(Band { min: Some(0.8), max: Some(1.25), expect: Some(1.0) }),
                scale: Scale::Log,
            });
        }
        if entries.iter().all(|entry| entry.band.is_none()) {
            return Sample::Nothing(
                "the loss is of no known kind, or the program puts nothing out, or several things, and no batch norm is behind dropout"
                    .to_owned(),
            );
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "order of the layers"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let mut causes = Vec::new();
        let outside = |name: &str| judged.outside.iter().any(|o| o == name);
        let first = taken.iter().find_map(|seed| initial(seed, 0).ok());
        if let (Some(seen), Some(kind)) = (first, context.subject.loss.kind())
            && outside(LAST)
            && let Some(operator) = &seen.last_operator
            && let Some(why) = unwanted(operator, kind, &seen.facts)
        {
            let id = if operator.contains("dropout") { "output_dropout" } else { "output_activation" };
            causes.push(Cause {
                id,
                help: format!("the last operator of the model is `{operator}`, and {why}: leave it out"),
            });
        }
        let shift = judged.by.iter().find(|(name, _)| name != LAST && outside(name));
        if let Some((name, Some(ratio))) = shift {
            causes.push(Cause {
                id: "variance_shift",
                help: format!(
                    "the variance of what goes into {name} is {} times as large with dropout before it as without: put dropout behind the last batch norm",
                    number(*ratio)
                ),
            });
        }
        causes
    }
}

/// Why the loss does not want this operator as the last; `None` where it may be.
fn unwanted(operator: &str, kind: LossKind, facts: &DataFacts) -> Option<String> {
    if operator.contains("dropout") {
        return Some("the loss sees zeros that no layer put out".to_owned());
    }
    let bounds = bounds(operator)?;
    match kind {
        // The logarithm of a softmax is its own: a second changes nothing.
        LossKind::CrossEntropy if operator == "log_softmax" || operator == "_log_softmax" => None,
        LossKind::CrossEntropy => Some("cross-entropy takes raw scores and has a softmax of its own".to_owned()),
        LossKind::BceWithLogits => Some("this loss takes raw scores and has a sigmoid of its own".to_owned()),
        LossKind::Nll if operator.ends_with("log_softmax") => None,
        LossKind::Nll => Some("nll takes logarithms of probabilities: use `log_softmax`".to_owned()),
        LossKind::Bce if operator == "sigmoid" || operator.ends_with("softmax") && !operator.contains("log") => None,
        LossKind::Bce => Some("bce takes probabilities: use a sigmoid".to_owned()),
        _ => {
            let (mean, std) = (facts.target_mean?, facts.target_variance?.sqrt());
            let (low, high) = bounds;
            // Of any distribution some values lie as far as one standard deviation from the mean, on one side or the other.
            (mean - std < low - 0.01 * std || mean + std > high + 0.01 * std).then(|| {
                format!(
                    "the targets, of mean {} and standard deviation {}, go beyond what it can put out",
                    number(mean),
                    number(std)
                )
            })
        }
    }
}

/// Between what an activation's outputs lie; `None` of what is no activation, or can put out anything.
fn bounds(operator: &str) -> Option<(f64, f64)> {
    Some(match operator {
        "relu" | "relu6" | "softplus" | "abs" | "square" => {
            (0.0, if operator == "relu6" { 6.0 } else { f64::INFINITY })
        }
        "gelu" | "silu" | "mish" | "hardswish" | "elu" | "selu" | "celu" => (-1.8, f64::INFINITY),
        "sigmoid" | "softmax" | "_softmax" | "hardsigmoid" => (0.0, 1.0),
        "tanh" | "hardtanh" | "softsign" => (-1.0, 1.0),
        "log_softmax" | "_log_softmax" | "log_sigmoid" => (f64::NEG_INFINITY, 0.0),
        _ => return None,
    })
}

#[cfg(test)]
#[path = "tests/layer_order.rs"]
mod tests;
