//! `[optimizer]`: how training lowers the loss. Names and defaults are PyTorch's.

mod clip;
mod read;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schedule::{Schedule, ScheduleKind};
use super::values::bounds;
use crate::diagnostic::Located;
#[cfg(test)]
pub(crate) use read::keys_of_some_kinds;
pub(crate) use read::schema;

/// The optimizer of the training program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optimizer {
    /// Where it comes from.
    pub source: OptimizerSource,
}

/// Described in the spec, or made by the user's own code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OptimizerSource {
    /// Parameter groups, at least one.
    Groups(Vec<Group>),
    /// A Rust function of the user's library, `fn(&nn::VarStore) -> impl Optimize`, by path.
    Function(Located<String>),
}

/// Parameters that are trained the same way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The name that the spec gives it.
    pub name: Option<Located<String>>,
    /// Globs of the parameters; `None`: all that no other group names.
    pub params: Option<Located<Vec<String>>>,
    /// Which optimizer, with its own settings.
    pub kind: OptimizerKind,
    /// Clipping of the gradients of this group before each step.
    pub clip: Option<Clip>,
    /// How the learning rate changes from step to step.
    pub schedule: Option<Schedule>,
}

/// The optimizers that nncheck knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OptimizerKind {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adam (Kingma and Ba 2015).
    Adam(Adam),
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    Adamw(Adamw),
    /// `RMSprop` (Hinton 2012).
    Rmsprop(Rmsprop),
}

/// Settings of `kind = "sgd"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sgd {
    /// Learning rate.
    #[serde(deserialize_with = "bounds::positive")]
    pub lr: f64,
    /// Momentum.
    #[serde(default, deserialize_with = "bounds::below_one")]
    pub momentum: f64,
    /// Damps the gradient's part in the momentum.
    #[serde(default, deserialize_with = "bounds::not_negative")]
    pub dampening: f64,
    /// Nesterov momentum; wants a momentum above zero and no dampening.
    #[serde(default)]
    pub nesterov: bool,
    /// L2 penalty added to the gradient.
    #[serde(default, deserialize_with = "bounds::not_negative")]
    pub weight_decay: f64,
    /// Climbs instead of descending.
    #[serde(default)]
    pub maximize: bool,
}

/// Settings of `kind = "adam"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Adam {
    /// Learning rate.
    #[serde(deserialize_with = "bounds::positive")]
    pub lr: f64,
    /// Decay rates of the first and second moment.
    #[serde(default = "betas", deserialize_with = "bounds::betas")]
    pub betas: [f64; 2],
    /// Added to the denominator.
    #[serde(default = "eps", deserialize_with = "bounds::not_negative")]
    pub eps: f64,
    /// L2 penalty added to the gradient.
    #[serde(default, deserialize_with = "bounds::not_negative")]
    pub weight_decay: f64,
    /// Divides by the largest second moment so far (Reddi et al. 2018).
    #[serde(default)]
    pub amsgrad: bool,
    /// Climbs instead of descending.
    #[serde(default)]
    pub maximize: bool,
}

/// Settings of `kind = "adamw"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Adamw {
    /// Learning rate.
    #[serde(deserialize_with = "bounds::positive")]
    pub lr: f64,
    /// Decay rates of the first and second moment.
    #[serde(default = "betas", deserialize_with = "bounds::betas")]
    pub betas: [f64; 2],
    /// Added to the denominator.
    #[serde(default = "eps", deserialize_with = "bounds::not_negative")]
    pub eps: f64,
    /// Decoupled weight decay.
    #[serde(default = "adamw_decay", deserialize_with = "bounds::not_negative")]
    pub weight_decay: f64,
    /// Divides by the largest second moment so far (Reddi et al. 2018).
    #[serde(default)]
    pub amsgrad: bool,
    /// Climbs instead of descending.
    #[serde(default)]
    pub maximize: bool,
}

/// Settings of `kind = "rmsprop"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rmsprop {
    /// Learning rate.
    #[serde(deserialize_with = "bounds::positive")]
    pub lr: f64,
    /// Smoothing constant.
    #[serde(default = "alpha", deserialize_with = "bounds::below_one")]
    pub alpha: f64,
    /// Added to the denominator.
    #[serde(default = "eps", deserialize_with = "bounds::not_negative")]
    pub eps: f64,
    /// Momentum.
    #[serde(default, deserialize_with = "bounds::below_one")]
    pub momentum: f64,
    /// L2 penalty added to the gradient.
    #[serde(default, deserialize_with = "bounds::not_negative")]
    pub weight_decay: f64,
    /// Divides by the gradient's estimated standard deviation instead of its root mean square.
    #[serde(default)]
    pub centered: bool,
    /// Climbs instead of descending.
    #[serde(default)]
    pub maximize: bool,
}

/// Gradient clipping.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clip {
    /// Scales all gradients so that their joint L2 norm is at most this.
    Norm(f64),
    /// Cuts each entry to `[-value, value]`.
    Value(f64),
}

impl Optimizer {
    /// One optimizer for all parameters, without clipping and schedule.
    #[must_use]
    pub fn of(kind: OptimizerKind) -> Self {
        let group = Group { name: None, params: None, kind, clip: None, schedule: None };
        Self { source: OptimizerSource::Groups(vec![group]) }
    }

    /// The groups; none where the user's own code makes the optimizer.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        match &self.source {
            OptimizerSource::Groups(groups) => groups,
            OptimizerSource::Function(_) => &[],
        }
    }

    /// Sets the learning rate of all groups; `false` where the user's own code makes the optimizer.
    pub(crate) fn set_lr(&mut self, lr: f64) -> bool {
        let OptimizerSource::Groups(groups) = &mut self.source else { return false };
        for group in groups {
            group.kind.set_lr(lr);
            // The highest rate of a cycle is the rate, unless it says otherwise.
            if let Some(Schedule { kind: ScheduleKind::OneCycle(cycle), .. }) = &mut group.schedule {
                cycle.max_lr = None;
            }
        }
        true
    }

    /// Sets the weight decay of all groups; `false` where the user's own code makes the optimizer.
    pub(crate) fn set_weight_decay(&mut self, weight_decay: f64) -> bool {
        let OptimizerSource::Groups(groups) = &mut self.source else { return false };
        groups.iter_mut().for_each(|group| group.kind.set_weight_decay(weight_decay));
        true
    }

    /// The full learning rate that the spec states: of the first group, where there are several. `None`: the user's own
    /// code knows it.
    #[must_use]
    pub fn lr(&self) -> Option<f64> {
        self.groups().first().map(Group::full_rate)
    }

    /// The name as written in a spec: the kind of the first group, or the path of the user's function.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.source {
            OptimizerSource::Groups(groups) => groups.first().map_or("none", |group| group.kind.name()),
            OptimizerSource::Function(path) => &path.value,
        }
    }
}

impl Group {
    /// What the group is called: its name, else its kind.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_ref().map_or(self.kind.name(), |name| &name.value)
    }

    /// The highest rate that its steps have: its own, or that of a cycle.
    #[must_use]
    pub fn full_rate(&self) -> f64 {
        match self.schedule.as_ref().map(|schedule| &schedule.kind) {
            Some(ScheduleKind::OneCycle(cycle)) => cycle.max_lr.unwrap_or(self.kind.lr()),
            _ => self.kind.lr(),
        }
    }
}

impl OptimizerKind {
    /// The learning rate that the spec states.
    #[must_use]
    pub fn lr(&self) -> f64 {
        match self {
            Self::Sgd(o) => o.lr,
            Self::Adam(o) => o.lr,
            Self::Adamw(o) => o.lr,
            Self::Rmsprop(o) => o.lr,
        }
    }

    fn set_lr(&mut self, lr: f64) {
        match self {
            Self::Sgd(o) => o.lr = lr,
            Self::Adam(o) => o.lr = lr,
            Self::Adamw(o) => o.lr = lr,
            Self::Rmsprop(o) => o.lr = lr,
        }
    }

    /// The weight decay that the spec states, coupled or not.
    #[must_use]
    pub fn weight_decay(&self) -> f64 {
        match self {
            Self::Sgd(o) => o.weight_decay,
            Self::Adam(o) => o.weight_decay,
            Self::Adamw(o) => o.weight_decay,
            Self::Rmsprop(o) => o.weight_decay,
        }
    }

    fn set_weight_decay(&mut self, weight_decay: f64) {
        match self {
            Self::Sgd(o) => o.weight_decay = weight_decay,
            Self::Adam(o) => o.weight_decay = weight_decay,
            Self::Adamw(o) => o.weight_decay = weight_decay,
            Self::Rmsprop(o) => o.weight_decay = weight_decay,
        }
    }

    /// The name as written in a spec.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sgd(_) => "sgd",
            Self::Adam(_) => "adam",
            Self::Adamw(_) => "adamw",
            Self::Rmsprop(_) => "rmsprop",
        }
    }
}

fn betas() -> [f64; 2] {
    [0.9, 0.999]
}

fn eps() -> f64 {
    1e-8
}

fn adamw_decay() -> f64 {
    1e-2
}

fn alpha() -> f64 {
    0.99
}
