//! `overfit`: a handful of examples is learnt by heart.

use std::num::NonZeroUsize;

mod diagnosis;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::{NOT_FINITE, not_finite_from_the_start, overfit, typical};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::{self, Measurement, OverfitAsk, Request};
use crate::spec::Subject;
use crate::spec::loss::LossKind;

/// The model learns a few examples by heart.
///
/// ## What it measures
/// The training program is run on `points` examples with targets as different as can be, until it predicts all of them
/// rightly in train and in eval mode and the loss is below `loss`, for at most `max_steps` steps. For regression the loss
/// is measured in units of that of the best constant output. What no model could reach is taken into account: the entropy that
/// label smoothing or targets between 0 and 1 leave, and next tokens of sequences that begin alike. Judged over seeds by a
/// sequential test.
///
/// ## Why it matters
/// Two examples can be told apart by almost any model. One that cannot has a broken path between inputs, outputs, loss
/// and optimizer, and no amount of data will repair that. It is the cheapest test of the whole program.
///
/// ## Usual causes
/// A learning rate that is far too small or too large; softmax in front of cross-entropy, which sets a floor under the
/// loss; gradients that do not reach the weights; parameters that the optimizer does not know; dead or saturated units, which
/// give every example the same answer; strong weight decay; a schedule that ends too early; batch norm or dropout that make
/// eval mode another model.
///
/// ## What to try
/// Look at the curve: level means that nothing learns, falling means too slow, rising means too fast. Then change the
/// learning rate by ten, remove the activation before the loss, or test `parameters_update`.
///
/// ## Defaults
/// 2 points to a loss of 0.1 in 1,024 steps: no alarm on 37 sound programs, and 22 of 49 faulty ones found (accuracy alone
/// finds 17). To a loss of 1e-4 in 1,000 steps most sound programs fail. Batch norm that cannot take so few examples is
/// skipped, with the number that it needs.
///
/// ## Sources
/// A. Karpathy, A Recipe for Training Neural Networks (2019): "overfit one batch".
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Overfit {
    /// How many examples.
    pub points: NonZeroUsize,
    /// The loss to get below; for regression, as a share of the loss of the best constant output.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub loss: f64,
    /// How many steps it may take.
    pub max_steps: NonZeroUsize,
}

impl Default for Overfit {
    fn default() -> Self {
        Self { points: super::parameter::count(2), loss: 0.1, max_steps: super::parameter::count(1024) }
    }
}

impl CheckType for Overfit {
    const INFO: Info = Info {
        id: "overfit",
        stage: Stage::Start,
        rule: Rule::Proportion,
        takes_band: false,
        narrows: &[],
        trains: true,
        causes: &[
            NOT_FINITE,
            CauseInfo {
                id: "output_activation",
                what: "an activation between the model and the loss sets a floor under the loss",
                cure: "hand the loss raw outputs",
            },
            CauseInfo {
                id: "learning_rate_high",
                what: "training diverges: the learning rate is too high",
                cure: "lower it by ten",
            },
            CauseInfo {
                id: "no_learning",
                what: "the loss does not move: gradients do not reach the weights, or the optimizer does not know them",
                cure: "look at `parameters_update`",
            },
            CauseInfo {
                id: "learning_rate_low",
                what: "the loss falls too slowly: the learning rate is too low",
                cure: "raise it by ten",
            },
            CauseInfo {
                id: "eval_differs",
                what: "eval mode is another model than the one that was trained: batch norm or dropout",
                cure: "look at the running statistics and at what dropout does",
            },
            CauseInfo {
                id: "same_answer",
                what: "every example gets the same answer: dead or saturated units, or inputs that are lost on the way",
                cure: "look at `dead_units` and `saturation`; let the inputs reach the outputs",
            },
            CauseInfo {
                id: "weight_decay",
                what: "regularisation holds the weights near zero",
                cure: "lower `weight_decay` or `l2`",
            },
            CauseInfo {
                id: "rate_decayed",
                what: "the schedule takes the learning rate away before the examples are learnt",
                cure: "let the schedule count epochs, or stretch it",
            },
            CauseInfo {
                id: "capacity",
                what: "the model cannot tell the examples apart",
                cure: "let every input reach the outputs; add units",
            },
        ],
    };
}

impl Check for Overfit {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![Request::Overfit(OverfitAsk {
            points: self.points.get(),
            loss: self.loss,
            max_steps: self.max_steps.get(),
        })]
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match overfit(taken, 0) {
            Ok(seen) => seen,
            Err(why) => return Sample::Unanswerable(why),
        };
        if let Some(why) = &seen.cannot {
            return Sample::Nothing(why.clone());
        }
        if (1..self.points.get()).contains(&seen.points) {
            return Sample::Unanswerable(format!(
                "`points` is {}, and there are {} training rows: take fewer",
                self.points, seen.points
            ));
        }
        if seen.distinct < 2 {
            return Sample::Nothing(format!(
                "all {} examples have the same target: there is nothing to tell apart",
                seen.points
            ));
        }
        let right = Band { min: Some(seen.best_accuracy), max: None, expect: None };
        let low = Band { min: None, max: Some(self.target(seen)), expect: None };
        let entry = |name: &str, value: f64, band| Entry {
            name: Some(name.to_owned()),
            value: Some(value),
            band: Some(band),
            scale: Scale::Linear,
        };
        let mut entries = Vec::new();
        entries.extend(seen.train_accuracy.map(|a| entry("train accuracy", a, right)));
        entries.extend(seen.eval_accuracy.map(|a| entry("eval accuracy", a, right)));
        entries.push(entry("loss", seen.train_loss, low));
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "fit of a few examples"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = worst(judged, taken) else { return Vec::new() };
        let mut causes = Vec::new();
        if !seen.first_loss.is_finite() {
            return vec![not_finite_from_the_start()];
        }
        self.activation(context, seen, &mut causes);
        let fitted = seen.train_loss <= self.target(seen) && seen.train_accuracy.is_none_or(|a| a >= 1.0);
        if fitted {
            causes.push(Cause {
                id: "eval_differs",
                help: format!(
                    "in train mode the examples are learnt (loss {}), in eval mode they are not (accuracy {}, loss {}): look at batch norm's running statistics and at dropout",
                    number(seen.train_loss),
                    seen.eval_accuracy.map_or_else(|| "unknown".to_owned(), number),
                    number(seen.eval_loss)
                ),
            });
        } else {
            // A floor explains a loss that stays level better than the optimizer does.
            let explained = !causes.is_empty();
            let others = diagnosis::causes(context, seen, self.target(seen));
            causes.extend(others.into_iter().filter(|cause| !explained || cause.id != "capacity"));
        }
        causes
    }

    fn remark(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Option<String> {
        let steps = typical(taken, |seed| overfit(seed, 0).ok().map(steps))?;
        let curve = crate::judge::sparkline::sparkline(&worst(judged, taken)?.curve, 40);
        Some(format!("after {} steps; loss {curve}", number(steps)))
    }
}

impl Overfit {
    /// The loss to get below, in the loss's own units.
    fn target(&self, seen: &measurement::Overfit) -> f64 {
        seen.least_loss + self.loss * seen.constant_loss.unwrap_or(1.0)
    }

    fn activation(&self, context: &Context<'_>, seen: &measurement::Overfit, causes: &mut Vec<Cause>) {
        let Some(operator) = seen.last_operator.as_deref() else { return };
        let Some(kind) = context.subject.loss.kind() else { return };
        let squashes = ["softmax", "sigmoid", "relu", "tanh"].iter().any(|a| operator.contains(a));
        let wants_logits = matches!(kind, LossKind::CrossEntropy | LossKind::BceWithLogits);
        let unbounded = matches!(kind, LossKind::Mse | LossKind::L1 | LossKind::Huber);
        if !squashes || operator.contains("log_softmax") || !(wants_logits || unbounded) {
            return;
        }
        let floor = match (kind, seen.facts.classes) {
            // The best that probabilities can do as logits: one for the right class, zero for the k - 1 others.
            (LossKind::CrossEntropy, Some(k)) if operator.contains("softmax") || operator.contains("sigmoid") => {
                #[expect(clippy::cast_precision_loss, reason = "classes are few")]
                let others = k.saturating_sub(1) as f64;
                Some((1f64.exp() + others).ln() - 1.0)
            }
            // ln(1 + 1/e) for a positive example, ln 2 for a negative one.
            (LossKind::BceWithLogits, _) if operator.contains("sigmoid") => {
                Some(f64::midpoint((1.0 + (-1f64).exp()).ln(), std::f64::consts::LN_2))
            }
            _ => None,
        };
        let limit = floor.map_or_else(
            || "which cannot reach every output that the loss wants".to_owned(),
            |floor| {
                format!(
                    "so the loss cannot fall below {}, and it stopped at {}",
                    number(floor),
                    number(seen.train_loss)
                )
            },
        );
        let cure = if unbounded { "end with a linear layer" } else { "remove it: the loss wants logits" };
        causes
            .push(Cause { id: "output_activation", help: format!("the model ends with {operator}, {limit}: {cure}") });
    }
}

fn steps(seen: &measurement::Overfit) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "steps are few")]
    let steps = seen.steps as f64;
    steps
}

/// The seed that the judged value comes from, else the first that was tried.
fn worst<'a>(judged: &Judged, taken: &'a [Vec<Measurement>]) -> Option<&'a measurement::Overfit> {
    let tried = || taken.iter().filter_map(|seed| overfit(seed, 0).ok()).filter(|seen| seen.cannot.is_none());
    let at = judged.values.iter().position(|&v| v.is_some() && v == judged.value);
    at.and_then(|seed| overfit(taken.get(seed)?, 0).ok()).or_else(|| tried().next())
}

#[cfg(test)]
#[path = "tests/overfit.rs"]
mod tests;
