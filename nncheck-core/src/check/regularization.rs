//! `regularization`: what is declared acts, and neither vanishes nor swamps the data.

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::answer;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::{number, rough};
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::{Measurement, Regularization as Seen, RegularizationAsk, Request};
use crate::spec::Subject;

const ADDED: &str = "added to the loss";
const SHRUNK: &str = "weights after it alone";
const BESIDE: &str = "beside the data loss";
/// What single precision can tell from one.
const NOTICED: f64 = 1e-6;

/// The declared regularisation acts, and neither vanishes beside the data loss nor swamps it.
///
/// ## What it measures
/// Before training, on one batch. With `l2`: what the program adds to the data loss, over l2/2 ||w||^2, which has to be 1; of
/// a step of your own, what the loss that it returns is above the declared one. With `l2` or `weight_decay`: ||w|| after
/// five steps of the optimizer on the regularisation alone, over ||w|| before, which must not be above 1. And the L2 norm
/// of the regularisation's gradient over that of the data loss's, which has to lie from `vanishes` to `swamps`; of decoupled decay
/// (`adamw`), the root mean square of what it takes from the weights in a step, in units of the learning rate, which is the size
/// of Adam's own steps.
///
/// ## Why it matters
/// Regularisation that does nothing looks like one that does: the curves are the same for a long time. One that swamps the data draws
/// all weights to zero, and the loss stops at that of guessing.
///
/// ## Usual causes
/// A penalty that the step forgets; a factor that is orders of magnitude off; a sign; both `l2` and `weight_decay`.
///
/// ## What to try
/// Usual are 1e-6 to 1e-2 for `l2` and `weight_decay`, 0.01 to 0.1 for that of `adamw`. Add the penalty inside your own step,
/// or declare it as `weight_decay`.
///
/// ## Defaults
/// From 1e-7 to 5. Below 1e-7 single precision no longer sees it. On 19 sound programs ||w|| is 1.01 to 41.5 times the norm of the
/// data loss's gradient before training, so that factors of 1e-6 to 1e-2 come to 1e-6 to 0.42; the fault of a factor of 10, to 10 and
/// more. Nothing declared is skipped.
///
/// ## Sources
/// Krogh and Hertz (1992); Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Regularization {
    /// The least that its gradient may be, of the data loss's.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub vanishes: f64,
    /// The most that its gradient may be, of the data loss's.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub swamps: f64,
}

impl Default for Regularization {
    fn default() -> Self {
        Self { vanishes: 1e-7, swamps: 5.0 }
    }
}

impl CheckType for Regularization {
    const INFO: Info = Info {
        id: "regularization",
        stage: Stage::Loss,
        rule: Rule::Mean,
        takes_band: false,
        narrows: &[],
        trains: true,
        causes: &[
            CauseInfo {
                id: "not_added",
                what: "the declared `l2` is not in the loss, or not as it is declared",
                cure: "add it inside your own step, or take it out of the spec",
            },
            CauseInfo {
                id: "grows",
                what: "the weights do not shrink under the regularisation alone",
                cure: "look at its sign, and at a learning rate that overshoots",
            },
            CauseInfo {
                id: "swamps",
                what: "the regularisation is far stronger than the data loss",
                cure: "lower it to the factor that the report states",
            },
            CauseInfo {
                id: "vanishes",
                what: "the regularisation is too weak to be noticed",
                cure: "raise it, or take it out of the spec",
            },
        ],
    };
}

impl Check for Regularization {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![RegularizationAsk.into()]
    }

    fn moot(&self, context: &Context<'_>) -> Option<String> {
        (strongest(context) == 0.0).then(|| {
            "no regularisation is declared: neither `l2` in [loss] nor `weight_decay` in [optimizer]".to_owned()
        })
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match answer::<Seen>(taken, 0) {
            Ok(seen) => seen,
            Err(why) => return Sample::Unanswerable(why),
        };
        if seen.norm == 0.0 {
            return Sample::Nothing("all parameters that are regularised are zero".to_owned());
        }
        let entry = |name: &str, value: f64, band: Band, scale| Entry {
            name: Some(name.to_owned()),
            value: Some(value),
            band: Some(band),
            scale,
        };
        let mut entries = Vec::new();
        if seen.declared > 0.0 {
            // A small term drowns in the rounding of a large loss.
            let slack = (1e-6 * seen.data_loss.abs() / seen.declared).max(1e-3);
            let band = Band { min: Some(1.0 - slack), max: Some(1.0 + slack), expect: Some(1.0) };
            entries.push(entry(ADDED, seen.added / seen.declared, band, Scale::Linear));
        }
        let noticed = seen.lr.is_some_and(|lr| lr * strongest(context) >= NOTICED);
        let most = if noticed { 1.0 - NOTICED / 10.0 } else { 1.0 + NOTICED };
        entries.push(entry(
            SHRUNK,
            seen.norm_after / seen.norm,
            Band { min: None, max: Some(most), expect: None },
            Scale::Linear,
        ));
        if let Some(ratio) = ratio(seen) {
            let band = Band { min: Some(self.vanishes), max: Some(self.swamps), expect: None };
            entries.push(entry(BESIDE, ratio, band, Scale::Log));
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "regularisation"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = taken.first().and_then(|seed| answer::<Seen>(seed, 0).ok()) else { return Vec::new() };
        let outside = |name: &str| judged.outside.iter().any(|o| o == name);
        let mut causes = Vec::new();
        if outside(ADDED) {
            let who = if context.subject.train.step.is_some() { "the loss that your step returns" } else { "the loss" };
            causes.push(Cause {
                id: "not_added",
                help: format!(
                    "{who} is {} above the data loss, and `l2 = {}` comes to {}: add the penalty inside your step, or take `l2` out of the spec",
                    number(seen.added),
                    number(context.subject.loss.l2),
                    number(seen.declared)
                ),
            });
        }
        let ratio = ratio(seen).unwrap_or(f64::NAN);
        let strong = strongest(context);
        if outside(BESIDE) && ratio > self.swamps {
            causes.push(Cause {
                id: "swamps",
                help: format!(
                    "its gradient is {} times that of the data loss, and draws all weights to zero: try {} instead of {}",
                    number(ratio),
                    rough(strong * 0.01 / ratio),
                    number(strong)
                ),
            });
        }
        if outside(SHRUNK) {
            causes.push(Cause {
                id: "grows",
                help: format!(
                    "five steps of it alone bring the norm of the weights from {} to {}: look at its sign, and whether the optimizer steps; where rate times factor is above 2, it overshoots",
                    number(seen.norm),
                    number(seen.norm_after)
                ),
            });
        }
        if outside(BESIDE) && ratio < self.vanishes {
            causes.push(Cause {
                id: "vanishes",
                help: format!(
                    "its gradient is {} times that of the data loss, which nothing notices: raise {} to 1e-6 or more, or take it out of the spec",
                    number(ratio),
                    number(strong)
                ),
            });
        }
        causes
    }
}

/// The strongest factor that is declared; zero where there is none.
fn strongest(context: &Context<'_>) -> f64 {
    let optimizer = context.subject.optimizer.as_ref();
    let decays = optimizer
        .into_iter()
        .flat_map(crate::spec::optimizer::Optimizer::groups)
        .map(|group| group.kind.weight_decay());
    decays.fold(context.subject.loss.l2, f64::max)
}

/// The regularisation beside the data loss; `None` where the latter has no gradient.
fn ratio(seen: &Seen) -> Option<f64> {
    let beside = (seen.data_gradient > 0.0).then(|| seen.penalty_gradient / seen.data_gradient);
    let beside = beside.map_or(seen.decoupled, |beside| beside.max(seen.decoupled));
    (beside > 0.0).then_some(beside)
}

#[cfg(test)]
#[path = "tests/regularization.rs"]
mod tests;
