//! `checkpoint`: saving and loading brings back the same model.

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::{at_most, seen, worst};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::number;
use crate::judge::{Judged, Rule, Sample};
use crate::measurement::{Checkpoint as Seen, CheckpointAsk, Measurement, Request};
use crate::spec::Subject;
use crate::spec::model::ModelSource;

/// Training steps before the model is saved: running statistics have to move away from where they began.
const STEPS: usize = 5;
/// The entry of the file.
const FILE: &str = "(the file)";

/// A model that was saved and loaded puts out what it put out before.
///
/// ## What it measures
/// The program trains for 5 steps (where it has an optimizer), and the tensors of its `VarStore`s are saved. It is then built
/// anew from another seed, and loaded. The value is the largest difference between what both put out in eval mode, over the
/// spread of the outputs, with libtorch's generator in the same state both times. The state of optimizers is not looked at:
/// `nncheck::Optimize` does not tell it.
///
/// ## Why it matters
/// Whatever a model holds beside its saved tensors is lost: the model that is used tomorrow is another than the one that was
/// judged today.
///
/// ## Usual causes
/// A tensor that the model needs (a fixed projection, running statistics of its own, a scale taken from the data) is kept in a
/// field instead of in the store; names depend on a counter that goes on from model to model.
///
/// ## What to try
/// Register constants with `path.var_copy` or `path.zeros_no_train`; name layers by their place.
///
/// ## Defaults
/// A difference of at most 1e-6 of the spread; sound models have exactly 0.
///
/// ## Sources
/// PyTorch's tutorial on saving and loading models (`state_dict`, buffers).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Checkpoint {
    /// The largest difference that holds, over the spread of the outputs.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub tolerance: f64,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self { tolerance: 1e-6 }
    }
}

impl CheckType for Checkpoint {
    const INFO: Info = Info {
        id: "checkpoint",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "unsaved_state",
                what: "the model depends on tensors that are not saved: fields beside the store",
                cure: "put them into the store: `path.var_copy`, `path.zeros_no_train`",
            },
            CauseInfo {
                id: "names_change",
                what: "the same program gives its tensors other names or shapes when it is built again",
                cure: "name layers by their place in the model, not by a counter",
            },
        ],
    };
}

impl Check for Checkpoint {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, subject: &Subject) -> Vec<Request> {
        let trains = subject.optimizer.is_some() || matches!(subject.model.source, ModelSource::Subject { .. });
        vec![CheckpointAsk { steps: if trains { STEPS } else { 0 } }.into()]
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &Seen| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        if seen.refused.is_some() {
            return Sample::Seen(vec![at_most(FILE, 1.0, 0.0)]);
        }
        Sample::Seen(seen.outputs.iter().map(|(name, by)| at_most(name, *by, self.tolerance)).collect())
    }

    fn quantity(&self) -> &'static str {
        "difference after saving and loading"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = worst::<Seen>(judged, taken) else { return Vec::new() };
        if let Some(why) = &seen.refused {
            let why: Vec<&str> = why.lines().map(str::trim).take(3).collect();
            let help = format!(
                "what was saved does not fit the same program built again ({}): name layers by their place, not by a counter",
                why.join(" ")
            );
            return vec![Cause { id: "names_change", help }];
        }
        let place = seen.first.as_ref().map_or("no layer that is seen".to_owned(), Clone::clone);
        let help = format!(
            "after saving and loading, `{}` differs by {} of the spread, from {place} on: a tensor beside the store (a field of the model) is drawn anew; register it, as with `path.var_copy`",
            judged.at.as_deref().unwrap_or("output"),
            number(judged.value.unwrap_or(f64::NAN))
        );
        vec![Cause { id: "unsaved_state", help }]
    }
}

#[cfg(test)]
#[path = "tests/checkpoint.rs"]
mod tests;
