//! The loss as a function of the parameters: the same parameters give the same loss.

use std::cell::Cell;

use tch::Tensor;

use crate::subject::{Program, SubjectError};
use crate::tensors;
use crate::user::Batch;

/// The loss of a program on one batch, in train mode.
pub(super) struct Function<'p, 'a> {
    program: &'p Program<'a>,
    batch: Batch,
    seed: i64,
    /// All that is no parameter in training, with the values that it has before each evaluation.
    buffers: Vec<(Tensor, Tensor)>,
    term: Option<(usize, String)>,
    evaluations: Cell<usize>,
}

impl<'p, 'a> Function<'p, 'a> {
    pub(super) fn new(program: &'p Program<'a>, batch: Batch, seed: i64) -> Self {
        let trained: Vec<_> =
            program.parameters().iter().filter(|(_, p)| p.requires_grad()).map(|(_, p)| p.data_ptr()).collect();
        let buffers = program
            .variables()
            .into_iter()
            .filter(|(_, tensor)| !trained.contains(&tensor.data_ptr()))
            .map(|(_, tensor)| {
                let kept = tensor.detach().copy();
                (tensor, kept)
            })
            .collect();
        Self { program, batch, seed, buffers, term: None, evaluations: Cell::new(0) }
    }

    /// The losses that are differentiated apart: those of a program of the user's own, in which a loss need not reach every
    /// network and is cut from some on purpose.
    pub(super) fn terms(&self) -> Result<Vec<Option<(usize, String)>>, SubjectError> {
        if !self.is_of_own_program() {
            return Ok(vec![None]);
        }
        let losses = tch::no_grad(|| self.program.losses(&self.batch, true))?;
        let names = losses.names().enumerate().map(|(at, name)| Some((at, name.to_owned())));
        Ok(if losses.terms().len() == 1 { vec![None] } else { names.collect() })
    }

    /// Chooses one of [`Function::terms`].
    pub(super) fn choose(&mut self, term: Option<(usize, String)>) {
        self.term = term;
    }

    /// The name of the chosen term.
    pub(super) fn term_name(&self) -> Option<String> {
        self.term.as_ref().map(|(_, name)| name.clone())
    }

    /// Whether the program is a `nncheck::Subject`.
    pub(super) fn is_of_own_program(&self) -> bool {
        self.program.network().is_none()
    }

    /// How often it was evaluated so far.
    pub(super) fn evaluations(&self) -> usize {
        self.evaluations.get()
    }

    /// The loss of the parameters as they are.
    pub(super) fn value(&self) -> Result<f64, SubjectError> {
        tch::no_grad(|| Ok(self.loss()?.double_value(&[])))
    }

    /// Autograd's gradients, dense; `None` where it has none.
    pub(super) fn gradients(&self, parameters: &[(String, Tensor)]) -> Result<Vec<Option<Tensor>>, SubjectError> {
        let clear = || parameters.iter().for_each(|(_, parameter)| parameter.shallow_clone().zero_grad());
        clear();
        let loss = self.loss()?;
        if !loss.requires_grad() {
            return Ok(parameters.iter().map(|_| None).collect());
        }
        loss.backward();
        let taken = parameters
            .iter()
            .map(|(_, parameter)| tensors::gradient(parameter))
            .map(|gradient| gradient.map(|g| if g.is_sparse() { g.to_dense(None, false) } else { g.copy() }))
            .collect();
        clear();
        Ok(taken)
    }

    fn loss(&self) -> Result<Tensor, SubjectError> {
        self.evaluations.set(self.evaluations.get() + 1);
        tch::no_grad(|| {
            for (buffer, kept) in &self.buffers {
                buffer.shallow_clone().f_copy_(kept)?;
            }
            Ok::<_, SubjectError>(())
        })?;
        tch::manual_seed(self.seed);
        let losses = self.program.losses(&self.batch, true)?;
        Ok(match &self.term {
            Some((at, name)) => match losses.terms().get(*at) {
                Some(term) => term.value.shallow_clone(),
                None => return Err(SubjectError::new(format!("the loss `{name}` is not there every time"))),
            },
            None => self.program.regularised(&losses.total()),
        })
    }
}
