//! `loss_task`: loss, outputs and targets suit one another.

mod findings;

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use self::findings::{Finding, findings};
use super::entry::worst_seed;
use super::evidence::answer;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::{Entry, Judged, Rule, Sample, Scale};
use crate::measurement::{LossTask as Seen, LossTaskAsk, Measurement, Request};
use crate::spec::Subject;

/// Loss, outputs and targets suit one another.
///
/// ## What it measures
/// For each term of the loss that has a `kind`, without computing it: how many outputs there are to choose a class from;
/// the share of the first `rows` training targets that the loss is not made for; and whether the outputs of the untrained
/// model on one batch are of the sort that the loss wants (logits, probabilities or their logarithms), or lie where no target
/// does.
///
/// ## Why it matters
/// A softmax before cross-entropy, a softmax over a single unit, a mean square of class ids: each of them trains, and none
/// can arrive. They are plain to see before a step is taken.
///
/// ## Usual causes
/// An activation too many or too few at the end of the model; class ids taken for quantities; another number of outputs than
/// classes; targets of which all are the same; a sigmoid whose targets lie outside 0 to 1.
///
/// ## What to try
/// Hand logits to `cross_entropy` and `bce_with_logits`, log-probabilities to `nll`, probabilities to `bce`. Give each class
/// an output. End a regression with a linear layer. Where it is meant, say so: `allow = ["cause:class_ids_as_numbers"]`.
///
/// ## Defaults
/// Whatever does not suit fails. Targets count as class ids where they are whole numbers from 0 to k - 1, k from 3 to 100, all
/// of them there, in about even shares (entropy above 0.9 ln k): counts and ratings seldom are.
///
/// ## Sources
/// PyTorch, documentation of the losses; A. Karpathy's "most common neural net mistakes" (2018): "you forgot that your loss
/// expects raw logits".
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LossTask {
    /// How many of the first training rows' targets are looked at.
    pub rows: NonZeroUsize,
}

impl Default for LossTask {
    fn default() -> Self {
        Self { rows: super::parameter::count(1024) }
    }
}

impl CheckType for LossTask {
    const INFO: Info = Info {
        id: "loss_task",
        stage: Stage::Loss,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "output_width",
                what: "the model has another number of outputs than the data has classes",
                cure: "give the last layer one output a class, or state `[data] classes`",
            },
            CauseInfo {
                id: "output_shape",
                what: "outputs and targets are of shapes that do not suit each other",
                cure: "give the last layer as many outputs as a row has targets",
            },
            CauseInfo {
                id: "one_unit_softmax",
                what: "a softmax over a single unit is one whatever the input",
                cure: "end with a sigmoid and `bce`, or with one logit and `bce_with_logits`",
            },
            CauseInfo {
                id: "output_activation",
                what: "an activation stands between the model and a loss that wants raw outputs, or is missing before one that does not",
                cure: "end the model with what the loss wants",
            },
            CauseInfo {
                id: "unreachable_targets",
                what: "the last activation cannot reach all targets",
                cure: "end with a linear layer, or bring the targets into its range",
            },
            CauseInfo {
                id: "target_type",
                what: "the loss is for class ids, and the targets are numbers, or the other way round",
                cure: "use the loss that suits the targets",
            },
            CauseInfo {
                id: "target_range",
                what: "there are targets that the loss is not made for",
                cure: "class ids run from 0 to k - 1, probabilities from 0 to 1",
            },
            CauseInfo {
                id: "class_ids_as_numbers",
                what: "class ids are taken for quantities",
                cure: "use `cross_entropy` with one output a class",
            },
            CauseInfo {
                id: "constant_targets",
                what: "all targets are the same: there is nothing to learn",
                cure: "look at the target column, and at the order of the rows",
            },
        ],
    };
}

impl Check for LossTask {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![LossTaskAsk { rows: self.rows.get() }.into()]
    }

    fn moot(&self, context: &Context<'_>) -> Option<String> {
        let terms = &context.subject.loss.terms;
        terms.iter().all(|term| term.kind.is_none()).then(|| "no term of the loss has a `kind`".to_owned())
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match answer::<Seen>(taken, 0) {
            Ok(seen) => seen,
            Err(why) => return Sample::Unanswerable(why),
        };
        let entries: Vec<Entry> = findings(context, seen).iter().map(Finding::entry).collect();
        if entries.is_empty() {
            return Sample::Nothing("no term of the loss has a `kind`".to_owned());
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "what the loss is given"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let at = worst_seed(judged);
        let Some(seen) = taken.get(at).and_then(|seed| answer::<Seen>(seed, 0).ok()) else { return Vec::new() };
        let outside = |finding: &Finding| judged.outside.contains(&finding.name);
        findings(context, seen).into_iter().filter(outside).filter_map(|finding| finding.cause).collect()
    }
}

impl Finding {
    fn entry(&self) -> Entry {
        Entry { name: Some(self.name.clone()), value: Some(self.value), band: Some(self.band), scale: Scale::Linear }
    }
}

#[cfg(test)]
#[path = "tests/loss_task.rs"]
mod tests;
