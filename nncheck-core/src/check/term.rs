//! `term`: a property of one term of the loss, before weighting.

use super::Context;
use crate::diagnostic::suggest;
use crate::measurement::{Initial, Trace};
use crate::spec::loss::{LossKind, Task, Term};

impl Context<'_> {
    /// The loss at initialisation that the property is about: its term's, else the whole.
    ///
    /// # Errors
    /// When the loss has no such term.
    pub(super) fn initial_loss(&self, seen: &Initial) -> Result<f64, String> {
        let Some(name) = self.term() else { return Ok(seen.loss) };
        let found = seen.terms.iter().find(|(term, _)| term == name).map(|(_, value)| *value);
        found.ok_or_else(|| no_term(name, seen.terms.iter().map(|(term, _)| term.as_str())))
    }

    /// The same of all-zero outputs; `None` where nobody can tell.
    pub(super) fn loss_of_zeros(&self, seen: &Initial) -> Option<f64> {
        match self.term() {
            None => seen.loss_of_zeros,
            Some(name) => seen.terms_of_zeros.iter().find(|(term, _)| term == name).map(|(_, value)| *value),
        }
    }

    /// The same of outputs that know how the targets are distributed, and nothing else.
    pub(super) fn loss_of_prior(&self, seen: &Initial) -> Option<f64> {
        match self.term() {
            None => seen.loss_of_prior,
            Some(name) => seen.terms_of_prior.iter().find(|(term, _)| term == name).map(|(_, value)| *value),
        }
    }

    /// The loss that the property is about, step by step.
    ///
    /// # Errors
    /// When the loss has no such term.
    pub(super) fn losses(&self, trace: &Trace) -> Result<Vec<f64>, String> {
        let Some(name) = self.term() else { return Ok(trace.steps.iter().map(|step| step.loss).collect()) };
        let Some(at) = trace.terms.iter().position(|term| term == name) else {
            return Err(no_term(name, trace.terms.iter().map(String::as_str)));
        };
        Ok(trace.steps.iter().map(|step| step.terms.get(at).copied().unwrap_or(f64::NAN)).collect())
    }

    /// Which of PyTorch's losses it is, where it is one of them.
    pub(super) fn loss_kind(&self) -> Option<LossKind> {
        match self.term() {
            None => self.subject.loss.kind(),
            Some(_) => self.declared_term()?.kind,
        }
    }

    /// What kind of target it is for. Of a term that only the user's own code knows nothing is expected.
    pub(super) fn task(&self) -> Task {
        match self.term() {
            None => self.subject.task(),
            Some(_) => self.loss_kind().map_or(Task::Regression, LossKind::task),
        }
    }

    /// Whether it is of the first output and the first target, which the facts of the data are of.
    pub(super) fn is_of_the_first_target(&self) -> bool {
        self.term().is_none() || self.declared_term().is_some_and(|term| self.subject.loss.terms.first() == Some(term))
    }

    fn term(&self) -> Option<&str> {
        self.settings.term.as_ref().map(|term| term.value.as_str())
    }

    fn declared_term(&self) -> Option<&Term> {
        self.subject.loss.term(self.term()?)
    }
}

fn no_term<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    format!("the loss has no term `{name}`; there are {}", suggest::list(&known))
}
