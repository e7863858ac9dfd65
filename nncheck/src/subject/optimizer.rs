//! The optimizers: PyTorch's, over parameters of any source, in groups, with clipping and schedules.

mod gradients;
mod groups;
mod update;

use nncheck_core::spec::Subject;
use nncheck_core::spec::optimizer::{Clip, Group as Spec, OptimizerKind, OptimizerSource};
use nncheck_core::spec::schedule::Course;
use tch::{Kind, Tensor};

use self::gradients::Gradients;
use self::update::Rule;
use super::{Network, Program, SubjectError};
use crate::bindings::Bindings;
use crate::user::Optimize;

/// An optimizer over parameters in groups.
#[derive(Debug)]
pub struct Optimizer {
    groups: Vec<Group>,
    gradients: Gradients,
}

/// Parameters that are trained the same way.
#[derive(Debug)]
struct Group {
    rules: Vec<(Tensor, Rule)>,
    clip: Option<Clip>,
    course: Course,
}

impl Optimizer {
    /// The optimizer of a spec over the network's trainable parameters.
    ///
    /// # Errors
    /// When the spec names none, its function fails, or its groups do not cover the parameters.
    pub(super) fn build(
        subject: &Subject,
        network: &Network,
        bindings: &Bindings,
    ) -> Result<Box<dyn Optimize>, SubjectError> {
        let spec = subject.optimizer.as_ref().ok_or_else(|| {
            SubjectError::new("this property trains the model, but the spec has no [optimizer]")
                .help("add the optimizer that the training program uses: `[optimizer]`, `kind = \"adam\"`, `lr = 1e-3`")
        })?;
        match &spec.source {
            OptimizerSource::Groups(groups) => {
                let parameters = groups::in_reach(network)?;
                Ok(Box::new(Self::over(groups, &parameters, network.frozen())?))
            }
            OptimizerSource::Function(path) => bindings.optimizer_at(&path.value)?(network.store())
                .map_err(|why| SubjectError::new(format!("`{}` made no optimizer: {why}", path.value))),
        }
    }

    /// An optimizer over named parameters, of which those that require no gradient are left alone.
    ///
    /// # Errors
    /// When a parameter is in two groups, or in none and not among the `frozen`, or a glob names none.
    pub fn over(groups: &[Spec], parameters: &[(String, Tensor)], frozen: &[String]) -> Result<Self, SubjectError> {
        let members = groups::members(groups, parameters, frozen)?;
        let gradients = Gradients::of(parameters.iter().map(|(_, parameter)| parameter))?;
        let groups = groups
            .iter()
            .zip(members)
            .map(|(spec, members)| Group {
                rules: members
                    .into_iter()
                    .filter(|&index| parameters[index].1.requires_grad())
                    .map(|index| (parameters[index].1.shallow_clone(), Rule::new(&spec.kind)))
                    .collect(),
                clip: spec.clip,
                course: Course::new(spec.schedule.as_ref(), spec.kind.lr()),
            })
            .collect();
        Ok(Self { groups, gradients })
    }

    /// The rate that each group's next step has.
    pub fn rates(&self) -> impl Iterator<Item = f64> {
        self.groups.iter().map(|group| group.course.lr())
    }
}

/// The trainable parameters, each with the weight decay that the spec declares for it, and whether that is decoupled.
pub(crate) fn decays(program: &Program<'_>) -> Result<Vec<(Tensor, f64, bool)>, SubjectError> {
    let Some(network) = program.network() else { return Ok(Vec::new()) };
    let groups =
        program.spec.optimizer.as_ref().map(nncheck_core::spec::optimizer::Optimizer::groups).unwrap_or_default();
    let parameters = groups::in_reach(network)?;
    let trainable = |index: &usize| parameters[*index].1.requires_grad();
    if groups.is_empty() {
        let all = (0..parameters.len()).filter(trainable);
        return Ok(all.map(|index| (parameters[index].1.shallow_clone(), 0.0, false)).collect());
    }
    let members = groups::members(groups, &parameters, network.frozen())?;
    let each = groups.iter().zip(members).flat_map(|(group, members)| {
        let (decay, decoupled) = (group.kind.weight_decay(), matches!(group.kind, OptimizerKind::Adamw(_)));
        members.into_iter().map(move |index| (index, decay, decoupled))
    });
    let each = each.filter(|(index, ..)| trainable(index));
    Ok(each.map(|(index, decay, apart)| (parameters[index].1.shallow_clone(), decay, apart)).collect())
}

impl Optimize for Optimizer {
    fn zero_grad(&mut self) {
        self.gradients.clear();
    }

    /// Clips the gradients as the spec says, then steps; the schedules move on.
    fn step(&mut self) {
        let _no_grad = tch::no_grad_guard();
        for group in &mut self.groups {
            let mut reached: Vec<(&mut Tensor, &mut Rule, Tensor)> = group
                .rules
                .iter_mut()
                .map(|(parameter, rule)| {
                    let gradient = parameter.grad();
                    (parameter, rule, gradient)
                })
                .filter(|(_, _, gradient)| gradient.defined())
                .collect();
            if let Some(clip) = group.clip {
                clip_gradients(clip, reached.iter_mut().map(|(_, _, gradient)| gradient));
            }
            let (lr, momentum) = (group.course.lr(), group.course.momentum());
            for (parameter, rule, gradient) in reached {
                rule.step(parameter, &gradient, lr, momentum);
            }
            group.course.advance();
        }
    }

    fn set_lr(&mut self, lr: f64) {
        self.groups.iter_mut().for_each(|group| group.course.set_base(lr));
    }

    /// The rate of the next step; of the first group, where there are several.
    fn lr(&self) -> Option<f64> {
        self.rates().next()
    }

    fn see_loss(&mut self, loss: f64) {
        self.groups.iter_mut().for_each(|group| group.course.see(loss));
    }
}

/// In place, as PyTorch does it.
fn clip_gradients<'g>(clip: Clip, gradients: impl Iterator<Item = &'g mut Tensor>) {
    match clip {
        Clip::Value(max) => gradients.for_each(|gradient| {
            let _ = gradient.clamp_(-max, max);
        }),
        Clip::Norm(max) => {
            let gradients: Vec<&mut Tensor> = gradients.collect();
            let norms: Vec<Tensor> = gradients.iter().map(|g| g.norm()).collect();
            if norms.is_empty() {
                return;
            }
            let total = Tensor::stack(&norms, 0).norm().to_kind(Kind::Double).double_value(&[]);
            let factor = (max / (total + 1e-6)).min(1.0);
            for gradient in gradients {
                let _ = gradient.g_mul_scalar_(factor);
            }
        }
    }
}
