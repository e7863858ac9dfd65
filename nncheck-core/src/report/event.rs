//! The events of a run, as they are written with `--message-format json` and handed from the harness to the command.
//! A value that does not exist is null, never NaN, never a made-up zero.

use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::baseline::Accepted;
use crate::check::Stage;
use crate::judge::exhibit::Exhibit;
use crate::judge::{Band, Interval, Rule, Verdict};
use crate::spec::property::Level;

/// Version of this format, and of the protocol between harness and command.
pub const VERSION: u32 = 1;

/// One line of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A package's run begins.
    RunStarted(RunStarted),
    /// A measurement began, ended or moved on; for progress bars, not part of the JSON report.
    Progress(Progress),
    /// A property was judged.
    Property(Box<PropertyEvent>),
    /// A property that was chosen and does not run; for reports to people, not part of the JSON report.
    Ignored(Ignored),
    /// The run is over.
    Summary(Summary),
}

/// A property that was chosen and does not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// Its test's name.
    pub name: String,
    /// Why the spec says not to run it; `None`: it is slow.
    pub off: Option<String>,
}

/// The beginning of a package's run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// The package.
    pub package: String,
    /// nncheck's version.
    pub nncheck: String,
    /// tch's version; `None` where the build does not tell.
    pub tch: Option<String>,
    /// libtorch's version.
    pub libtorch: Option<String>,
    /// The device, as in the spec.
    pub device: String,
    /// How many properties will be judged.
    pub properties: usize,
}

/// Where the measuring stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Measurements finished.
    pub done: usize,
    /// Measurements known to be wanted so far.
    pub total: usize,
    /// What is being measured now.
    pub now: Option<String>,
}

/// The verdict on one property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PropertyEvent {
    /// The package.
    pub package: String,
    /// The spec's name.
    pub spec: String,
    /// The rung of a ladder, if any.
    pub rung: Option<String>,
    /// The property's name.
    pub property: String,
    /// The check's id.
    pub check: String,
    /// The check's stage.
    pub stage: Stage,
    /// How much a failure weighs.
    pub level: Level,
    /// The verdict.
    pub verdict: Verdict,
    /// The judged number.
    pub value: Option<f64>,
    /// The layer or parameter that it belongs to.
    pub at: Option<String>,
    /// All named numbers.
    pub by: Map<String, serde_json::Value>,
    /// Where the judged number has to lie.
    pub band: Band,
    /// The interval of its mean over the seeds.
    pub interval: Option<Interval>,
    /// How the seeds made the verdict; `None` where it could not be measured.
    pub rule: Option<Rule>,
    /// The judged number, seed by seed.
    pub seeds: Vec<SeedValue>,
    /// Ids of the causes that fit, likeliest first.
    pub causes: Vec<String>,
    /// The rung that blocks it.
    pub blocked_by: Option<String>,
    /// From the first wish for a measurement to the verdict.
    pub duration_ms: f64,
    /// One line.
    pub message: String,
    /// What to do, one line each.
    pub help: Vec<String>,
    /// Where the property stands in its spec.
    pub span: Location,
    /// The declared reason of an allowance, shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What text reports show beyond the JSON report.
    #[serde(default)]
    pub evidence: Evidence,
}

/// What text reports show beyond the JSON report. It travels from the harness to the command, and is left out of
/// `--message-format json`, whose lines are fixed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The names in [`PropertyEvent::by`] that are outside their bands.
    pub outside: Vec<String>,
    /// The names in [`PropertyEvent::by`] that are listed and not judged.
    pub unjudged: Vec<String>,
    /// The line of the spec that [`PropertyEvent::span`] names.
    pub line: Option<String>,
    /// Curves and tables that the check shows.
    #[serde(default)]
    pub exhibits: Vec<Exhibit>,
    /// What the check suggests to set.
    #[serde(default)]
    pub suggestion: Option<String>,
    /// Of what could not be measured: why, without what was being measured, so that one cause is told once.
    #[serde(default)]
    pub cause: Option<String>,
    /// The numbers that were taken to be accepted, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// Of what could not be measured: what was being measured.
    #[serde(default)]
    pub measuring: Option<String>,
}

impl PropertyEvent {
    /// The test's name: `<spec>::<property>`, on a ladder `<spec>::<rung>::<property>`.
    #[must_use]
    pub fn test_name(&self) -> String {
        match &self.rung {
            Some(rung) => format!("{}::{rung}::{}", self.spec, self.property),
            None => format!("{}::{}", self.spec, self.property),
        }
    }

    /// Whether it fails the run.
    #[must_use]
    pub fn fails_the_run(&self) -> bool {
        self.level == Level::Deny && matches!(self.verdict, Verdict::Fail | Verdict::Inconclusive | Verdict::Error)
    }
}

/// One seed's number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedValue {
    /// The seed.
    pub seed: u64,
    /// The number.
    pub value: Option<f64>,
}

/// A place in a spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The file as shown: relative to the package.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// The end of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Properties that hold.
    pub passed: usize,
    /// Properties of level deny that do not hold.
    pub failed: usize,
    /// Properties of level deny that the seeds do not decide.
    pub inconclusive: usize,
    /// Properties of level deny that could not be measured.
    pub errors: usize,
    /// Properties of level warn that do not hold, are undecided or could not be measured.
    pub warned: usize,
    /// Properties with nothing to look at.
    pub skipped: usize,
    /// Properties skipped because a lower rung failed.
    pub blocked: usize,
    /// Slow properties that were not asked for, and those that are off.
    pub ignored: usize,
    /// Wall-clock time.
    pub duration_ms: f64,
}

impl Summary {
    /// Counts one verdict.
    pub fn record(&mut self, event: &PropertyEvent) {
        let count = match (event.verdict, event.level) {
            (Verdict::Pass, _) => &mut self.passed,
            (Verdict::Skipped, _) if event.blocked_by.is_some() => &mut self.blocked,
            (Verdict::Skipped, _) => &mut self.skipped,
            (Verdict::Fail | Verdict::Inconclusive | Verdict::Error, Level::Warn) => &mut self.warned,
            (Verdict::Fail, Level::Deny) => &mut self.failed,
            (Verdict::Inconclusive, Level::Deny) => &mut self.inconclusive,
            (Verdict::Error, Level::Deny) => &mut self.errors,
        };
        *count += 1;
    }

    /// Takes the counts of another package in; the time is the larger one's, since packages may run side by side.
    pub fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.inconclusive += other.inconclusive;
        self.errors += other.errors;
        self.warned += other.warned;
        self.skipped += other.skipped;
        self.blocked += other.blocked;
        self.ignored += other.ignored;
        self.duration_ms = self.duration_ms.max(other.duration_ms);
    }

    /// How many properties came to a verdict.
    #[must_use]
    pub fn judged(&self) -> usize {
        self.passed + self.failed + self.inconclusive + self.errors + self.warned
    }

    /// Whether the run held: nothing of level deny failed, was undecided or could not be measured, and something was
    /// judged at all.
    #[must_use]
    pub fn held(&self) -> bool {
        self.failed + self.inconclusive + self.errors == 0 && self.judged() > 0
    }
}
