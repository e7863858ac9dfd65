//! Some steps of training, watched.

use nncheck_core::data::Batches;
use nncheck_core::measurement::trace::{
    Activation, Inputs, LayerSeen, NonFinite, Parameter, Step, Trace, TraceAsk, Unregistered, Watched,
};
use tch::{Kind, Tensor};

use crate::observe::{self, Observer};
use crate::subject::{Optimizer, Program, SubjectError};

/// Trains for `ask.steps` steps; after each one hands over the trace so far with its length.
pub(super) fn measure(
    program: &Program<'_>,
    ask: &TraceAsk,
    seed: u64,
    after_step: &mut dyn FnMut(&Trace, usize),
) -> Result<(), SubjectError> {
    let data = &program.subject.data;
    let train = &program.data.train;
    let mut batches = Batches::new(train.len(), data.batch, data.shuffle, seed);
    let mut optimizer = program.optimizer()?;
    let mut watcher = Watcher::new(program);
    let mut trace = Trace {
        facts: program.data.facts.clone(),
        parameters: Vec::new(),
        layers: Vec::new(),
        unregistered: Vec::new(),
        steps: Vec::with_capacity(ask.steps),
    };
    for index in 0..ask.steps {
        let Some(rows) = batches.next() else { break };
        let mut batch = train.select(&rows);
        if ask.inputs == Inputs::Blank {
            batch.x = batch.x.zeros_like();
        }
        let step = if index < ask.watched {
            watcher.step(program, &mut optimizer, &batch.x, &batch.y)?
        } else {
            bare_step(program, &mut optimizer, &batch.x, &batch.y)?
        };
        if index == 0 {
            watcher.describe(program, &mut trace);
        }
        trace.steps.push(step);
        after_step(&trace, index + 1);
    }
    Ok(())
}

fn bare_step(program: &Program<'_>, optimizer: &mut Optimizer, x: &Tensor, y: &Tensor) -> Result<Step, SubjectError> {
    let output = program.network.forward(x, true);
    let loss = program.loss.data_loss(&output, y, program.data.facts.classes)?;
    optimizer.minimise(&program.loss.with_regularisation(&loss, &program.network));
    Ok(Step { loss: loss.double_value(&[]), watched: None })
}

/// Watches steps: the observer, and the parameters by name.
struct Watcher {
    observer: Observer,
    parameters: Vec<(String, Tensor)>,
    layers: Vec<LayerSeen>,
}

impl Watcher {
    fn new(program: &Program<'_>) -> Self {
        let parameters = program.network.named_parameters();
        Self { observer: Observer::new(&parameters), parameters, layers: Vec::new() }
    }

    fn step(
        &mut self,
        program: &Program<'_>,
        optimizer: &mut Optimizer,
        x: &Tensor,
        y: &Tensor,
    ) -> Result<Step, SubjectError> {
        let (output, activations) = self.observer.watch(|| program.network.forward(x, true))?;
        if self.layers.is_empty() {
            self.layers =
                activations.iter().map(|a| LayerSeen { name: a.layer.clone(), operator: a.operator.clone() }).collect();
        }
        let loss = program.loss.data_loss(&output, y, program.data.facts.classes)?;
        let value = loss.double_value(&[]);
        optimizer.zero_grad();
        program.loss.with_regularisation(&loss, &program.network).backward();
        let gradient_norm: Vec<Option<f64>> = self.parameters.iter().map(|(_, p)| gradient_norm(p)).collect();
        let before: Vec<Tensor> = self.parameters.iter().map(|(_, p)| p.detach().copy()).collect();
        optimizer.step();
        let updates = Updates::of(&self.parameters, &before);
        let non_finite = self.first_non_finite(&activations, value, &gradient_norm, &updates.norm);
        Ok(Step {
            loss: value,
            watched: Some(Watched {
                gradient_norm,
                update_ratio: updates.ratio,
                update_norm: updates.norm,
                whole_update_ratio: updates.whole,
                activations: activations.into_iter().map(statistics).collect(),
                non_finite,
            }),
        })
    }

    /// In the order of computation: the forward pass, the loss, the gradients, the parameters after the step.
    fn first_non_finite(
        &self,
        activations: &[observe::Activation],
        loss: f64,
        gradient_norm: &[Option<f64>],
        update_norm: &[f64],
    ) -> Option<NonFinite> {
        if let Some(a) = activations.iter().find(|a| a.statistics.non_finite > 0) {
            return Some(NonFinite::Activation { layer: a.layer.clone(), operator: a.operator.clone() });
        }
        if !loss.is_finite() {
            return Some(NonFinite::Loss);
        }
        let name = |index: usize| self.parameters[index].0.clone();
        if let Some(i) = gradient_norm.iter().position(|g| g.is_some_and(|g| !g.is_finite())) {
            return Some(NonFinite::Gradient(name(i)));
        }
        update_norm.iter().position(|n| !n.is_finite()).map(|i| NonFinite::Parameter(name(i)))
    }

    /// What is said once of the whole trace: parameters, layers, tensors that nobody trains.
    fn describe(&self, program: &Program<'_>, trace: &mut Trace) {
        trace.parameters = self
            .parameters
            .iter()
            .map(|(name, tensor)| Parameter {
                name: name.clone(),
                shape: tensor.size().iter().map(|&d| usize::try_from(d).unwrap_or(0)).collect(),
                trainable: tensor.requires_grad(),
                frozen: program.network.is_frozen(name),
                used: self.layers.is_empty() || self.observer.has_read(name),
            })
            .collect();
        trace.layers.clone_from(&self.layers);
        trace.unregistered = self
            .observer
            .unregistered()
            .iter()
            .map(|u| Unregistered {
                layer: u.layer.clone(),
                shape: u.shape.iter().map(|&d| usize::try_from(d).unwrap_or(0)).collect(),
            })
            .collect();
    }
}

fn statistics(activation: observe::Activation) -> Activation {
    Activation {
        layer: activation.layer,
        mean: activation.statistics.mean,
        std: activation.statistics.std,
        zero_fraction: activation.statistics.zero_fraction,
    }
}

/// L2 norm of a parameter's gradient, summed in double precision; `None` where it has none.
fn gradient_norm(parameter: &Tensor) -> Option<f64> {
    let gradient = parameter.grad();
    gradient.defined().then(|| norm(&gradient))
}

/// How far one step moved each parameter.
struct Updates {
    /// L2 norm of the change.
    norm: Vec<f64>,
    /// The same over the L2 norm before; `None` for a parameter that was all zero.
    ratio: Vec<Option<f64>>,
    /// The ratio of all trainable parameters as one vector.
    whole: Option<f64>,
}

impl Updates {
    fn of(parameters: &[(String, Tensor)], before: &[Tensor]) -> Self {
        let (mut norms, mut ratios) = (Vec::new(), Vec::new());
        let (mut moved, mut size) = (0.0, 0.0);
        for ((_, parameter), before) in parameters.iter().zip(before) {
            let change = norm(&(parameter.detach() - before));
            let length = norm(before);
            norms.push(change);
            // A parameter that is not finite has a ratio, and it is not finite either: only zeros have none.
            ratios.push((length != 0.0).then(|| change / length));
            if parameter.requires_grad() {
                moved += change * change;
                size += length * length;
            }
        }
        Self { norm: norms, ratio: ratios, whole: (size != 0.0).then(|| (moved / size).sqrt()) }
    }
}

fn norm(tensor: &Tensor) -> f64 {
    tch::no_grad(|| tensor.norm_scalaropt_dtype(2, Kind::Double).double_value(&[]))
}
