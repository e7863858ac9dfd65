//! One term of a loss, by itself.

use nncheck_core::spec::loss;
use tch::Tensor;

use super::LossFunction;
use super::term::Term;
use crate::subject::SubjectError;
use crate::subject::program::checked;
use crate::user::{Batch, Losses, Outputs};

/// One term of a loss, by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneTerm<'l> {
    term: &'l Term,
    alone: bool,
}

impl LossFunction {
    /// The terms, each by itself.
    pub(crate) fn each(&self) -> impl Iterator<Item = OneTerm<'_>> {
        self.terms.iter().map(|term| OneTerm { term, alone: self.terms.len() == 1 })
    }
}

impl<'l> OneTerm<'l> {
    /// What the spec says of it.
    pub(crate) fn spec(self) -> &'l loss::Term {
        self.term.spec()
    }

    /// Its name, where there are others.
    pub(crate) fn name(self) -> Option<&'l str> {
        (!self.alone).then(|| self.term.title())
    }

    /// The output that it is of.
    pub(crate) fn output(self, outputs: &Outputs) -> Result<&Tensor, SubjectError> {
        self.term.output(outputs)
    }

    /// The target that it is of.
    pub(crate) fn target(self, batch: &Batch) -> Result<&Tensor, SubjectError> {
        self.term.target(batch)
    }

    /// The same outputs with the one that the term is of replaced.
    pub(crate) fn with_output(self, outputs: &Outputs, output: Tensor) -> Outputs {
        let name = self.term.output_name().or_else(|| outputs.named().names().next()).unwrap_or("output");
        outputs.clone().with(name, output)
    }

    /// The same batch with the target that the term is of replaced.
    pub(crate) fn with_target(self, batch: &Batch, target: Tensor) -> Batch {
        let named = self.spec().target.as_ref().map(|name| name.value.as_str());
        let name = named.or_else(|| batch.targets().names().next()).unwrap_or("y").to_owned();
        let mut targets = batch.targets().map(Tensor::shallow_clone);
        targets.insert(name, target);
        Batch::of(batch.inputs().map(Tensor::shallow_clone), targets)
    }

    /// Its value before weighting.
    pub(crate) fn value(self, outputs: &Outputs, batch: &Batch, classes: Option<usize>) -> Result<f64, SubjectError> {
        let losses = checked(self.term.add(Losses::new(), outputs, batch, classes, self.alone)?)?;
        Ok(losses.total().double_value(&[]) / self.spec().weight)
    }
}
