//! `beats_baseline`: the model is better than one that never looks at its inputs.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::{answer, typical};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::score::{Score, ScoreAsk, ShareScore, Training};
use crate::measurement::{Measurement, Request};
use crate::metric::Metric;
use crate::spec::Subject;

/// After a short training the model beats the best that can be said without looking at the inputs.
///
/// ## What it measures
/// `metric` on the validation share (its first `rows` rows) after `steps` training steps, in eval mode, minus the same metric of a
/// model that always predicts the classes' shares or the targets' means of the training share; for errors and perplexity, where less is better, the share of the baseline's
/// that is saved. It has to be above zero.
///
/// ## Why it matters
/// Accuracy of 95 % is nothing where 95 % of the examples are of one class. A model that does not beat the majority class has
/// learnt nothing of use, however far its loss fell.
///
/// ## Usual causes
/// A model that does not learn at all; a model that learns its training rows by heart; labels of the validation rows that do not belong to
/// them, or inputs that are prepared otherwise than those of the training rows.
///
/// ## What to try
/// Look at the same margin on the training share, which is told. Where classes are rare, use `metric = "auc"` or `"f1"`.
///
/// ## Defaults
/// Accuracy for classes and r2 for numbers, 200 steps, 4,096 rows.
///
/// ## Sources
/// A. Karpathy, A Recipe for Training Neural Networks (2019): "human baseline", "input-independent baseline".
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BeatsBaseline {
    /// Which metric; what is usual for the task, where left out.
    pub metric: Option<Metric>,
    /// How many training steps.
    pub steps: NonZeroUsize,
    /// On how many of the first validation rows.
    pub rows: NonZeroUsize,
}

impl Default for BeatsBaseline {
    fn default() -> Self {
        let count = super::parameter::count;
        Self { metric: None, steps: count(200), rows: count(4096) }
    }
}

impl BeatsBaseline {
    fn metric(&self, subject: &Subject) -> Metric {
        self.metric.unwrap_or_else(|| Metric::usual(subject.task()))
    }
}

impl CheckType for BeatsBaseline {
    const INFO: Info = Info {
        id: "beats_baseline",
        stage: Stage::Start,
        rule: Rule::Mean,
        takes_band: false,
        narrows: &[],
        trains: true,
        causes: &[
            CauseInfo {
                id: "does_not_learn",
                what: "the model does not beat the baseline on its training rows either",
                cure: "look at `overfit`, `learns` and `learning_rate`",
            },
            CauseInfo {
                id: "does_not_generalize",
                what: "the model beats the baseline on its training rows, and not on others",
                cure: "look whether validation rows are prepared in the same way, get more data, or regularise",
            },
        ],
    };
}

/// How much better a metric is than its baseline; above zero is better.
pub(super) fn margin(metric: Metric, share: &ShareScore) -> Result<f64, String> {
    let (value, baseline) = (share.value.clone()?, share.baseline.clone()?);
    Ok(if metric.more_is_better() { value - baseline } else { 1.0 - value / baseline })
}

impl Check for BeatsBaseline {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, subject: &Subject) -> Vec<Request> {
        let after = Training::Steps(self.steps.get());
        vec![ScoreAsk { metric: self.metric(subject), k: 5, after, rows: self.rows.get() }.into()]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen: &Score = match answer(taken, 0) {
            Ok(seen) => seen,
            Err(why) => return Sample::Unanswerable(why),
        };
        if let Some(why) = &seen.cannot {
            return Sample::Nothing(why.clone());
        }
        let Some(share) = &seen.validation else {
            return Sample::Nothing("all rows train: there is no validation share to be better on".to_owned());
        };
        match margin(self.metric(context.subject), share) {
            Ok(value) => Sample::Seen(vec![Entry {
                name: None,
                value: Some(value),
                // Above zero.
                band: Some(Band { min: Some(f64::MIN_POSITIVE), max: None, expect: None }),
                scale: Scale::Linear,
            }]),
            Err(why) => Sample::Unanswerable(why),
        }
    }

    fn quantity(&self) -> &'static str {
        "margin over the baseline"
    }

    fn diagnose(&self, context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let metric = self.metric(context.subject);
        let of = |f: &dyn Fn(&Score) -> Option<f64>| typical(taken, |seed| f(answer(seed, 0).ok()?));
        let Some(training) = of(&|score| margin(metric, score.training.as_ref()?).ok()) else { return Vec::new() };
        let shown = |f: &dyn Fn(&Score) -> Option<&Result<f64, String>>| {
            let value = of(&|score| f(score)?.as_ref().ok().copied());
            value.map_or_else(|| "nothing".to_owned(), number)
        };
        let validation = shown(&|score| Some(&score.validation.as_ref()?.value));
        let baseline = shown(&|score| Some(&score.validation.as_ref()?.baseline));
        let train = shown(&|score| Some(&score.training.as_ref()?.value));
        let name = metric.name();
        vec![if training > 0.0 {
            Cause {
                id: "does_not_generalize",
                help: format!(
                    "`{name}` is {train} on the training rows, {validation} on the validation rows and {baseline} without looking: see that both are prepared in the same way and that labels belong to their rows; else get more data, or regularise"
                ),
            }
        } else {
            Cause {
                id: "does_not_learn",
                help: format!(
                    "`{name}` is {train} on the training rows too, after {} steps, and {baseline} without looking: look at `overfit`, `learns` and `learning_rate`",
                    self.steps
                ),
            }
        }]
    }

    fn remark(&self, context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Option<String> {
        let score: &Score = answer(taken.first()?, 0).ok()?;
        let share = score.validation.as_ref()?;
        let (value, baseline) = (share.value.as_ref().ok()?, share.baseline.as_ref().ok()?);
        let name = self.metric(context.subject).name();
        Some(format!("`{name}` is {}, without looking {}", number(*value), number(*baseline)))
    }
}

#[cfg(test)]
#[path = "tests/beats_baseline.rs"]
mod tests;
