//! Recording wrappers: what a user's own step or program is handed, so that forward passes, clearing, stepping and the
//! rate are seen. They change nothing of what they wrap.

use std::cell::RefCell;
use std::collections::HashSet;

use nncheck_core::measurement::optimizer_steps::Length;
use tch::Tensor;

use super::moves::{Moves, Update};
use super::{Batch, Model, Optimize, Outputs};
use crate::observe::{Activation, ObserveError, Observer};
use crate::tensors::{gradient, norm};

/// How a training step is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// With nothing taken but the loss.
    Bare,
    /// With activations, gradients and updates taken.
    Watched,
    /// With the rate and the gradients of each step of the optimizer taken.
    Metered,
    /// With an optimizer that moves nothing, to see what it is given.
    Dry,
}

/// The forward passes of one training step.
#[derive(Debug, Default)]
pub(crate) struct Forwards {
    observer: Option<Observer>,
    /// Activations are wanted in this step.
    watching: bool,
    /// Only the first pass of a step is watched: the others repeat it.
    first_only: bool,
    passes: usize,
    /// How many passes through a model ran in train mode, and in eval mode, since this was last asked.
    modes: (usize, usize),
    activations: Vec<Activation>,
    /// What the first watched pass through the model was given.
    read: Option<Batch>,
    error: Option<ObserveError>,
    /// What the model puts out is wanted.
    keeping: bool,
    /// What the last pass in train mode put out, and for which batch.
    last: Option<(Batch, Outputs)>,
}

impl Forwards {
    fn wanted(&self) -> bool {
        self.watching && self.observer.is_some() && !(self.first_only && self.passes > 0)
    }

    fn keep(&mut self, more: Vec<Activation>) {
        let mut known: HashSet<String> = self.activations.iter().map(|a| a.layer.clone()).collect();
        for mut activation in more {
            // Another pass through the same network is another layer to whoever reads the names.
            let name = activation.layer.clone();
            let mut count = 2;
            while !known.insert(activation.layer.clone()) {
                activation.layer = format!("{name}#{count}");
                count += 1;
            }
            self.activations.push(activation);
        }
    }

    /// Runs `forward`, watched if that is wanted.
    fn run<R>(this: &RefCell<Self>, forward: impl FnOnce() -> R) -> R {
        let observer = this.try_borrow_mut().ok().and_then(|mut f| if f.wanted() { f.observer.take() } else { None });
        let Some(mut observer) = observer else {
            if let Ok(mut forwards) = this.try_borrow_mut() {
                forwards.passes += 1;
            }
            return forward();
        };
        let mut forward = Some(forward);
        let mut result = None;
        let watched = observer.watch(|| result = forward.take().map(|forward| forward()));
        let mut forwards = this.borrow_mut();
        forwards.observer = Some(observer);
        forwards.passes += 1;
        match watched {
            Ok(((), activations)) => forwards.keep(activations),
            Err(error) => forwards.error = Some(error),
        }
        drop(forwards);
        // Where the callbacks were refused, the pass has not run yet.
        result.or_else(|| forward.map(|forward| forward())).expect("the pass has run")
    }
}

/// What a metered step saw of the optimizer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Metered {
    /// The rate of its first step, where it tells.
    pub(crate) rate: Option<f64>,
    /// The gradients that it was given last.
    pub(crate) given: Length,
    /// The same when it had stepped, and clipped them.
    pub(crate) used: Length,
}

/// The optimizers of one training step.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    moves: Moves,
    watching: bool,
    /// The optimizer is not to move anything: what it is given is kept instead.
    dry: bool,
    given: Vec<Option<Tensor>>,
    /// Rate and gradients of each step of the optimizer are wanted.
    metering: bool,
    metered: Metered,
    /// How often gradients were cleared in this step.
    zero_grads: usize,
    /// How often an optimizer stepped in this step.
    steps: usize,
}

/// Everything that is seen of training steps.
#[derive(Debug)]
pub(crate) struct Seen {
    forwards: RefCell<Forwards>,
    steps: Steps,
}

impl Seen {
    /// Watches the steps of a program with these parameters.
    pub(crate) fn new(parameters: Vec<(String, Tensor)>, first_pass_only: bool) -> Self {
        let forwards =
            Forwards { observer: Some(Observer::new(&parameters)), first_only: first_pass_only, ..Forwards::default() };
        Self { forwards: RefCell::new(forwards), steps: Steps { moves: Moves::of(parameters), ..Steps::default() } }
    }

    /// Begins a step.
    pub(crate) fn begin(&mut self, mode: Mode) {
        let watched = mode == Mode::Watched;
        let forwards = self.forwards.get_mut();
        forwards.watching = watched;
        forwards.passes = 0;
        forwards.activations.clear();
        (forwards.read, forwards.last) = (None, None);
        let steps = &mut self.steps;
        (steps.watching, steps.zero_grads, steps.steps) = (watched, 0, 0);
        steps.dry = mode == Mode::Dry;
        (steps.metering, steps.metered) = (mode == Mode::Metered, Metered::default());
        steps.given.clear();
        if watched {
            steps.moves.begin();
        }
    }

    /// The wrappers that a step is run with.
    pub(crate) fn recorder(&mut self) -> Recorder<'_> {
        Recorder { forwards: &self.forwards, steps: &mut self.steps }
    }

    /// Activations of the step, in the order of computation.
    ///
    /// # Errors
    /// When libtorch refused to report them.
    pub(crate) fn activations(&mut self) -> Result<Vec<Activation>, ObserveError> {
        let forwards = self.forwards.get_mut();
        match forwards.error.take() {
            Some(error) => Err(error),
            None => Ok(std::mem::take(&mut forwards.activations)),
        }
    }

    /// What the first watched pass of the step was given, where the model was run through nncheck.
    pub(crate) fn first_inputs(&self) -> Option<Batch> {
        self.forwards.borrow().read.clone()
    }

    /// What the last forward pass in train mode read and put out, where the model was run through nncheck.
    pub(crate) fn last_outputs(&mut self) -> Option<(Batch, Outputs)> {
        self.forwards.get_mut().last.take()
    }

    /// How many passes through the model ran in train mode and in eval mode since this was last asked; none of a program of
    /// the user's own, whose modes are its own affair.
    pub(crate) fn modes(&mut self) -> (usize, usize) {
        std::mem::take(&mut self.forwards.get_mut().modes)
    }

    /// From now on, what the model puts out is kept.
    pub(crate) fn keep_outputs(&mut self) {
        self.forwards.get_mut().keeping = true;
    }

    /// What the step did, parameter by parameter; empty where it was not watched.
    pub(crate) fn updates(&mut self) -> Vec<Update> {
        if self.steps.watching { self.steps.moves.end() } else { Vec::new() }
    }

    /// The parameters, by name.
    pub(crate) fn parameters(&self) -> &[(String, Tensor)] {
        self.steps.moves.parameters()
    }

    /// The gradients that the optimizer was given in a dry step, one a parameter; empty where none stepped.
    pub(crate) fn given(&mut self) -> Vec<Option<Tensor>> {
        std::mem::take(&mut self.steps.given)
    }

    /// What a metered step saw.
    pub(crate) fn metered(&self) -> Metered {
        self.steps.metered
    }

    /// How often gradients were cleared and how often an optimizer stepped, in this step.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.steps.zero_grads, self.steps.steps)
    }

    /// Looks at the observer.
    pub(crate) fn with_observer<R>(&self, look: impl FnOnce(&Observer) -> R) -> Option<R> {
        self.forwards.borrow().observer.as_ref().map(look)
    }
}

/// What a training step goes through, so that checks see it: see [`Subject::step`](super::Subject::step).
#[derive(Debug)]
pub struct Recorder<'a> {
    forwards: &'a RefCell<Forwards>,
    steps: &'a mut Steps,
}

impl<'a> Recorder<'a> {
    /// Runs a forward pass whose activations are to be seen.
    pub fn forward<R>(&self, forward: impl FnOnce() -> R) -> R {
        Forwards::run(self.forwards, forward)
    }

    /// The optimizer to use in its place.
    pub fn optimizer<'s>(&'s mut self, optimizer: &'s mut dyn Optimize) -> RecordingOptimizer<'s> {
        RecordingOptimizer { inner: optimizer, steps: self.steps }
    }

    /// The model and the optimizer to use in their place.
    pub(crate) fn both(
        self,
        model: &'a dyn Model,
        optimizer: &'a mut dyn Optimize,
    ) -> (RecordingModel<'a>, RecordingOptimizer<'a>) {
        (
            RecordingModel { inner: model, forwards: self.forwards },
            RecordingOptimizer { inner: optimizer, steps: self.steps },
        )
    }
}

/// A model whose forward passes are seen.
pub struct RecordingModel<'a> {
    inner: &'a dyn Model,
    forwards: &'a RefCell<Forwards>,
}

impl std::fmt::Debug for RecordingModel<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordingModel").finish_non_exhaustive()
    }
}

impl Model for RecordingModel<'_> {
    fn outputs(&self, batch: &Batch, train: bool) -> Outputs {
        if let Ok(mut forwards) = self.forwards.try_borrow_mut()
            && forwards.wanted()
            && forwards.read.is_none()
        {
            forwards.read = Some(batch.clone());
        }
        let outputs = Forwards::run(self.forwards, || self.inner.outputs(batch, train));
        if let Ok(mut forwards) = self.forwards.try_borrow_mut() {
            forwards.modes.0 += usize::from(train);
            forwards.modes.1 += usize::from(!train);
        }
        if train
            && let Ok(mut forwards) = self.forwards.try_borrow_mut()
            && forwards.keeping
        {
            forwards.last = Some((batch.clone(), outputs.map(Tensor::detach)));
        }
        outputs
    }
}

/// An optimizer whose clearing, stepping and rate are seen.
pub struct RecordingOptimizer<'a> {
    inner: &'a mut dyn Optimize,
    steps: &'a mut Steps,
}

impl std::fmt::Debug for RecordingOptimizer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordingOptimizer").finish_non_exhaustive()
    }
}

impl Optimize for RecordingOptimizer<'_> {
    fn zero_grad(&mut self) {
        self.steps.zero_grads += 1;
        self.inner.zero_grad();
    }

    fn step(&mut self) {
        self.steps.steps += 1;
        if self.steps.dry {
            // Of several optimizers the last one's moment: by then each network has been given its own.
            let given = |p: &Tensor| gradient(p).map(|gradient| gradient.detach().copy());
            self.steps.given = self.steps.moves.parameters().iter().map(|(_, p)| given(p)).collect();
            return;
        }
        if self.steps.metering {
            let metered = &mut self.steps.metered;
            if self.steps.steps == 1 {
                metered.rate = self.inner.lr();
            }
            metered.given = length(self.steps.moves.parameters());
            self.inner.step();
            metered.used = length(self.steps.moves.parameters());
            return;
        }
        if !self.steps.watching {
            return self.inner.step();
        }
        self.steps.moves.before_step();
        self.inner.step();
        self.steps.moves.after_step();
    }

    fn set_lr(&mut self, lr: f64) {
        self.inner.set_lr(lr);
    }

    fn lr(&self) -> Option<f64> {
        self.inner.lr()
    }

    fn see_loss(&mut self, loss: f64) {
        self.inner.see_loss(loss);
    }
}

/// How long all gradients are together.
fn length(parameters: &[(String, Tensor)]) -> Length {
    let (mut square, mut largest) = (0.0, 0.0_f64);
    for gradient in parameters.iter().filter_map(|(_, parameter)| gradient(parameter)) {
        let norm = norm(&gradient);
        square += norm * norm;
        let most = gradient.abs().max().double_value(&[]);
        // `f64::max` would drop a NaN.
        largest = if most.is_nan() || largest.is_nan() { f64::NAN } else { largest.max(most) };
    }
    Length { norm: square.sqrt(), largest }
}
