//! `metric`: what the model is for, after training.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::answer;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::diagnostic::{Located, Span};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::score::{Score, ScoreAsk, ShareScore, Training};
use crate::measurement::{Measurement, Request, Share, Value, ValueAsk};
use crate::metric::Metric as Kind;
use crate::spec::Subject;
use crate::spec::property::{Narrow, Settings};
use crate::spec::rust_path::Role;

/// A metric after training lies in the property's band.
///
/// ## What it measures
/// `metric` after `steps` training steps (or `epochs`), in eval mode, on the first `rows` rows of the validation share, or of the
/// training share with `split = "training"`. `accuracy`, `top_k`, `f1`, `auc` and `perplexity` are of classes, `r2`, `rmse` and `mae` of
/// numbers, with scikit-learn's definitions, in double precision; `f1` and `auc` of more than two classes are means over the
/// classes. Or the number that `function`, `fn(&mut nncheck::Program) -> f64` in your library, returns for the trained program.
///
/// ## Why it matters
/// It is what the model is for. All other checks say why it might fail at it; this one says whether it does.
///
/// ## Usual causes
/// Too little training; a model that learns its training rows by heart; or, where the number is too good, rows that
/// are in both shares, or a target among the inputs.
///
/// ## What to try
/// Compare with the training share: if that is no better, train longer or make the model larger; if it is far better, get more data, or
/// regularise.
///
/// ## Defaults
/// Accuracy for classes and r2 for numbers, 200 steps, 4,096 rows. The band is the property's; without one, the check is skipped and says what
/// the metric is.
///
/// ## Sources
/// F. Pedregosa et al., Scikit-learn: Machine Learning in Python (2011): the definitions.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Metric {
    /// Which one: `accuracy`, `top_k`, `f1`, `auc`, `r2`, `rmse`, `mae` or `perplexity`; what is usual for the task, where left out.
    pub metric: Option<Kind>,
    /// Of `top_k`: among how many.
    pub k: NonZeroUsize,
    /// A Rust function of your library, by path, instead of a metric.
    #[serde(deserialize_with = "super::parameter::path_if_any")]
    #[schemars(with = "Option<String>")]
    pub function: Option<Located<String>>,
    /// How many training steps.
    pub steps: NonZeroUsize,
    /// How many times through the training rows, instead of `steps`.
    pub epochs: Option<NonZeroUsize>,
    /// On how many of the first rows of each share.
    pub rows: NonZeroUsize,
}

impl Default for Metric {
    fn default() -> Self {
        let count = super::parameter::count;
        Self { metric: None, k: count(5), function: None, steps: count(200), epochs: None, rows: count(4096) }
    }
}

impl Metric {
    fn kind(&self, subject: &Subject) -> Kind {
        self.metric.unwrap_or_else(|| Kind::usual(subject.task()))
    }

    fn training(&self) -> Training {
        self.epochs.map_or(Training::Steps(self.steps.get()), |epochs| Training::Epochs(epochs.get()))
    }

    /// The number of one seed, or why there is none.
    fn value(&self, context: &Context<'_>, taken: &[Measurement]) -> Result<f64, Sample> {
        if self.function.is_some() {
            return answer::<Value>(taken, 0).map(|seen| seen.value).map_err(Sample::Unanswerable);
        }
        let seen: &Score = answer(taken, 0).map_err(Sample::Unanswerable)?;
        if let Some(why) = &seen.cannot {
            return Err(Sample::Nothing(why.clone()));
        }
        let share = if wants_training(context) { &seen.training } else { &seen.validation };
        match share {
            Some(ShareScore { value: Ok(value), .. }) => Ok(*value),
            Some(ShareScore { value: Err(why), .. }) => Err(Sample::Unanswerable(why.clone())),
            None => Err(Sample::Nothing(
                "all rows train, so that there is no validation share: `split = \"training\"` looks at those"
                    .to_owned(),
            )),
        }
    }
}

/// Whether the property is about the training share.
fn wants_training(context: &Context<'_>) -> bool {
    context.settings.split.as_ref().is_some_and(|split| split.value == Share::Training)
}

impl CheckType for Metric {
    const INFO: Info = Info {
        id: "metric",
        stage: Stage::Control,
        rule: Rule::Mean,
        takes_band: true,
        narrows: &[Narrow::Split],
        trains: true,
        causes: &[
            CauseInfo {
                id: "undertrained",
                what: "the training share is no better: the model has not learnt enough",
                cure: "train longer, with a higher rate, or make the model larger",
            },
            CauseInfo {
                id: "overfits",
                what: "the training share is in the band, the validation share is not",
                cure: "get more data, or regularise",
            },
            CauseInfo {
                id: "too_good",
                what: "better than was thought possible: rows may be in both shares, or the target among the inputs",
                cure: "look at `data`, and at what the inputs are made of",
            },
        ],
    };
}

impl Check for Metric {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, subject: &Subject) -> Vec<Request> {
        match &self.function {
            Some(function) => {
                vec![ValueAsk { function: function.value.clone(), after: self.training() }.into()]
            }
            None => vec![
                ScoreAsk {
                    metric: self.kind(subject),
                    k: self.k.get(),
                    after: self.training(),
                    rows: self.rows.get(),
                    peer: None,
                }
                .into(),
            ],
        }
    }

    fn paths(&self) -> Vec<(Role, &Located<String>)> {
        self.function.iter().map(|function| (Role::Value, function)).collect()
    }

    fn refusal(&self, context: &Context<'_>) -> Option<(Option<Span>, String)> {
        let metric = self.kind(context.subject);
        let Settings { expect, within, min, .. } = context.settings;
        // What is expected may lie above what the band reaches down to.
        let exact = expect.as_ref().filter(|_| within.is_none());
        let (edge, value) = [exact, min.as_ref()].into_iter().flatten().find_map(|edge| {
            let value = edge.value.constant().filter(|&value| value > 1.0)?;
            Some((edge, value))
        })?;
        if self.function.is_some() || !metric.more_is_better() {
            return None;
        }
        let share = if (2.0..=100.0).contains(&value) {
            format!(": {} % is written {}", number(value), number(value / 100.0))
        } else {
            String::new()
        };
        Some((Some(edge.span), format!("`{}` is never above 1{share}", metric.name())))
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let value = match self.value(context, taken) {
            Ok(value) => value,
            Err(sample) => return sample,
        };
        let facts = match (answer::<Score>(taken, 0), answer::<Value>(taken, 0)) {
            (Ok(score), _) => &score.facts,
            (_, Ok(value)) => &value.facts,
            (Err(why), _) => return Sample::Unanswerable(why),
        };
        match context.band(facts, Band::default()) {
            Err(why) => Sample::Unanswerable(why),
            Ok(band) if band == Band::default() => Sample::Nothing(format!(
                "`{}` is {} after {}; state `min`, `max` or `expect` with `within` to hold it there",
                self.function.as_ref().map_or(self.kind(context.subject).name(), |f| &f.value),
                number(value),
                self.training().words()
            )),
            Ok(band) => {
                Sample::Seen(vec![Entry { name: None, value: Some(value), band: Some(band), scale: Scale::Linear }])
            }
        }
    }

    fn quantity(&self) -> &'static str {
        if self.function.is_some() { "your metric" } else { self.metric.map_or("metric", Kind::name) }
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(value) = judged.value.filter(|v| v.is_finite()) else { return Vec::new() };
        if self.function.is_some() {
            return Vec::new();
        }
        let metric = self.kind(context.subject);
        let above = judged.band.max.is_some_and(|max| value > max);
        if above == metric.more_is_better() {
            let help = format!(
                "{} is better than was thought possible: look at `data` for rows in both shares, and for a target among the inputs",
                number(value)
            );
            return vec![Cause { id: "too_good", help }];
        }
        let training = super::evidence::typical(taken, |seed| {
            answer::<Score>(seed, 0).ok()?.training.as_ref()?.value.as_ref().ok().copied()
        });
        match training {
            Some(training) if !wants_training(context) && judged.band.contains(training) => vec![Cause {
                id: "overfits",
                help: format!(
                    "`{}` is {} on the training share and {} on the validation share: get more data, or regularise (weight decay, dropout)",
                    metric.name(),
                    number(training),
                    number(value)
                ),
            }],
            training => vec![Cause {
                id: "undertrained",
                help: format!(
                    "`{}` is {} on the training share after {}: train longer, make the model larger, or see what `learning_rate` suggests",
                    metric.name(),
                    number(training.unwrap_or(value)),
                    self.training().words()
                ),
            }],
        }
    }

    fn remark(&self, context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Option<String> {
        if self.function.is_some() || wants_training(context) {
            return None;
        }
        let score: &Score = answer(taken.first()?, 0).ok()?;
        let training = score.training.as_ref()?.value.as_ref().ok()?;
        let baseline = score.validation.as_ref()?.baseline.as_ref().ok()?;
        Some(format!("{} on the training share, {} without looking", number(*training), number(*baseline)))
    }
}

#[cfg(test)]
#[path = "tests/metric.rs"]
mod tests;
