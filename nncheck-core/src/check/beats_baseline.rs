//! `beats_baseline`: the model is better than one that never looks at its inputs.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::seen;
use super::evidence::{answer, raw_targets, typical};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::score::{Score, ScoreAsk, ShareScore, Training};
use crate::measurement::{Measurement, Request};
use crate::metric::Metric;
use crate::spec::Subject;
use crate::spec::loss::Task;

/// After a short training the model beats the best that can be said without looking at the inputs.
///
/// ## What it measures
/// `metric` on the validation share (its first `rows` rows) after `steps` training steps, in eval mode, minus the same metric of a
/// model that always predicts the classes' shares or the targets' means of the training share; for errors and perplexity, where less is better, the share of the baseline's
/// that is saved. It has to be above zero. With `hidden`, the same margin over a network with one hidden layer of so many units as well, trained
/// by Adam at 1e-3 for as many steps on the same batches: at most 0.05 behind it, as a warning.
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
/// Accuracy for classes and r2 for numbers, 200 steps, 4,096 rows. No network is trained beside: of 37 sound classifiers 13 trail one of
/// 512 units so early.
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
    /// How many hidden units the plain network has that is to be beaten as well; none, where left out.
    pub hidden: Option<NonZeroUsize>,
}

impl Default for BeatsBaseline {
    fn default() -> Self {
        let count = super::parameter::count;
        Self { metric: None, steps: count(200), rows: count(4096), hidden: None }
    }
}

const OVER_IGNORANCE: &str = "over what is said without looking";
const OVER_PEER: &str = "over a network of one hidden layer";

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
            CauseInfo {
                id: "outdone",
                what: "a plain network with one hidden layer is better",
                cure: "see what the model has beyond it, a part at a time",
            },
        ],
    };
}

/// The `k` of `top_k`.
const TOP: usize = 5;

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
        let own = ScoreAsk { metric: self.metric(subject), k: TOP, after, rows: self.rows.get(), peer: None };
        let peer = self.hidden.map(|units| ScoreAsk { peer: Some(units.get()), ..own });
        std::iter::once(own).chain(peer).map(Request::from).collect()
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &Score| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        let Some(share) = &seen.validation else {
            return Sample::Nothing("all rows train: there is no validation share to be better on".to_owned());
        };
        let metric = self.metric(context.subject);
        if let (Metric::TopK, Some(classes @ ..=TOP)) = (metric, seen.facts.classes) {
            return Sample::Nothing(format!(
                "of {classes} classes, the right one is always among the first {TOP}: take `accuracy` or `f1`"
            ));
        }
        let value = match margin(metric, share) {
            Ok(value) => value,
            Err(why) => return Sample::Unanswerable(why),
        };
        let entry = |name: Option<&str>, value, min| Entry {
            name: name.map(str::to_owned),
            value,
            band: Some(Band { min: Some(min), max: None, expect: None }),
            scale: Scale::Linear,
        };
        // Above zero.
        let mut entries = vec![entry(None, Some(value), f64::MIN_POSITIVE)];
        if let Ok(peer) = answer::<Score>(taken, 1) {
            let of_peer = peer.validation.as_ref().and_then(|peer| margin(metric, peer).ok());
            entries[0].name = Some(OVER_IGNORANCE.to_owned());
            entries.push(entry(Some(OVER_PEER), of_peer.map(|of_peer| value - of_peer), -0.05));
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "margin over the baseline"
    }

    fn advises(&self, name: &str) -> bool {
        name == OVER_PEER
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let metric = self.metric(context.subject);
        if judged.outside.iter().all(|name| name == OVER_PEER) && !judged.outside.is_empty() {
            let of =
                |at| typical(taken, |seed| answer::<Score>(seed, at).ok()?.validation.as_ref()?.value.clone().ok());
            let shown = |at| of(at).map_or_else(|| "nothing".to_owned(), number);
            let help = format!(
                "`{}` is {} after {} steps, and {} of a network with one hidden layer: see what the model has beyond it, a part at a time",
                metric.name(),
                shown(0),
                self.steps,
                shown(1)
            );
            return vec![Cause { id: "outdone", help }];
        }
        let of = |f: &dyn Fn(&Score) -> Option<f64>| typical(taken, |seed| f(answer(seed, 0).ok()?));
        // A metric that is not finite has not been learnt either.
        let training = of(&|score| margin(metric, score.training.as_ref()?).ok()).unwrap_or(f64::NAN);
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
            let regression = context.subject.task() == Task::Regression;
            let first = taken.first().and_then(|seed| answer::<Score>(seed, 0).ok());
            let raw = first.filter(|_| regression).and_then(|score| raw_targets(&score.facts));
            let what = raw.unwrap_or_else(|| "look at `overfit`, `learns` and `learning_rate`".to_owned());
            Cause {
                id: "does_not_learn",
                help: format!(
                    "`{name}` is {train} on the training rows too, after {} steps, and {baseline} without looking: {what}",
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
