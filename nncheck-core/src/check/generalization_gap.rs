//! `generalization_gap`: how much worse the model is on rows that it was not trained on.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::beats_baseline::margin;
use super::entry::seen;
use super::evidence::{answer, typical};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::score::{Score, ScoreAsk, Training};
use crate::measurement::{Measurement, Request};
use crate::metric::Metric;
use crate::spec::Subject;
use crate::spec::property::{Level, Narrow};

/// The metric on the validation share is not far behind that on the training share.
///
/// ## What it measures
/// `metric` on the first `rows` training rows minus that on the first `rows` validation rows, after `steps` training steps, in eval mode; for
/// errors and perplexity, where less is better, the validation rows' over the training rows' minus one.
///
/// ## Why it matters
/// A model that is far better on its training rows has learnt them by heart; what it does elsewhere is what counts.
///
/// ## Usual causes
/// Too few rows for so large a model and no regularisation; validation rows that are prepared otherwise, or whose labels do
/// not belong to them.
///
/// ## What to try
/// More data, augmentation, weight decay, dropout, a smaller model, fewer steps. Where the validation rows are no better than without looking, look at how they are
/// made first.
///
/// ## Defaults
/// Accuracy for classes and r2 for numbers; at most 0.2 after 200 steps on 4,096 rows. A failure is a warning, since how much may be lost depends on
/// the task.
///
/// ## Sources
/// I. Goodfellow, Y. Bengio and A. Courville, Deep Learning (2016), chapter 5.2.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GeneralizationGap {
    /// Which metric; what is usual for the task, where left out.
    pub metric: Option<Metric>,
    /// How many training steps.
    pub steps: NonZeroUsize,
    /// How many times through the training rows, instead of `steps`.
    pub epochs: Option<NonZeroUsize>,
    /// On how many of the first rows of each share.
    pub rows: NonZeroUsize,
}

impl Default for GeneralizationGap {
    fn default() -> Self {
        let count = super::parameter::count;
        Self { metric: None, steps: count(200), epochs: None, rows: count(4096) }
    }
}

impl GeneralizationGap {
    fn metric(&self, subject: &Subject) -> Metric {
        self.metric.unwrap_or_else(|| Metric::usual(subject.task()))
    }
}

impl CheckType for GeneralizationGap {
    const INFO: Info = Info {
        id: "generalization_gap",
        stage: Stage::Control,
        rule: Rule::Mean,
        takes_band: true,
        narrows: &[] as &[Narrow],
        trains: true,
        causes: &[
            CauseInfo {
                id: "overfits",
                what: "the model learns its training rows by heart",
                cure: "get more data, regularise, or train fewer steps",
            },
            CauseInfo {
                id: "shares_differ",
                what: "on the validation rows the model is no better than without looking: they are made otherwise",
                cure: "look at how the validation rows are prepared, and whether their labels belong to them",
            },
        ],
    };
    const LEVEL: Level = Level::Warn;
}

impl Check for GeneralizationGap {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, subject: &Subject) -> Vec<Request> {
        let after = self.epochs.map_or(Training::Steps(self.steps.get()), |epochs| Training::Epochs(epochs.get()));
        vec![ScoreAsk { metric: self.metric(subject), k: 5, after, rows: self.rows.get(), peer: None }.into()]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &Score| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        let (Some(training), Some(validation)) = (&seen.training, &seen.validation) else {
            return Sample::Nothing("all rows train: there is no validation share to fall behind on".to_owned());
        };
        let (training, validation) = match (&training.value, &validation.value) {
            (Ok(training), Ok(validation)) => (*training, *validation),
            (Err(why), _) | (_, Err(why)) => return Sample::Unanswerable(why.clone()),
        };
        let value = if self.metric(context.subject).more_is_better() {
            training - validation
        } else if training == validation {
            0.0
        } else {
            validation / training - 1.0
        };
        match context.band(&seen.facts, Band { min: None, max: Some(0.2), expect: None }) {
            Ok(band) => {
                Sample::Seen(vec![Entry { name: None, value: Some(value), band: Some(band), scale: Scale::Linear }])
            }
            Err(why) => Sample::Unanswerable(why),
        }
    }

    fn quantity(&self) -> &'static str {
        "gap between training and validation"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let metric = self.metric(context.subject);
        let of = |f: &dyn Fn(&Score) -> Option<f64>| typical(taken, |seed| f(answer(seed, 0).ok()?));
        let value = |share: fn(&Score) -> Option<f64>| of(&share).map_or_else(|| "nothing".to_owned(), number);
        let training = value(|score| score.training.as_ref()?.value.as_ref().ok().copied());
        let validation = value(|score| score.validation.as_ref()?.value.as_ref().ok().copied());
        let baseline = value(|score| score.validation.as_ref()?.baseline.as_ref().ok().copied());
        if judged.value.zip(judged.band.min).is_some_and(|(value, min)| value < min) {
            return Vec::new();
        }
        let numbers =
            format!("`{}` is {training} on the training rows and {validation} on the validation rows", metric.name());
        let overfits = Cause {
            id: "overfits",
            help: format!("{numbers}: get more data, regularise (weight decay, dropout), or train fewer steps"),
        };
        let lost = of(&|score| margin(metric, score.validation.as_ref()?).ok()).is_some_and(|margin| margin <= 0.0);
        if lost {
            let help = format!(
                "{numbers}, {baseline} without looking: see how the validation rows are prepared, and whether their labels belong to them"
            );
            return vec![Cause { id: "shares_differ", help }, overfits];
        }
        vec![overfits]
    }

    fn remark(&self, context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Option<String> {
        let score: &Score = answer(taken.first()?, 0).ok()?;
        let training = score.training.as_ref()?.value.as_ref().ok()?;
        let validation = score.validation.as_ref()?.value.as_ref().ok()?;
        let name = self.metric(context.subject).name();
        Some(format!("`{name}` is {} in training, {} in validation", number(*training), number(*validation)))
    }
}

#[cfg(test)]
#[path = "tests/generalization_gap.rs"]
mod tests;
