//! The checks: one file each. A check is its parameters (whose documentation is the check's documentation), what it
//! needs measured, and how one seed's measurements become numbers with bands. It never touches a tensor, and the
//! catalogue line below is all that makes it known to specs, `explain`, the schema and the reference pages.

mod activation_scale;
mod batch_independence;
mod batch_norm;
mod batch_size;
mod beats_baseline;
mod budget;
mod catalogue;
mod causality;
mod checkpoint;
mod data;
mod dead_units;
mod determinism;
mod device_parity;
pub mod documentation;
mod dropout;
mod entry;
mod evidence;
mod finite;
#[cfg(test)]
pub(crate) mod fixture;
mod generalization_gap;
mod gradient_accumulation;
mod gradient_check;
mod gradient_clipping;
mod gradient_flow;
mod initial_loss;
mod input_dependence;
mod layer_order;
mod learning_rate;
mod learns;
mod loss_function;
mod loss_task;
mod loss_terms;
mod lr_schedule;
mod metric;
mod modes;
mod narrow;
mod nonlinearity;
mod optimizer;
mod order_dependence;
mod output_contract;
mod overfit;
mod padding_invariance;
mod parameter;
mod parameters_update;
mod parity;
mod precision_parity;
mod regression;
mod regularization;
mod saturation;
mod term;
mod units;
mod update_ratio;
mod value;
mod weight_init;
mod weight_scale;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::baseline::{Accepted, Held};
use crate::diagnostic::{Located, Span};
use crate::judge::exhibit::Exhibit;
use crate::judge::{Band, Effort, Judged, Rule, Sample};
use crate::measurement::{DataFacts, Measurement, Request};
use crate::spec::Subject;
use crate::spec::property::{Level, Narrow, Settings};
use crate::spec::rust_path::Role;

pub use catalogue::{CATALOGUE, CatalogueEntry, find};

/// The checklist's five stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Start simple.
    Start,
    /// Confirm the loss.
    Loss,
    /// Check gradients and connections.
    Connections,
    /// Diagnose parameters.
    Parameters,
    /// Keep a record.
    Control,
}

impl Stage {
    /// All stages, in the order of the checklist.
    pub const ALL: [Self; 5] = [Self::Start, Self::Loss, Self::Connections, Self::Parameters, Self::Control];

    /// As it is written in specs and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Loss => "loss",
            Self::Connections => "connections",
            Self::Parameters => "parameters",
            Self::Control => "control",
        }
    }
}

/// What is fixed about a check.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// Its name in specs; also the name of its file.
    pub id: &'static str,
    /// Its stage of the checklist.
    pub stage: Stage,
    /// How its seeds make a verdict.
    pub rule: Rule,
    /// Whether it takes `expect`, `within`, `min`, `max`.
    pub takes_band: bool,
    /// How what it judges can be narrowed.
    pub narrows: &'static [Narrow],
    /// Whether it trains the model and so needs an `[optimizer]`.
    pub trains: bool,
    /// The causes of failure that it can name, with what to try, likeliest first.
    pub causes: &'static [CauseInfo],
}

/// A cause of failure that a check can name.
#[derive(Clone, Copy, Debug)]
pub struct CauseInfo {
    /// Its id, for `allow = ["cause:ID"]` and reports.
    pub id: &'static str,
    /// The cause in a few words.
    pub what: &'static str,
    /// What to try.
    pub cure: &'static str,
}

/// A cause of failure that fits the numbers seen, with the user's own numbers in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// One of the check's [`Info::causes`].
    pub id: &'static str,
    /// What is wrong and what to do, in plain words.
    pub help: String,
}

/// What a check is told beside its measurements.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The training program.
    pub subject: &'a Subject,
    /// The property's common keys.
    pub settings: &'a Settings,
}

impl Context<'_> {
    /// The band that the property states, else the check's own.
    ///
    /// # Errors
    /// When an expression cannot be worked out for this data (`ln(k)` where there are no classes), in words.
    pub fn band(&self, facts: &DataFacts, otherwise: Band) -> Result<Band, String> {
        self.settings.band(facts, otherwise)
    }
}

/// A kind of property that nncheck knows.
pub trait Check: std::fmt::Debug + Send + Sync {
    /// What is fixed about it.
    fn info(&self) -> &'static Info;

    /// The measurements that [`Check::sample`] is handed, in this order, for each seed.
    fn needs(&self, subject: &Subject) -> Vec<Request>;

    /// Why there is nothing to look at, where the spec alone tells (no schedule, no dropout among the layers): nothing is
    /// measured then, and runners that hide skipped tests are told when they ask for the list.
    fn moot(&self, _context: &Context<'_>) -> Option<String> {
        None
    }

    /// What the property says and nothing can hold, whatever is measured, and where it says so, if the check knows: an error of
    /// the spec.
    fn refusal(&self, _context: &Context<'_>) -> Option<(Option<Span>, String)> {
        None
    }

    /// One seed's numbers, each with its band. Pure.
    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample;

    /// The same of a check that holds each seed against what was accepted of it.
    fn sample_of(&self, context: &Context<'_>, _seed: u64, taken: &[Measurement]) -> Sample {
        self.sample(context, taken)
    }

    /// How many seeds it takes, and how sure it has to be, where the spec and the command line ask for this much.
    fn effort(&self, effort: Effort) -> Effort {
        effort
    }

    /// What the value is, in the words of a report line, such as "loss at initialisation".
    fn quantity(&self) -> &'static str;

    /// The causes that fit a failure, likeliest first. `taken` holds every seed's measurements.
    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause>;

    /// The paths of the user's own Rust among its parameters.
    fn paths(&self) -> Vec<(Role, &Located<String>)> {
        Vec::new()
    }

    /// Curves and tables worth showing with the verdict, beside the values by name. `taken` holds every seed's
    /// measurements.
    fn exhibits(&self, _context: &Context<'_>, _judged: &Judged, _taken: &[Vec<Measurement>]) -> Vec<Exhibit> {
        Vec::new()
    }

    /// Whether the entry of this name is a piece of advice: where nothing but advice fails, the property warns, whatever its
    /// level.
    fn advises(&self, _name: &str) -> bool {
        false
    }

    /// What the numbers suggest to set, in a few words such as "lr = 0.03": shown beside the verdict, whatever it is.
    fn suggestion(&self, _context: &Context<'_>, _taken: &[Vec<Measurement>]) -> Option<String> {
        None
    }

    /// What it is held against, where that is a baseline.
    fn held(&self) -> Option<&Held> {
        None
    }

    /// How many numbers it searches for a change; none where it is held against no baseline.
    fn searches(&self) -> usize {
        0
    }

    /// The same check, held against a baseline; `None` for checks that have none.
    fn against(&self, _held: Held) -> Option<Arc<dyn Check>> {
        None
    }

    /// The numbers of these seeds, where they are taken to be accepted.
    fn accepted(&self, _context: &Context<'_>, _taken: &[Vec<Measurement>]) -> Option<Accepted> {
        None
    }

    /// A remark worth printing whatever the verdict, such as the excess of a loss in nats.
    fn remark(&self, _context: &Context<'_>, _judged: &Judged, _taken: &[Vec<Measurement>]) -> Option<String> {
        None
    }
}

/// What the catalogue needs of a check's type: parameters that are read from a spec, with documentation.
pub trait CheckType: Check + DeserializeOwned + JsonSchema + 'static {
    /// What is fixed about it.
    const INFO: Info;
    /// How much a failure weighs, where the property does not say.
    const LEVEL: Level = Level::Deny;
}
