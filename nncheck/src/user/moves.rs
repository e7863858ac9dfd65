//! How far training steps move parameters, and by which gradients.

use tch::Tensor;

use crate::memory::{self, Copy, State};
use crate::tensors::{gradient, norm};

/// What one training step did to one parameter.
#[derive(Clone, Debug)]
pub(crate) struct Update {
    /// L2 norm of the gradient that the optimizer was given; `None` where there was none.
    pub(crate) gradient_norm: Option<f64>,
    /// L2 norm of the change.
    pub(crate) norm: f64,
    /// L2 norm before.
    pub(crate) length: f64,
}

/// The parameters of a program, and how they were before the step.
///
/// Everything is read where it lies in memory, each entry once a step: a parameter's next to the copy of how it was, which
/// then becomes a copy of how it is, for the next step.
#[derive(Debug, Default)]
pub(super) struct Moves {
    parameters: Vec<(String, Tensor)>,
    before: Vec<Before>,
    /// At the step that moves the parameter; `None` before any.
    gradients: Vec<Option<Option<f64>>>,
    /// Since the optimizer's step began: each parameter's gradient and version.
    stepping: Vec<(Option<f64>, Option<i64>)>,
}

/// One parameter as it was before the step.
#[derive(Debug)]
struct Before {
    kept: Kept,
    /// L2 norm.
    length: f64,
}

#[derive(Debug)]
enum Kept {
    /// The entries, and when they were copied.
    Entries(Copy, Option<State>),
    /// What does not lie in memory as plain numbers.
    Tensor(Tensor),
}

impl Before {
    fn of(parameter: &Tensor) -> Self {
        let at = memory::of(parameter);
        match at.entries() {
            Some(entries) => {
                Self { length: entries.squares().sqrt(), kept: Kept::Entries(Copy::of(entries), at.state()) }
            }
            None => Self { length: norm(parameter), kept: Kept::Tensor(parameter.detach().copy()) },
        }
    }

    /// Whether nothing was written to the parameter since.
    fn is_still(&self, parameter: &Tensor) -> bool {
        match &self.kept {
            Kept::Entries(_, state) => state.is_some() && memory::of(parameter).state() == *state,
            Kept::Tensor(_) => false,
        }
    }

    /// L2 norms of the change and of what was before; from now on this is how the parameter is.
    fn follow(&mut self, parameter: &Tensor) -> (f64, f64) {
        let before = self.length;
        if let Kept::Entries(copy, state) = &mut self.kept {
            let at = memory::of(parameter);
            if let Some(movement) = at.entries().and_then(|entries| copy.follow(entries)) {
                (*state, self.length) = (at.state(), movement.size.sqrt());
                return (movement.moved.sqrt(), before);
            }
        }
        let was = match &self.kept {
            Kept::Entries(copy, _) => copy.tensor(&parameter.size()),
            Kept::Tensor(tensor) => tensor.shallow_clone(),
        };
        // A parameter of another shape than before is not one that moved; libtorch refuses it, and it counts as far.
        let moved = parameter.detach().to_kind(was.kind()).f_sub(&was.to_device(parameter.device()));
        let moved = moved.map_or(f64::NAN, |difference| norm(&difference));
        *self = Self::of(parameter);
        (moved, before)
    }
}

impl Moves {
    pub(super) fn of(parameters: Vec<(String, Tensor)>) -> Self {
        Self { parameters, ..Self::default() }
    }

    pub(super) fn parameters(&self) -> &[(String, Tensor)] {
        &self.parameters
    }

    /// A training step begins.
    pub(super) fn begin(&mut self) {
        self.gradients.clear();
        self.gradients.resize(self.parameters.len(), None);
        if self.before.is_empty() {
            self.before.extend(self.parameters.iter().map(|(_, parameter)| Before::of(parameter)));
            return;
        }
        for (before, (_, parameter)) in self.before.iter_mut().zip(&self.parameters) {
            if !before.is_still(parameter) {
                *before = Before::of(parameter);
            }
        }
    }

    /// The optimizer steps.
    pub(super) fn before_step(&mut self) {
        let seen = self.parameters.iter().map(|(_, parameter)| (gradient_norm(parameter), version(parameter)));
        self.stepping.clear();
        self.stepping.extend(seen);
    }

    /// It has stepped.
    pub(super) fn after_step(&mut self) {
        for (index, ((_, parameter), (norm, before))) in self.parameters.iter().zip(&self.stepping).enumerate() {
            let moved = version(parameter).is_none_or(|now| *before != Some(now));
            // Another network's optimizer finds gradients that are not meant for it.
            if moved || self.gradients[index].is_none() {
                self.gradients[index] = Some(*norm);
            }
        }
    }

    /// The training step is over: what it did, parameter by parameter.
    pub(super) fn end(&mut self) -> Vec<Update> {
        let moved = self.parameters.iter().zip(&mut self.before).zip(&self.gradients);
        moved
            .map(|(((_, parameter), before), gradient)| {
                let (norm, length) = before.follow(parameter);
                Update { gradient_norm: gradient.unwrap_or_else(|| gradient_norm(parameter)), norm, length }
            })
            .collect()
    }
}

/// How often a tensor was changed in place, where libtorch counts.
fn version(tensor: &Tensor) -> Option<i64> {
    memory::of(tensor).version()
}

/// L2 norm of a parameter's gradient; `None` where it has none.
fn gradient_norm(parameter: &Tensor) -> Option<f64> {
    match memory::of_gradient(parameter)?.entries() {
        Some(entries) => Some(entries.squares().sqrt()),
        None => gradient(parameter).as_ref().map(norm),
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    fn parameter(kind: Kind) -> Tensor {
        Tensor::from_slice(&[3.0, 4.0]).to_kind(kind).set_requires_grad(true)
    }

    fn add(tensor: &mut Tensor, number: f64) {
        tch::no_grad(|| {
            let _ = tensor.g_add_scalar_(number);
        });
    }

    fn watched(moves: &mut Moves, step: impl FnOnce()) -> (f64, f64) {
        moves.begin();
        step();
        let update = moves.end().remove(0);
        (update.norm, update.length)
    }

    #[test]
    fn each_step_is_measured_from_the_one_before() {
        for kind in [Kind::Float, Kind::Double, Kind::Half] {
            let mut it = parameter(kind);
            let mut moves = Moves::of(vec![("it".to_owned(), it.shallow_clone())]);
            assert_eq!(watched(&mut moves, || add(&mut it, 1.0)), (2f64.sqrt(), 5.0), "{kind:?}");
            assert_eq!(watched(&mut moves, || ()), (0.0, 41f64.sqrt()), "{kind:?}");
            add(&mut it, -1.0);
            assert_eq!(watched(&mut moves, || add(&mut it, 0.0)), (0.0, 5.0), "{kind:?}: between steps nobody watches");
        }
    }

    #[test]
    fn a_parameter_that_moved_to_another_kind_is_still_measured() {
        let mut it = parameter(Kind::Float);
        let mut moves = Moves::of(vec![("it".to_owned(), it.shallow_clone())]);
        let double = Tensor::from_slice(&[3.0, 5.0]);
        assert_eq!(watched(&mut moves, || it.set_data(&double)), (1.0, 5.0));
        assert_eq!(watched(&mut moves, || add(&mut it, 1.0)), (2f64.sqrt(), 34f64.sqrt()));
    }

    #[test]
    fn a_parameter_of_another_shape_is_no_number() {
        let mut it = parameter(Kind::Float);
        let mut moves = Moves::of(vec![("it".to_owned(), it.shallow_clone())]);
        assert!(watched(&mut moves, || it.set_data(&Tensor::zeros([3], (Kind::Float, Device::Cpu)))).0.is_nan());
    }

    #[test]
    fn gradients_are_those_that_the_optimizer_was_given() {
        let mut it = parameter(Kind::Double);
        let mut moves = Moves::of(vec![("it".to_owned(), it.shallow_clone())]);
        moves.begin();
        (&it * Tensor::from_slice(&[3.0, 4.0])).sum(Kind::Double).backward();
        moves.before_step();
        add(&mut it, 1.0);
        moves.after_step();
        it.zero_grad();
        assert_eq!(moves.end()[0].gradient_norm, Some(5.0));
    }
}
