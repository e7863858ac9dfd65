//! `loss_terms`: no term of the loss drowns the others.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::{answer, raw_targets};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::{number, rough, times};
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::term_gradients::TermGradient;
use crate::measurement::{Measurement, Request, TermGradients, TermGradientsAsk};
use crate::spec::Subject;
use crate::spec::loss::Task;
use crate::spec::property::Level;

/// Each term of the loss has a part in what the shared parameters learn.
///
/// ## What it measures
/// Before training, the L2 norm of the gradient of each term of the loss, times its weight, with respect to the parameters that at
/// least two terms reach; root mean square over the first `batches` batches. Judged is its share of the largest term's, on
/// a log scale.
///
/// ## Why it matters
/// In a sum, gradients are what counts, not values. A term whose gradient is a thousandth of another's is not trained, however large
/// it is; its curve moves all the same, with the other's.
///
/// ## Usual causes
/// Weights that were never balanced; a mean beside a sum; targets of one term in other units than those of another; a term
/// that is detached.
///
/// ## What to try
/// Set the `weight` that the report names; normalise the targets; average every term.
///
/// ## Defaults
/// Within a factor of 100 of the largest, over 4 batches; a warning, since a small term may be meant.
///
/// ## Sources
/// Chen et al., `GradNorm` (2018); Kendall et al., Multi-Task Learning Using Uncertainty (2018).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LossTerms {
    /// How many times smaller than the largest a term's gradient may be.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub factor: f64,
    /// Over how many batches.
    pub batches: NonZeroUsize,
}

impl Default for LossTerms {
    fn default() -> Self {
        Self { factor: 100.0, batches: super::parameter::count(4) }
    }
}

impl CheckType for LossTerms {
    const INFO: Info = Info {
        id: "loss_terms",
        stage: Stage::Loss,
        rule: Rule::Mean,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "not_finite",
                what: "a term's gradient is not finite",
                cure: "look with `finite` for the place where it begins",
            },
            CauseInfo {
                id: "no_gradient",
                what: "a term has no gradient: it is detached, or its weight is zero",
                cure: "look for `detach` and `no_grad` on its way",
            },
            CauseInfo {
                id: "unnormalised_targets",
                what: "the targets of a term are in other units than those of the others",
                cure: "set `[data] normalize_target = \"standard\"`",
            },
            CauseInfo {
                id: "uneven_terms",
                what: "one term's gradient drowns another's",
                cure: "set the `weight` that the report names",
            },
        ],
    };
    const LEVEL: Level = Level::Warn;
}

impl Check for LossTerms {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![TermGradientsAsk { batches: self.batches.get() }.into()]
    }

    fn moot(&self, context: &Context<'_>) -> Option<String> {
        let one = matches!(&context.subject.loss.terms[..], [only] if only.function.is_none());
        one.then(|| "the loss has a single term".to_owned())
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match answer::<TermGradients>(taken, 0) {
            Ok(seen) => seen,
            Err(why) => return Sample::Unanswerable(why),
        };
        if seen.terms.len() < 2 {
            return Sample::Nothing("the loss has a single term".to_owned());
        }
        let dead = seen.terms.iter().any(|term| !term.reaches);
        if seen.shared.is_empty() && !dead {
            return Sample::Nothing("no two terms of the loss reach the same parameter".to_owned());
        }
        let largest = largest(seen).map_or(0.0, |term| term.norm);
        let band = Some(Band { min: Some(1.0 / self.factor), max: None, expect: None });
        let entry = |term: &TermGradient| {
            // A term that reaches none of the shared parameters, but others, drowns nobody and is not drowned.
            let apart = term.reaches && term.norm == 0.0;
            let share = if largest == 0.0 { f64::from(u8::from(term.reaches)) } else { term.norm / largest };
            Entry {
                name: Some(term.name.clone()),
                value: Some(share),
                band: band.filter(|_| !apart),
                scale: Scale::Log,
            }
        };
        Sample::Seen(seen.terms.iter().map(entry).collect())
    }

    fn quantity(&self) -> &'static str {
        "gradient of a term, of the largest"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let all = || taken.iter().filter_map(|seed| answer::<TermGradients>(seed, 0).ok());
        let Some(seen) = all().next() else { return Vec::new() };
        if let Some(wild) = all().flat_map(|seen| &seen.terms).find(|term| !term.norm.is_finite()) {
            let help =
                format!("the gradient of `{}` is not finite: `finite` names the place where it begins", wild.name);
            return vec![Cause { id: "not_finite", help }];
        }
        let mut causes = Vec::new();
        for term in seen.terms.iter().filter(|term| !term.reaches) {
            let help = format!(
                "`{}` has no gradient for any parameter: look for `detach` and `no_grad` on its way, and at its weight {}",
                term.name,
                number(term.weight)
            );
            causes.push(Cause { id: "no_gradient", help });
        }
        let Some(largest) = largest(seen) else { return causes };
        let small = |term: &&TermGradient| term.norm > 0.0 && judged.outside.contains(&term.name);
        let Some(least) = seen.terms.iter().filter(small).min_by(|a, b| a.norm.total_cmp(&b.norm)) else {
            return causes;
        };
        let declared = context.subject.loss.term(&largest.name);
        let regression = declared.and_then(|term| term.kind).is_some_and(|kind| kind.task() == Task::Regression);
        // The facts of the data are of the first target.
        if let Some(raw) =
            raw_targets(&seen.facts).filter(|_| regression && declared == context.subject.loss.terms.first())
        {
            causes.push(Cause { id: "unnormalised_targets", help: raw });
        }
        causes.push(Cause {
            id: "uneven_terms",
            help: format!(
                "the gradient of `{}` is {} times that of `{}` on the {} parameters that they share: try weight = {} for `{}` instead of {}",
                largest.name,
                times(largest.norm / least.norm),
                least.name,
                seen.shared.len(),
                rough(largest.weight * least.norm / largest.norm),
                largest.name,
                number(largest.weight)
            ),
        });
        causes
    }
}

fn largest(seen: &TermGradients) -> Option<&TermGradient> {
    seen.terms.iter().max_by(|a, b| a.norm.total_cmp(&b.norm))
}

#[cfg(test)]
#[path = "tests/loss_terms.rs"]
mod tests;
