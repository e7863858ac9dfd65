//! Some steps of training, watched.

use nncheck_core::data::Batches;
use nncheck_core::measurement::DataFacts;
use nncheck_core::measurement::trace::{
    Activation, Inputs, LayerSeen, NonFinite, Parameter, Step, Trace, TraceAsk, Unregistered, Watched,
};

use super::forward::is_finite;
use super::sequence::is_mask;
use crate::observe;
use crate::subject::{self, Program, SubjectError, Trainer};
use crate::tensors::{shape, sizes};
use crate::user::{Batch, Mode, Update};

/// Trains for `ask.steps` steps; after each one hands over the program, and the trace so far with its length.
pub(super) fn measure(
    program: &mut Program<'_>,
    ask: &TraceAsk,
    seed: u64,
    after_step: &mut dyn FnMut(&Program<'_>, &Trace, usize),
) -> Result<(), SubjectError> {
    let (data, spec) = (program.data, &program.spec.data);
    let mut batches = Batches::new(data.train_rows(), spec.batch, spec.shuffle, seed);
    let mut next = || {
        // A program without data of its own gets none.
        let rows = batches.next().unwrap_or_default();
        let batch = if rows.is_empty() { Batch::default() } else { data.train(&rows) };
        if ask.inputs == Inputs::Blank { blank(&batch) } else { batch }
    };
    let mut trace = empty(program.facts());
    let mut trainer = program.trainer()?;
    for index in 0..ask.steps {
        let watched = index < ask.watched;
        let step = trainer.step(&mut next, if watched { Mode::Watched } else { Mode::Bare })?;
        if index == 0 {
            trace.terms = step.terms.iter().map(|(name, _)| name.clone()).collect();
        }
        let step = take(&mut trainer, &mut trace, &step, watched)?;
        if index == 0 {
            describe(&mut trainer, &mut trace);
        }
        trace.steps.push(step);
        after_step(trainer.program(), &trace, index + 1);
    }
    Ok(())
}

/// Trains in blocks of so many steps, each watched at every so-manieth step (0: never), and says when each is done.
pub(crate) fn train_some(
    program: &mut Program<'_>,
    next: &mut dyn FnMut() -> Batch,
    blocks: &[(usize, usize)],
    done: &mut dyn FnMut(),
) -> Result<(), SubjectError> {
    let mut trace = empty(program.facts());
    let mut trainer = program.trainer()?;
    for &(steps, every) in blocks {
        for index in 0..steps {
            let watched = every > 0 && index % every == 0;
            let step = trainer.step(next, if watched { Mode::Watched } else { Mode::Bare })?;
            let step = take(&mut trainer, &mut trace, &step, watched)?;
            trace.steps.push(step);
        }
        trace.steps.clear();
        done();
    }
    Ok(())
}

/// A trace without steps.
fn empty(facts: &DataFacts) -> Trace {
    Trace {
        facts: facts.clone(),
        parameters: Vec::new(),
        layers: Vec::new(),
        unregistered: Vec::new(),
        terms: Vec::new(),
        steps: Vec::new(),
    }
}

/// The same batch with nothing in it. A mask beside what it is of says how much there is, and stays: what is masked out
/// altogether has no mean.
fn blank(batch: &Batch) -> Batch {
    let may_mask = batch.inputs().len() > 1 && batch.inputs().iter().any(|(_, input)| !is_mask(input));
    batch.with_inputs(|input| if may_mask && is_mask(input) { input.shallow_clone() } else { input.zeros_like() })
}

/// What is kept of a step.
fn take(
    trainer: &mut Trainer<'_, '_>,
    trace: &mut Trace,
    step: &subject::Step,
    watched: bool,
) -> Result<Step, SubjectError> {
    let terms = step.terms.iter().map(|(_, value)| *value).collect();
    if !watched {
        return Ok(Step { loss: step.loss, terms, watched: None });
    }
    let seen = trainer.seen();
    let activations = seen.activations()?;
    if trace.layers.is_empty() {
        trace.layers =
            activations.iter().map(|a| LayerSeen { name: a.layer.clone(), operator: a.operator.clone() }).collect();
    }
    let updates = seen.updates();
    let mut non_finite = first_non_finite(&activations, step.loss, &updates, |i| seen.parameters()[i].0.clone());
    // Data is refused when it is read; but a step of the user's own may spoil it on the way.
    if let Some(NonFinite::Activation { .. }) = non_finite
        && seen.first_inputs().is_some_and(|batch| batch.inputs().iter().any(|(_, input)| !is_finite(input)))
    {
        non_finite = Some(NonFinite::Input);
    }
    let trains = seen.parameters().iter().map(|(_, p)| p.requires_grad());
    let whole = whole_ratio(&updates, trains);
    let watched = Watched {
        gradient_norm: updates.iter().map(|u| u.gradient_norm).collect(),
        // A parameter that is not finite has a ratio, and it is not finite either: only zeros have none.
        update_ratio: updates.iter().map(|u| (u.length != 0.0).then(|| u.norm / u.length)).collect(),
        update_norm: updates.iter().map(|u| u.norm).collect(),
        whole_update_ratio: whole,
        activations: activations.into_iter().map(statistics).collect(),
        non_finite,
    };
    Ok(Step { loss: step.loss, terms, watched: Some(watched) })
}

/// Where a step went wrong, in the order of computation: the forward pass, the loss, the gradients, the parameters after
/// the step. Infinities that an operator makes and another takes away again are meant: a mask of attention is `-inf`
/// before the softmax. So an operator is named only where outputs, loss, gradients or parameters are not finite.
fn first_non_finite(
    activations: &[observe::Activation],
    loss: f64,
    updates: &[Update],
    name: impl Fn(usize) -> String,
) -> Option<NonFinite> {
    let wild = |a: &&observe::Activation| a.statistics.non_finite > 0;
    let gradient = updates.iter().position(|u| u.gradient_norm.is_some_and(|g| !g.is_finite()));
    let parameter = updates.iter().position(|u| !u.norm.is_finite());
    let output = activations.last().filter(wild);
    let beyond = if !loss.is_finite() {
        NonFinite::Loss
    } else if let Some(i) = gradient {
        NonFinite::Gradient(name(i))
    } else if let Some(i) = parameter {
        NonFinite::Parameter(name(i))
    } else {
        let output = output?;
        NonFinite::Activation { layer: output.layer.clone(), operator: output.operator.clone() }
    };
    let mut all = activations.iter().filter(wild);
    let first = all.clone().find(|a| !MASKS.contains(&a.operator.as_str())).or_else(|| all.next());
    Some(first.map_or(beyond, |a| NonFinite::Activation { layer: a.layer.clone(), operator: a.operator.clone() }))
}

/// Operators that put infinities where they are wanted.
const MASKS: [&str; 2] = ["masked_fill", "where"];

/// The update ratio of all trainable parameters as one vector.
fn whole_ratio(updates: &[Update], trains: impl Iterator<Item = bool>) -> Option<f64> {
    let (mut moved, mut size) = (0.0, 0.0);
    for (update, _) in updates.iter().zip(trains).filter(|(_, trains)| *trains) {
        moved += update.norm * update.norm;
        size += update.length * update.length;
    }
    (size != 0.0).then(|| (moved / size).sqrt())
}

/// What is said once of the whole trace: parameters, and tensors that nobody trains.
fn describe(trainer: &mut Trainer<'_, '_>, trace: &mut Trace) {
    let unseen = trace.layers.is_empty();
    let seen = trainer.seen();
    let parameters: Vec<Parameter> = seen
        .parameters()
        .iter()
        .map(|(name, tensor)| Parameter {
            name: name.clone(),
            shape: shape(tensor),
            trainable: tensor.requires_grad(),
            frozen: false,
            used: unseen || seen.with_observer(|o| o.has_read(name)).unwrap_or(true),
        })
        .collect();
    // Inputs that are differentiated by (adversarial examples, gradient penalties) are nobody's parameters.
    let read = seen.first_inputs().unwrap_or_default();
    let leaves = read.inputs().iter().filter(|(_, input)| input.requires_grad());
    let inputs: Vec<Vec<i64>> = leaves.map(|(_, input)| input.size()).collect();
    let unregistered = seen.with_observer(|observer| {
        let strangers = observer.unregistered().iter().filter(|stranger| !inputs.contains(&stranger.shape));
        strangers.map(|u| Unregistered { layer: u.layer.clone(), shape: sizes(&u.shape) }).collect()
    });
    trace.unregistered = unregistered.unwrap_or_default();
    let program = trainer.program();
    trace.parameters = parameters.into_iter().map(|p| Parameter { frozen: program.is_frozen(&p.name), ..p }).collect();
}

fn statistics(activation: observe::Activation) -> Activation {
    Activation {
        layer: activation.layer,
        mean: activation.statistics.mean,
        std: activation.statistics.std,
        zero_fraction: activation.statistics.zero_fraction,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activation(operator: &str, non_finite: u64) -> observe::Activation {
        let mut activation = observe::Activation {
            layer: format!("body.{operator}"),
            operator: operator.to_owned(),
            shape: vec![1],
            statistics: observe::Statistics::of(&[1.0_f32]),
        };
        activation.statistics.non_finite = non_finite;
        activation
    }

    fn found(activations: &[observe::Activation], loss: f64) -> Option<String> {
        match first_non_finite(activations, loss, &[], |_| String::new())? {
            NonFinite::Activation { operator, .. } => Some(operator),
            NonFinite::Loss => Some("the loss".to_owned()),
            _ => Some("something else".to_owned()),
        }
    }

    #[test]
    fn a_mask_that_the_softmax_takes_away_is_meant() {
        let masked = [activation("linear", 0), activation("masked_fill", 3), activation("softmax", 0)];
        assert_eq!(found(&masked, 1.0), None);
    }

    #[test]
    fn the_first_operator_is_named_where_something_comes_of_it() {
        let log = [activation("masked_fill", 3), activation("log", 1), activation("linear", 4)];
        assert_eq!(found(&log, 1.0).as_deref(), Some("log"), "the output is not finite");
        let mask = [activation("masked_fill", 3), activation("linear", 0)];
        assert_eq!(found(&mask, f64::NAN).as_deref(), Some("masked_fill"), "nothing else can have done it");
        assert_eq!(found(&[activation("linear", 0)], f64::NAN).as_deref(), Some("the loss"));
    }
}
