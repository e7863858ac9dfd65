//! `modes`: training runs in train mode, and eval mode is what it should be.

use crate::judge::number::count;
use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::{at_most, seen, shown, worst};
use super::evidence::some_names;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Judged, Rule, Sample};
use crate::measurement::{Measurement, Modes as Seen, ModesAsk, Request};
use crate::spec::Subject;
use crate::spec::model::ModelSource;

const REPEATED: &str = "eval mode twice";
const ALONE: &str = "a row alone";
const EVAL_MOVES: &str = "buffers moved by eval mode";
const STILL: &str = "running statistics that stand still";
const EVAL_STEPS: &str = "training steps in eval mode";
const GAP: &str = "loss in eval over train mode";

/// Training runs in train mode; eval mode is repeatable, and the same for a row in any company.
///
/// ## What it measures
/// In eval mode: the largest difference between two passes over the same rows, the generator going on in between, and
/// between a row in a batch and the same row alone, over the spread of the outputs; and how many buffers such a pass moves. In
/// training: the share of passes through the model in eval mode, where train mode would put out something else (a step that has none
/// in train mode), and the share of batch norm's running statistics that stand still. After `steps` training steps: how
/// much larger the loss of the same rows is in eval mode than in train mode, over the loss before training.
///
/// ## Why it matters
/// Dropout and batch norm are other functions in training than in use. A model that is trained in eval mode has neither; one
/// that is used in train mode answers by chance, or by the company.
///
/// ## Usual causes
/// `train` is not handed on to dropout or batch norm, or is fixed; the training step runs the model with `train = false`;
/// running statistics lag behind, because the momentum is too small for so few steps.
///
/// ## What to try
/// Hand `train` on from `forward_t` to every layer that takes it; call `forward_t(x, true)` in the training step.
///
/// ## Defaults
/// 60 steps. Differences of at most 1e-5 of the spread (sound models: 0, and 1e-7 alone); no buffer moved by eval mode, no
/// step without train mode, no statistic that stands still; a gap of at most half the initial loss.
///
/// ## Sources
/// S. Ioffe, C. Szegedy, Batch Normalization (2015); N. Srivastava et al., Dropout (2014).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Modes {
    /// How many training steps are taken.
    pub steps: NonZeroUsize,
    /// The largest difference that holds, over the spread of the outputs.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub tolerance: f64,
    /// The largest gap between the losses of the two modes, over the initial loss.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub gap: f64,
}

impl Default for Modes {
    fn default() -> Self {
        Self { steps: super::parameter::count(60), tolerance: 1e-5, gap: 0.5 }
    }
}

impl CheckType for Modes {
    const INFO: Info = Info {
        id: "modes",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "trained_in_eval_mode",
                what: "the training step runs the model in eval mode: dropout and batch norm are never active",
                cure: "run it with `train = true`",
            },
            CauseInfo {
                id: "random_in_eval_mode",
                what: "something is random in eval mode, such as dropout that is always on",
                cure: "hand `train` on to dropout",
            },
            CauseInfo {
                id: "batch_statistics_in_eval_mode",
                what: "batch norm uses the statistics of the batch in eval mode",
                cure: "hand `train` on to batch norm",
            },
            CauseInfo {
                id: "statistics_stand_still",
                what: "batch norm's running statistics do not move in training",
                cure: "hand `train` on to batch norm",
            },
            CauseInfo {
                id: "statistics_lag",
                what: "the model does worse in eval mode than in train mode",
                cure: "raise batch norm's momentum, train with larger batches, or for longer",
            },
        ],
    };
}

impl Check for Modes {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, subject: &Subject) -> Vec<Request> {
        let trains = subject.optimizer.is_some() || matches!(subject.model.source, ModelSource::Subject { .. });
        vec![ModesAsk { steps: if trains { self.steps.get() } else { 0 } }.into()]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &Seen| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        // A program of the user's own may put out samples, as the generator of a GAN does; dropout is never meant.
        let samples = matches!(context.subject.model.source, ModelSource::Subject { .. }) && seen.dropouts.is_empty();
        let mut entries = vec![if samples {
            shown(REPEATED, seen.repeated)
        } else {
            at_most(REPEATED, seen.repeated, self.tolerance)
        }];
        if let Some(alone) = seen.alone {
            // What is random differs anyway.
            let random = seen.repeated > self.tolerance;
            entries.push(if random { shown(ALONE, alone) } else { at_most(ALONE, alone, self.tolerance) });
        }
        entries.push(at_most(EVAL_MOVES, count(seen.moved_by_eval.len()), 0.0));
        if !seen.statistics.is_empty() {
            let still = seen.statistics.iter().filter(|(_, moved)| !moved).count();
            entries.push(at_most(STILL, count(still) / count(seen.statistics.len()), 0.0));
        }
        if let Some((right, wrong)) = seen.steps.filter(|_| seen.differ) {
            entries.push(at_most(EVAL_STEPS, count(wrong) / count((right + wrong).max(1)), 0.0));
        }
        if let Some(losses) = seen.losses.filter(|l| l.before > 0.0 && l.train.is_finite()) {
            entries.push(at_most(GAP, (losses.eval - losses.train) / losses.before, self.gap));
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "difference that a mode makes"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = worst::<Seen>(judged, taken) else { return Vec::new() };
        let outside = |name: &str| judged.outside.iter().any(|outside| outside == name);
        let mut causes = Vec::new();
        if let (true, Some((right, wrong))) = (outside(EVAL_STEPS), seen.steps) {
            causes.push(Cause {
                id: "trained_in_eval_mode",
                help: format!(
                    "{wrong} of {} training steps run the model with `train = false` alone: dropout and batch norm are not active; pass true",
                    right + wrong
                ),
            });
        }
        if outside(REPEATED) {
            causes.push(Cause {
                id: "random_in_eval_mode",
                help: format!(
                    "two passes over the same rows in eval mode differ by {} of the spread: something is random that should not be; hand `train` on to {}",
                    number(seen.repeated),
                    if seen.dropouts.is_empty() { "dropout".to_owned() } else { some_names(&seen.dropouts) }
                ),
            });
        }
        if outside(ALONE) || outside(EVAL_MOVES) {
            let moved = if seen.moved_by_eval.is_empty() {
                String::new()
            } else {
                format!(", and eval mode moves {}", some_names(&seen.moved_by_eval))
            };
            let alone = seen.alone.map_or("an unknown amount".to_owned(), number);
            causes.push(Cause {
                id: "batch_statistics_in_eval_mode",
                help: format!(
                    "a row alone differs by {alone} of the spread from the same row in a batch{moved}: {}",
                    if seen.statistics.is_empty() && seen.moved_by_eval.is_empty() {
                        "look for means over the batch, and for a normalisation without running statistics"
                    } else {
                        "hand `train` on to batch norm, and look for means over the batch"
                    }
                ),
            });
        }
        if outside(STILL) && !outside(EVAL_STEPS) {
            let still: Vec<&str> =
                seen.statistics.iter().filter(|(_, moved)| !moved).map(|(name, _)| name.as_str()).collect();
            causes.push(Cause {
                id: "statistics_stand_still",
                help: format!(
                    "training does not move {}: hand `train` on to batch norm, and run the model with `train = true`",
                    some_names(&still)
                ),
            });
        }
        if let (true, Some(losses)) = (outside(GAP), seen.losses) {
            causes.push(Cause {
                id: "statistics_lag",
                help: format!(
                    "the loss is {} in train mode and {} in eval mode, on the same rows: raise batch norm's momentum, take larger batches, or train longer",
                    number(losses.train),
                    number(losses.eval)
                ),
            });
        }
        causes
    }
}

#[cfg(test)]
#[path = "tests/modes.rs"]
mod tests;
