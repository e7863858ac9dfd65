//! `gradient_clipping`: clipping holds its bound and does not shape every step.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::{answer, median};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::exhibit::{Curve, Exhibit};
use crate::judge::number::{number, times};
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::optimizer_steps::{Length, OptimizerSteps, OptimizerStepsAsk};
use crate::measurement::{Measurement, Request};
use crate::spec::Subject;
use crate::spec::optimizer::{Clip, Optimizer};

const HELD: &str = "longest gradient over the bound";
const SHRUNK: &str = "usual gradient over the bound";
const TOUCHED: &str = "share of the steps that are clipped";

/// Clipped gradients keep to their bound, and most steps are not clipped to a fraction of themselves.
///
/// ## What it measures
/// In each of `steps` training steps the joint L2 norm of all gradients (or, of `value`, the largest entry) as the optimizer is given them, and after its
/// step, by when it has clipped them: the longest of the latter over the bound; the median of the former over the bound; and the share of the
/// second half of the steps in which the bound was reached. The bound is the `clip` of [optimizer], or `norm` or `value` here, for whoever clips in a
/// step or an optimizer of their own.
///
/// ## Why it matters
/// Clipping is for the rare step that would ruin the rest. One that does not work shows only when that step comes; one that works in
/// every step replaces the learning rate.
///
/// ## Usual causes
/// Clipping after the step, or before the backward pass; clipping another model's parameters; a bound far below the usual norm.
///
/// ## What to try
/// Clip between `backward` and `step`; set the bound a few times above the usual norm, which is told.
///
/// ## Defaults
/// 100 steps; the bound is held to one part in a thousand; the median is at most 10 times the bound. Reaching it in more than 95 % of the later steps is a
/// warning.
///
/// ## Sources
/// R. Pascanu, T. Mikolov and Y. Bengio, On the difficulty of training recurrent neural networks (2013).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GradientClipping {
    /// How many training steps.
    pub steps: NonZeroUsize,
    /// The bound of the joint norm, where it is not the spec's `clip`.
    #[serde(deserialize_with = "super::parameter::positive_if_any")]
    pub norm: Option<f64>,
    /// The bound of each entry, where it is not the spec's `clip`.
    #[serde(deserialize_with = "super::parameter::positive_if_any")]
    pub value: Option<f64>,
    /// The most that the usual gradient may be over the bound.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub shrunk: f64,
    /// The largest share of the later steps that may reach the bound.
    #[serde(deserialize_with = "super::parameter::share")]
    pub touched: f64,
}

impl Default for GradientClipping {
    fn default() -> Self {
        Self { steps: super::parameter::count(100), norm: None, value: None, shrunk: 10.0, touched: 0.95 }
    }
}

/// How near the bound a gradient has to be to have been clipped to it.
const NEAR: f64 = 1e-3;

impl CheckType for GradientClipping {
    const INFO: Info = Info {
        id: "gradient_clipping",
        stage: Stage::Parameters,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: true,
        causes: &[
            CauseInfo {
                id: "not_clipped",
                what: "gradients longer than the bound move the parameters",
                cure: "clip between `backward` and `step`, all parameters of the model",
            },
            CauseInfo {
                id: "clips_hard",
                what: "the bound is far below the usual gradient: the rate is set by it",
                cure: "raise the bound",
            },
            CauseInfo {
                id: "clips_always",
                what: "nearly every step reaches the bound",
                cure: "raise the bound, or let the learning rate do it",
            },
        ],
    };
}

impl GradientClipping {
    /// The bound, or why there is none.
    fn bound(&self, subject: &Subject) -> Result<Clip, String> {
        let groups = subject.optimizer.as_ref().map(Optimizer::groups).unwrap_or_default();
        match (self.norm, self.value, groups) {
            (Some(norm), _, _) => Ok(Clip::Norm(norm)),
            (None, Some(value), _) => Ok(Clip::Value(value)),
            (None, None, [only]) => only.clip.ok_or_else(|| {
                "the spec declares no clipping: `norm` or `value` says what a step of your own clips to".to_owned()
            }),
            (None, None, groups) if groups.iter().any(|group| group.clip.is_some()) => {
                Err("each parameter group is clipped for itself, and only all gradients together are looked at"
                    .to_owned())
            }
            _ => {
                Err("the spec declares no clipping: `norm` or `value` says what a step of your own clips to".to_owned())
            }
        }
    }

    fn numbers(&self, subject: &Subject, seen: &OptimizerSteps) -> Option<Numbers> {
        let bound = self.bound(subject).ok()?;
        let (of, most): (fn(&Length) -> f64, f64) = match bound {
            Clip::Norm(norm) => (|length| length.norm, norm),
            Clip::Value(value) => (|length| length.largest, value),
        };
        let stepped: Vec<(f64, f64)> =
            seen.steps.iter().filter(|step| step.count > 0).map(|step| (of(&step.given), of(&step.used))).collect();
        let given: Vec<f64> = stepped.iter().map(|(given, _)| *given).collect();
        let later = &given[given.len() / 2..];
        let touched = later.iter().filter(|given| **given >= most * (1.0 - NEAR)).count();
        #[expect(clippy::cast_precision_loss, reason = "steps are few")]
        let touched = touched as f64 / later.len().max(1) as f64;
        let longest = stepped.iter().map(|(_, used)| *used).reduce(|a, b| if b.is_nan() || b > a { b } else { a })?;
        Some(Numbers { most, longest, usual: median(&given)?, touched })
    }
}

/// What a training run says of its clipping.
struct Numbers {
    most: f64,
    longest: f64,
    usual: f64,
    touched: f64,
}

impl Check for GradientClipping {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![OptimizerStepsAsk { steps: self.steps.get() }.into()]
    }

    fn moot(&self, context: &Context<'_>) -> Option<String> {
        self.bound(context.subject).err()
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen: &OptimizerSteps = match answer(taken, 0) {
            Ok(seen) => seen,
            Err(why) => return Sample::Unanswerable(why),
        };
        if let Some(why) = seen.cannot.clone().or_else(|| self.bound(context.subject).err()) {
            return Sample::Nothing(why);
        }
        let Some(numbers) = self.numbers(context.subject, seen) else {
            return Sample::Nothing("the optimizer never steps: look at `parameters_update`".to_owned());
        };
        let entry = |name: &str, value, max| Entry {
            name: Some(name.to_owned()),
            value: Some(value),
            band: Some(Band { min: None, max: Some(max), expect: None }),
            scale: Scale::Linear,
        };
        Sample::Seen(vec![
            entry(HELD, numbers.longest / numbers.most, 1.0 + NEAR),
            entry(SHRUNK, numbers.usual / numbers.most, self.shrunk),
            entry(TOUCHED, numbers.touched, self.touched),
        ])
    }

    fn quantity(&self) -> &'static str {
        "gradient clipping"
    }

    fn advises(&self, name: &str) -> bool {
        name == TOUCHED
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let seen = taken.iter().find_map(|seed| answer::<OptimizerSteps>(seed, 0).ok());
        let Some(numbers) = seen.and_then(|seen| self.numbers(context.subject, seen)) else { return Vec::new() };
        let outside = |name: &str| judged.outside.iter().any(|o| o == name);
        let (bound, usual) = (number(numbers.most), number(numbers.usual));
        let mut causes = Vec::new();
        if outside(HELD) {
            let help = format!(
                "a gradient of {} moved the parameters, and the bound is {bound}: clip between `backward` and `step`, all parameters of the model",
                number(numbers.longest)
            );
            causes.push(Cause { id: "not_clipped", help });
        }
        if outside(SHRUNK) && !outside(HELD) {
            let help = format!(
                "the usual gradient is {usual}, {} times the bound of {bound}, which so sets the rate: raise the bound to a few times {usual}",
                times(numbers.usual / numbers.most)
            );
            causes.push(Cause { id: "clips_hard", help });
        }
        if outside(TOUCHED) && !outside(HELD) {
            let help = format!(
                "{} % of the later steps reach the bound of {bound} (the usual gradient is {usual}): raise the bound, or lower the learning rate instead",
                number((numbers.touched * 100.0).round())
            );
            causes.push(Cause { id: "clips_always", help });
        }
        causes
    }

    fn exhibits(&self, _context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Exhibit> {
        let Some(seen) = taken.iter().find_map(|seed| answer::<OptimizerSteps>(seed, 0).ok()) else {
            return Vec::new();
        };
        let norms: Vec<f64> = seen.steps.iter().map(|step| step.given.norm).collect();
        vec![Exhibit::Curve(Curve::by_step("gradient norm before clipping", &norms))]
    }
}

#[cfg(test)]
#[path = "tests/gradient_clipping.rs"]
mod tests;
