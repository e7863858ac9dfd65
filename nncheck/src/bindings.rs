//! The user's own Rust, bound to the paths by which specs name it.

mod functions;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use nncheck_core::spec::rust_path::Role;
use tch::nn::{Path, VarStore};

use crate::hyper::Hyper;
use crate::subject::{OwnSubject, Program, SubjectError};
use crate::user::{Batch, Dataset, Losses, Model, Optimize, Outputs, Setup, Subject};

pub use functions::{Builder, DataFunction, LossFunction, OptimizerFunction, StepFunction as Step, ValueFunction};

pub(crate) type BuilderFunction = Arc<dyn Fn(&'static Path<'static>, &'static Hyper) -> Box<dyn Model> + Send + Sync>;
pub(crate) type SubjectFunction = Arc<dyn Fn(Setup, &Hyper) -> Box<dyn OwnSubject> + Send + Sync>;
pub(crate) type OwnLoss = Arc<dyn Fn(&Outputs, &Batch) -> Losses + Send + Sync>;
pub(crate) type OwnOptimizer = Arc<dyn Fn(&'static VarStore) -> Result<Box<dyn Optimize>, String> + Send + Sync>;
pub(crate) type StepFunction = Arc<dyn Fn(&dyn Model, &mut dyn Optimize, &Batch) -> Losses + Send + Sync>;
pub(crate) type OwnData = Arc<dyn Fn() -> Result<Dataset, String> + Send + Sync>;
pub(crate) type OwnValue = Arc<dyn Fn(&mut Program<'_>) -> f64 + Send + Sync>;

/// Everything that a harness binds, by path.
#[derive(Default)]
pub struct Bindings {
    builders: Bound<BuilderFunction>,
    subjects: Bound<SubjectFunction>,
    losses: Bound<OwnLoss>,
    optimizers: Bound<OwnOptimizer>,
    steps: Bound<StepFunction>,
    data: Bound<OwnData>,
    values: Bound<OwnValue>,
}

/// What is bound in one role, by path.
struct Bound<F>(BTreeMap<String, F>);

impl<F> Default for Bound<F> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<F: Clone> Bound<F> {
    fn insert(&mut self, path: &str, function: F) {
        self.0.insert(normalise(path), function);
    }

    fn knows(&self, path: &str) -> Result<(), Vec<&str>> {
        if self.0.contains_key(&normalise(path)) {
            return Ok(());
        }
        Err(self.0.keys().map(String::as_str).collect())
    }

    fn at(&self, role: Role, path: &str) -> Result<F, SubjectError> {
        if let Some(function) = self.0.get(&normalise(path)) {
            return Ok(function.clone());
        }
        let mut error = SubjectError::new(format!("no entry of the harness binds `{path}`")).help(format!(
            "list it in the harness: `nncheck::harness! {{ specs: \"specs\", {}: [{path}] }}`",
            role.harness_key()
        ));
        if !self.0.is_empty() {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            error = error.help(format!("bound are {}", known.join(", ")));
        }
        Err(error)
    }
}

impl fmt::Debug for Bindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bindings")
            .field("builders", &self.builders.0.keys())
            .field("subjects", &self.subjects.0.keys())
            .field("losses", &self.losses.0.keys())
            .field("optimizers", &self.optimizers.0.keys())
            .field("steps", &self.steps.0.keys())
            .field("data", &self.data.0.keys())
            .field("values", &self.values.0.keys())
            .finish()
    }
}

impl Bindings {
    /// Nothing bound yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds a model builder to the path that specs use.
    #[must_use]
    pub fn builder<Marker>(mut self, path: &str, builder: impl Builder<Marker>) -> Self {
        self.builders.insert(path, Arc::new(move |path, hyper| builder.build(path, hyper)));
        self
    }

    /// Binds a whole training program.
    #[must_use]
    pub fn subject<S: Subject>(mut self, path: &str) -> Self {
        self.subjects.insert(path, Arc::new(|setup, hyper| Box::new(S::build(setup, hyper))));
        self
    }

    /// Binds a loss.
    #[must_use]
    pub fn loss<Marker>(mut self, path: &str, loss: impl LossFunction<Marker>) -> Self {
        self.losses.insert(path, Arc::new(move |outputs, batch| loss.losses(outputs, batch)));
        self
    }

    /// Binds a function that makes an optimizer.
    #[must_use]
    pub fn optimizer<Marker>(mut self, path: &str, optimizer: impl OptimizerFunction<Marker>) -> Self {
        self.optimizers.insert(path, Arc::new(move |store| optimizer.optimizer(store)));
        self
    }

    /// Binds a training step.
    #[must_use]
    pub fn step<Marker>(mut self, path: &str, step: impl Step<Marker>) -> Self {
        self.steps.insert(path, Arc::new(move |model, optimizer, batch| step.step(model, optimizer, batch)));
        self
    }

    /// Binds a function that reads data.
    #[must_use]
    pub fn data<Marker>(mut self, path: &str, data: impl DataFunction<Marker>) -> Self {
        self.data.insert(path, Arc::new(move || data.dataset()));
        self
    }

    /// Binds a number of the user's own.
    #[must_use]
    pub fn value(mut self, path: &str, value: impl ValueFunction) -> Self {
        self.values.insert(path, Arc::new(move |program| value.value(program)));
        self
    }

    /// Whether a path is bound in a role, and which ones are.
    pub(crate) fn bound(&self, role: Role, path: &str) -> Result<(), Vec<&str>> {
        match role {
            Role::Builder => self.builders.knows(path),
            Role::Subject => self.subjects.knows(path),
            Role::Loss => self.losses.knows(path),
            Role::Optimizer => self.optimizers.knows(path),
            Role::Step => self.steps.knows(path),
            Role::Data => self.data.knows(path),
            Role::Value => self.values.knows(path),
        }
    }

    pub(crate) fn builder_at(&self, path: &str) -> Result<BuilderFunction, SubjectError> {
        self.builders.at(Role::Builder, path)
    }

    pub(crate) fn subject_at(&self, path: &str) -> Result<SubjectFunction, SubjectError> {
        self.subjects.at(Role::Subject, path)
    }

    pub(crate) fn loss_at(&self, path: &str) -> Result<OwnLoss, SubjectError> {
        self.losses.at(Role::Loss, path)
    }

    pub(crate) fn optimizer_at(&self, path: &str) -> Result<OwnOptimizer, SubjectError> {
        self.optimizers.at(Role::Optimizer, path)
    }

    pub(crate) fn step_at(&self, path: &str) -> Result<StepFunction, SubjectError> {
        self.steps.at(Role::Step, path)
    }

    pub(crate) fn data_at(&self, path: &str) -> Result<OwnData, SubjectError> {
        self.data.at(Role::Data, path)
    }

    pub(crate) fn value_at(&self, path: &str) -> Result<OwnValue, SubjectError> {
        self.values.at(Role::Value, path)
    }
}

/// `stringify!` may put spaces around `::`; specs do not.
fn normalise(path: &str) -> String {
    path.chars().filter(|c| !c.is_whitespace()).collect()
}
