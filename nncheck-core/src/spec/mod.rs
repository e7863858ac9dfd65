//! The spec language: one TOML file names a subject (model, data, loss, optimizer) and the properties that must hold
//! of it. This module reads the tables into typed values that keep their places; which checks exist, and what their
//! parameters are, is known one floor up, in [`crate::suite`].

mod cross;
pub mod data;
pub mod expression;
pub(crate) mod glob;
mod kinds;
pub mod ladder;
pub mod layer;
pub mod loss;
pub(crate) mod merge;
pub mod model;
pub(crate) mod name;
pub mod optimizer;
mod parse;
pub mod property;
pub mod read;
pub mod run;
pub mod rust_path;
pub mod schedule;
mod section;
pub mod tolerance;
pub mod train;
pub(crate) mod values;

use serde::{Deserialize, Serialize};

use property::PropertyTable;
use run::Run;

pub(crate) use parse::{Parsed, parse};

/// The training program under test: everything that a worker needs to build and train the model, as pure data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// The network.
    pub model: model::Model,
    /// What it is trained on.
    pub data: data::Data,
    /// The loss.
    pub loss: loss::Loss,
    /// The optimizer; a spec whose properties do not train needs none.
    pub optimizer: Option<optimizer::Optimizer>,
    /// How a training step is made.
    pub train: train::Train,
    /// Number format of parameters and data.
    pub dtype: run::Dtype,
    /// Device the model lives on.
    pub device: run::Device,
    /// Threads of libtorch in each worker.
    pub threads: u32,
    /// The most memory a worker may take, in bytes.
    pub memory: u64,
    /// The longest a measurement may take, in milliseconds.
    pub timeout_ms: u64,
}

impl Subject {
    /// What kind of target the data has. A loss that only the user knows is for class ids where `[data] classes` says
    /// how many there are, else for numbers.
    #[must_use]
    pub fn task(&self) -> loss::Task {
        let unknown = || if self.data.classes.is_some() { loss::Task::Multiclass } else { loss::Task::Regression };
        self.loss.task().unwrap_or_else(unknown)
    }
}

/// A spec file as read: typed, with places, its properties not yet bound to checks.
#[derive(Clone, Debug)]
pub struct Spec<'i> {
    /// The training program under test.
    pub subject: Subject,
    /// How properties are run.
    pub run: Run,
    /// The `[property.*]` tables, in the order of the file.
    pub properties: Vec<PropertyTable<'i>>,
}
