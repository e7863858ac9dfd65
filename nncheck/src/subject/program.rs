//! A training program, built: what measurers and the user's own checks work with.

use std::any::Any;
use std::collections::BTreeMap;

use nncheck_core::data::Batches;
use nncheck_core::measurement::DataFacts;
use nncheck_core::spec::Subject as Spec;
use nncheck_core::spec::model::ModelSource;
use tch::Tensor;
use tch::nn::VarStore;

use super::model::{freeze, parameters_of};
use super::{LossFunction, Network, SubjectError, Tensors, Trainer};
use crate::bindings::{Bindings, StepFunction};
use crate::hyper::Hyper;
use crate::user::{Batch, Losses, Mode, Optimize, Outputs, Setup, Subject};

/// A training program: model, data, loss, optimizer and step, built from a spec with one seed.
pub struct Program<'a> {
    /// The description that it was built from.
    pub(crate) spec: &'a Spec,
    pub(crate) data: &'a Tensors,
    pub(crate) bindings: &'a Bindings,
    seed: u64,
    body: Body,
    /// What [`Program::train`] goes on with.
    batches: Option<Batches>,
    optimizer: Option<Box<dyn Optimize>>,
}

/// What trains.
enum Body {
    /// A model, a loss, an optimizer, and perhaps the user's own step.
    Declared { network: Network, loss: LossFunction, step: Option<StepFunction> },
    /// The user's own program.
    Own { subject: Box<dyn OwnSubject>, parameters: Vec<(String, Tensor)>, frozen: Vec<String> },
}

/// A [`Subject`] that can be asked for by its type again.
pub(crate) trait OwnSubject: Subject {
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn as_subject(&self) -> &dyn Subject;
    fn as_subject_mut(&mut self) -> &mut dyn Subject;
}

impl<S: Subject> OwnSubject for S {
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn as_subject(&self) -> &dyn Subject {
        self
    }

    fn as_subject_mut(&mut self) -> &mut dyn Subject {
        self
    }
}

impl std::fmt::Debug for Program<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("parameters", &self.parameters()).finish_non_exhaustive()
    }
}

impl<'a> Program<'a> {
    /// Builds the program with its generator seeded from `seed`.
    ///
    /// # Errors
    /// When it cannot be built for this data, or its weights cannot be loaded.
    pub fn build(spec: &'a Spec, data: &'a Tensors, bindings: &'a Bindings, seed: u64) -> Result<Self, SubjectError> {
        tch::manual_seed(seed.cast_signed());
        if let ModelSource::Subject { path, hyper } = &spec.model.source {
            let setup = Setup { device: super::device(spec.device)?, kind: super::kind(spec.dtype) };
            let subject = bindings.subject_at(&path.value)?(setup, &Hyper::from_json(hyper));
            let parameters = parameters_of_networks(subject.as_subject())?;
            let frozen = freeze(&parameters, &spec.model.frozen, false)?;
            return Ok(Self::of(spec, data, bindings, seed, Body::Own { subject, parameters, frozen }));
        }
        let network = Network::build(spec, &data.shape, bindings)?;
        let loss = LossFunction::build(&spec.loss, bindings)?;
        let step = match &spec.train.step {
            Some(path) => Some(bindings.step_at(&path.value)?),
            None => None,
        };
        Ok(Self::of(spec, data, bindings, seed, Body::Declared { network, loss, step }))
    }

    /// The program of another spec, from the same seed, on the same data.
    ///
    /// # Errors
    /// When it cannot be built.
    pub(crate) fn anew<'s>(&self, spec: &'s Spec) -> Result<Program<'s>, SubjectError>
    where
        'a: 's,
    {
        Program::build(spec, self.data, self.bindings, self.seed)
    }

    /// Batches of the training rows, as they are trained on from the beginning.
    pub(crate) fn batches(&self) -> Batches {
        Batches::new(self.data.train_rows(), self.spec.data.batch, self.spec.data.shuffle, self.seed)
    }

    /// The same program in the number format and on the device of another spec of it: built anew with the same seed, then
    /// given this one's parameters and buffers.
    ///
    /// # Errors
    /// When it cannot be built so.
    pub(crate) fn copy(from: &Program<'a>, spec: &'a Spec) -> Result<Self, SubjectError> {
        let copy = Self::build(spec, from.data, from.bindings, from.seed)?;
        let values: BTreeMap<String, Tensor> = from.variables().into_iter().collect();
        tch::no_grad(|| {
            for (name, mut variable) in copy.variables() {
                if let Some(value) = values.get(&name) {
                    variable.f_copy_(value)?;
                }
            }
            Ok::<_, SubjectError>(())
        })?;
        Ok(copy)
    }

    /// All parameters and buffers by name.
    pub(crate) fn variables(&self) -> Vec<(String, Tensor)> {
        let mut all: Vec<(String, Tensor)> = self
            .stores()
            .into_iter()
            .flat_map(|(network, store)| {
                store.variables().into_iter().map(move |(name, tensor)| (joined(network, &name), tensor))
            })
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    /// The stores of all networks, by the networks' names; a single network has none.
    pub(crate) fn stores(&self) -> Vec<(&str, &VarStore)> {
        match &self.body {
            Body::Declared { network, .. } => vec![("", network.store())],
            Body::Own { subject, .. } => subject.networks(),
        }
    }

    /// The seed that it was built with.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    fn of(spec: &'a Spec, data: &'a Tensors, bindings: &'a Bindings, seed: u64, body: Body) -> Self {
        Self { spec, data, bindings, seed, body, batches: None, optimizer: None }
    }

    /// Parameters by name, sorted; buffers such as running statistics left out.
    pub fn parameters(&self) -> &[(String, Tensor)] {
        match &self.body {
            Body::Declared { network, .. } => network.parameters(),
            Body::Own { parameters, .. } => parameters,
        }
    }

    /// Whether the spec's `frozen` names a parameter.
    #[must_use]
    pub fn is_frozen(&self, name: &str) -> bool {
        let frozen = match &self.body {
            Body::Declared { network, .. } => network.frozen(),
            Body::Own { frozen, .. } => frozen,
        };
        frozen.iter().any(|f| f == name)
    }

    /// Facts of the data.
    #[must_use]
    pub fn facts(&self) -> &DataFacts {
        &self.data.facts
    }

    /// The first `rows` training rows, or all there are.
    #[must_use]
    pub fn first_rows(&self, rows: usize) -> Batch {
        self.data.first(rows)
    }

    /// What the program puts out for a batch.
    ///
    /// # Errors
    /// When it is a [`Subject`] that puts nothing out.
    pub fn outputs(&self, batch: &Batch, train: bool) -> Result<Outputs, SubjectError> {
        match &self.body {
            Body::Declared { network, .. } => Ok(network.forward(batch, train)),
            Body::Own { subject, .. } => subject.outputs(batch, train).ok_or_else(|| {
                SubjectError::new("this program puts out nothing that could be looked at")
                    .help("implement `outputs` of `nncheck::Subject`")
            }),
        }
    }

    /// The losses of a batch, without training.
    ///
    /// # Errors
    /// When outputs and targets do not suit the loss.
    pub fn losses(&self, batch: &Batch, train: bool) -> Result<Losses, SubjectError> {
        match &self.body {
            Body::Declared { network, .. } => self.losses_of(&network.forward(batch, train), batch),
            Body::Own { subject, .. } => checked(subject.losses(batch, train)),
        }
    }

    /// The losses of these outputs against the targets of a batch.
    ///
    /// # Errors
    /// When they do not suit the loss, or the program is a [`Subject`], whose losses are its own affair.
    pub fn losses_of(&self, outputs: &Outputs, batch: &Batch) -> Result<Losses, SubjectError> {
        match &self.body {
            Body::Declared { loss, .. } => checked(loss.losses(outputs, batch, self.data.facts.classes)?),
            Body::Own { .. } => {
                Err(SubjectError::new("the losses of a `nncheck::Subject` are not computed from outputs"))
            }
        }
    }

    /// What training lowers: a loss with the regularisation that the spec adds to it.
    pub(crate) fn regularised(&self, loss: &Tensor) -> Tensor {
        match &self.body {
            Body::Declared { network, loss: function, .. } => function.with_regularisation(loss, network),
            Body::Own { .. } => loss.shallow_clone(),
        }
    }

    /// Trains for so many optimizer steps on the training rows, and goes on with the next batches and the same optimizer
    /// when it is called again; returns the loss of the last step, before its update, and NaN of none.
    ///
    /// # Panics
    /// When the program cannot be trained; the panic is reported as the property's error.
    #[track_caller]
    pub fn train(&mut self, steps: usize) -> f64 {
        self.try_train(steps).unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`Self::train`], with the reason where the program cannot be trained.
    pub(crate) fn try_train(&mut self, steps: usize) -> Result<f64, SubjectError> {
        let (data, spec, seed) = (self.data, self.spec, self.seed);
        let fresh = || Batches::new(data.train_rows(), spec.data.batch, spec.data.shuffle, seed);
        let mut batches = self.batches.take().unwrap_or_else(fresh);
        let optimizer = self.optimizer.take();
        let mut next = || data.train(&batches.next().unwrap_or_default());
        let train = || -> Result<(f64, Option<Box<dyn Optimize>>), SubjectError> {
            let mut trainer = Trainer::resume(self, optimizer)?;
            let mut loss = f64::NAN;
            for _ in 0..steps {
                loss = trainer.step(&mut next, Mode::Bare)?.loss;
            }
            Ok((loss, trainer.into_optimizer()))
        };
        let (loss, optimizer) = train()?;
        (self.batches, self.optimizer) = (Some(batches), optimizer);
        Ok(loss)
    }

    /// The user's own program, by its type: for the functions of `check = "value"`.
    pub fn subject<S: Subject>(&mut self) -> Option<&mut S> {
        match &mut self.body {
            Body::Own { subject, .. } => (**subject).as_any_mut().downcast_mut(),
            Body::Declared { .. } => None,
        }
    }

    /// What trains the program, step by step.
    ///
    /// # Errors
    /// When the spec names no optimizer.
    pub(crate) fn trainer(&mut self) -> Result<Trainer<'_, 'a>, SubjectError> {
        Trainer::resume(self, None)
    }

    /// The declared loss; `None` for a [`Subject`].
    pub(crate) fn loss(&self) -> Option<&LossFunction> {
        match &self.body {
            Body::Declared { loss, .. } => Some(loss),
            Body::Own { .. } => None,
        }
    }

    /// The declared network; `None` for a [`Subject`].
    pub(crate) fn network(&self) -> Option<&Network> {
        match &self.body {
            Body::Declared { network, .. } => Some(network),
            Body::Own { .. } => None,
        }
    }

    /// The user's own step, if the spec names one.
    pub(crate) fn step(&self) -> Option<&StepFunction> {
        match &self.body {
            Body::Declared { step, .. } => step.as_ref(),
            Body::Own { .. } => None,
        }
    }

    /// The user's own program.
    pub(super) fn own(&mut self) -> Option<&mut dyn Subject> {
        match &mut self.body {
            Body::Own { subject, .. } => Some((**subject).as_subject_mut()),
            Body::Declared { .. } => None,
        }
    }
}

/// Parameters by name, sharing memory.
pub(crate) fn named(parameters: &[(String, Tensor)]) -> Vec<(String, Tensor)> {
    parameters.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect()
}

/// A loss is a scalar: what is not was forgotten to be reduced.
pub(crate) fn checked(losses: Losses) -> Result<Losses, SubjectError> {
    if losses.terms().is_empty() {
        return Err(SubjectError::new("the loss has no terms").help("return at least one"));
    }
    match losses.not_scalar() {
        None => Ok(losses),
        Some((name, shape)) => Err(SubjectError::new(format!("the loss `{name}` is of shape {shape:?}, not a scalar"))
            .help("reduce it over the rows, as with `.mean(tch::Kind::Float)`")),
    }
}

/// The name of a network's tensor among all of the program's.
fn joined(network: &str, name: &str) -> String {
    if network.is_empty() { name.to_owned() } else { format!("{network}.{name}") }
}

fn parameters_of_networks(own: &dyn Subject) -> Result<Vec<(String, Tensor)>, SubjectError> {
    let mut all: Vec<(String, Tensor)> = Vec::new();
    for (network, store) in own.networks() {
        all.extend(parameters_of(store)?.into_iter().map(|(name, tensor)| (joined(network, &name), tensor)));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(twice) = all.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(SubjectError::new(format!("two parameters are called `{}`", twice[0].0))
            .help("give each network of `nncheck::Subject::networks` a name of its own"));
    }
    if all.is_empty() {
        return Err(SubjectError::new("the program has no parameters")
            .help("return every network's store from `nncheck::Subject::networks`"));
    }
    Ok(all)
}
