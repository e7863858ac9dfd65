//! What trains a program, step by step: nncheck's own step, the user's own, or the user's whole program.

use tch::Tensor;

use super::program::{checked, named};
use super::{Optimizer, Program, SubjectError};
use crate::user::{Batch, Losses, Mode, Model, Optimize, Outputs, Seen};

/// Trains a program.
pub(crate) struct Trainer<'p, 'a> {
    program: &'p mut Program<'a>,
    optimizer: Option<Box<dyn Optimize>>,
    seen: Seen,
}

/// Back-propagates a loss.
pub(crate) fn backward(loss: &Tensor) -> Result<(), SubjectError> {
    if loss.requires_grad() {
        return Ok(loss.f_backward()?);
    }
    let cause = SubjectError::new("the loss depends on no parameter that is trained");
    Err(cause
        .help("look at what `frozen` leaves to train, and for `detach` and `no_grad` between the model and the loss"))
}

/// What a step came to.
#[derive(Debug)]
pub(crate) struct Step {
    /// The weighted sum of the loss terms before the update, regularisation left out.
    pub(crate) loss: f64,
    /// The value of each term, by name.
    pub(crate) terms: Vec<(String, f64)>,
    /// What the model put out before the update, with the batch that it was shown, where it was run through nncheck.
    pub(crate) outputs: Option<(Batch, Outputs)>,
}

impl<'p, 'a> Trainer<'p, 'a> {
    /// Trains with this optimizer; with a new one where there is none.
    pub(super) fn resume(
        program: &'p mut Program<'a>,
        optimizer: Option<Box<dyn Optimize>>,
    ) -> Result<Self, SubjectError> {
        let optimizer = match (optimizer, program.network()) {
            (None, Some(network)) => Some(Optimizer::build(program.spec, network, program.bindings)?),
            (optimizer, _) => optimizer,
        };
        let first_pass_only = program.network().is_some();
        let seen = Seen::new(named(program.parameters()), first_pass_only);
        Ok(Self { program, optimizer, seen })
    }

    /// One optimizer step on as many batches as the spec accumulates.
    pub(crate) fn step(&mut self, next: &mut dyn FnMut() -> Batch, mode: Mode) -> Result<Step, SubjectError> {
        self.seen.begin(mode);
        let accumulate = self.program.spec.train.accumulate;
        let mut step = Step { loss: 0.0, terms: Vec::new(), outputs: None };
        if let Some(own) = self.program.own() {
            for _ in 0..accumulate {
                let losses = own.step(&next(), &mut self.seen.recorder());
                step.add(&checked(losses)?, accumulate);
            }
        } else if let Some(function) = self.program.step().cloned() {
            let (Some(network), Some(optimizer)) = (self.program.network(), &mut self.optimizer) else {
                return Err(SubjectError::new("there is nothing to train"));
            };
            for _ in 0..accumulate {
                let (model, mut optimizer) = self.seen.recorder().both(network.model(), optimizer);
                let losses = function(&model, &mut optimizer, &next());
                step.add(&checked(losses)?, accumulate);
            }
            step.outputs = self.seen.last_outputs();
        } else {
            let (Some(network), Some(loss), Some(optimizer)) =
                (self.program.network(), self.program.loss(), &mut self.optimizer)
            else {
                return Err(SubjectError::new("there is nothing to train"));
            };
            let classes = self.program.data.facts.classes;
            let (model, mut optimizer) = self.seen.recorder().both(network.model(), optimizer);
            optimizer.zero_grad();
            for _ in 0..accumulate {
                let batch = next();
                let outputs = model.outputs(&batch, true);
                let losses = checked(loss.losses(&outputs, &batch, classes)?)?;
                step.add(&losses, accumulate);
                let mut total = loss.with_regularisation(&losses.total(), network);
                if accumulate > 1 {
                    total /= i64::try_from(accumulate).unwrap_or(1);
                }
                backward(&total)?;
            }
            optimizer.step();
            step.outputs = self.seen.last_outputs();
        }
        if let Some(optimizer) = &mut self.optimizer {
            optimizer.see_loss(step.loss);
        }
        Ok(step)
    }

    /// One optimizer step on the regularisation alone: the data has no gradient.
    pub(crate) fn regularise(&mut self) -> Result<(), SubjectError> {
        let Some(optimizer) = &mut self.optimizer else { return Err(SubjectError::new("there is nothing to train")) };
        optimizer.zero_grad();
        let trainable = self.program.parameters().iter().filter(|(_, parameter)| parameter.requires_grad());
        // A loss of nothing that reaches every parameter.
        let nothing =
            trainable.map(|(_, parameter)| parameter.sum(parameter.kind()) * 0.0).reduce(|sum, one| sum + one);
        let nothing = nothing.ok_or_else(|| SubjectError::new("no parameter is trainable"))?;
        backward(&self.program.regularised(&nothing))?;
        optimizer.step();
        Ok(())
    }

    /// What was seen of the last step.
    pub(crate) fn seen(&mut self) -> &mut Seen {
        &mut self.seen
    }

    /// The rate of the next step, where the optimizer tells; `None` too for a program that keeps its optimizers to itself.
    pub(crate) fn lr(&self) -> Option<f64> {
        self.optimizer.as_ref()?.lr()
    }

    /// Sets the rate of the steps that follow; nothing where the program keeps its optimizers to itself.
    pub(crate) fn set_lr(&mut self, lr: f64) {
        if let Some(optimizer) = &mut self.optimizer {
            optimizer.set_lr(lr);
        }
    }

    /// The optimizer, for going on later.
    pub(super) fn into_optimizer(self) -> Option<Box<dyn Optimize>> {
        self.optimizer
    }

    /// The program.
    pub(crate) fn program(&self) -> &Program<'a> {
        self.program
    }
}

impl Step {
    /// Adds the losses of one of `parts` micro-batches, whose mean the step reports.
    fn add(&mut self, losses: &Losses, parts: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a handful of micro-batches")]
        let share = 1.0 / parts as f64;
        let (total, values) = losses.numbers();
        self.loss += total * share;
        if self.terms.is_empty() {
            self.terms = losses.names().map(|name| (name.to_owned(), 0.0)).collect();
        }
        for (value, (_, sum)) in values.iter().zip(&mut self.terms) {
            *sum += value * share;
        }
    }
}
