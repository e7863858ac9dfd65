//! The user's own Rust in a spec: which keys name it, and of what signature it has to be.

use super::Subject;
use super::data::DataSource;
use super::model::ModelSource;
use super::optimizer::{Optimizer, OptimizerSource};
use crate::diagnostic::Located;

/// What a path of the user's own Rust is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// `model.builder`.
    Builder,
    /// `model.subject`.
    Subject,
    /// `loss.function`.
    Loss,
    /// `optimizer.function`.
    Optimizer,
    /// `train.step`.
    Step,
    /// `data.function`.
    Data,
    /// `function` of `check = "value"`.
    Value,
}

impl Role {
    /// All roles, in the order in which `nncheck::harness!` takes them.
    pub const ALL: [Self; 7] =
        [Self::Builder, Self::Subject, Self::Loss, Self::Optimizer, Self::Step, Self::Data, Self::Value];

    /// The list of `nncheck::harness!` that binds it.
    #[must_use]
    pub fn harness_key(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Subject => "subject",
            Self::Loss => "loss",
            Self::Optimizer => "optimizer",
            Self::Step => "step",
            Self::Data => "data",
            Self::Value => "value",
        }
    }

    /// The key of a spec that names it.
    #[must_use]
    pub fn spec_key(self) -> &'static str {
        match self {
            Self::Builder => "model.builder",
            Self::Subject => "model.subject",
            Self::Loss => "loss.function",
            Self::Optimizer => "optimizer.function",
            Self::Step => "train.step",
            Self::Data => "data.function",
            Self::Value => "function of `check = \"value\"`",
        }
    }

    /// What it cannot do where its signature is another, as it reads after its path.
    #[must_use]
    pub fn cannot(self) -> &'static str {
        match self {
            Self::Builder => "cannot build a model",
            Self::Subject => "is no training program",
            Self::Loss => "is no loss",
            Self::Optimizer => "makes no optimizer",
            Self::Step => "is no training step",
            Self::Data => "reads no data",
            Self::Value => "gives no number",
        }
    }

    /// What it is, with an article.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Builder => "a builder",
            Self::Subject => "a subject",
            Self::Loss => "a loss",
            Self::Optimizer => "a function that makes an optimizer",
            Self::Step => "a training step",
            Self::Data => "a function that reads data",
            Self::Value => "a number of your own",
        }
    }

    /// The signatures that are accepted, one a line.
    #[must_use]
    pub fn signatures(self) -> &'static [&'static str] {
        match self {
            Self::Builder => &["fn(&nn::Path) -> M", "fn(&nn::Path, &nncheck::Hyper) -> M"],
            Self::Subject => &["a type that implements nncheck::Subject"],
            Self::Loss => &[
                "fn(&Tensor, &Tensor) -> Tensor",
                "fn(&Tensor, &Tensor) -> nncheck::Losses",
                "fn(&nncheck::Outputs, &nncheck::Batch) -> nncheck::Losses",
            ],
            Self::Optimizer => &["fn(&nn::VarStore) -> O", "fn(&nn::VarStore) -> Result<O, E>"],
            Self::Step => &[
                "fn(&dyn nncheck::Model, &mut dyn nncheck::Optimize, &nncheck::Batch) -> Tensor",
                "fn(&dyn nncheck::Model, &mut dyn nncheck::Optimize, &nncheck::Batch) -> nncheck::Losses",
            ],
            Self::Data => &["fn() -> nncheck::Dataset", "fn() -> Result<nncheck::Dataset, E>"],
            Self::Value => &["fn(&mut nncheck::Program) -> f64"],
        }
    }

    /// What the letters in the signatures stand for.
    #[must_use]
    pub fn legend(self) -> &'static str {
        match self {
            Self::Builder => "M is a tch::nn::ModuleT or implements nncheck::Model",
            Self::Subject => "for several networks, optimizers or steps: a GAN, for example",
            Self::Loss => "output and target in, a scalar out; Losses are named terms",
            Self::Optimizer => "O is a tch::nn::Optimizer or implements nncheck::Optimize",
            Self::Step => "clears, runs backward, steps; returns the loss before the update",
            Self::Data => "Dataset::new(x, y), or From<tch::vision::dataset::Dataset>",
            Self::Value => "judged against the property's band",
        }
    }

    /// The whole in one sentence, for errors.
    #[must_use]
    pub fn sentence(self) -> String {
        if self.is_type() {
            return format!("{} is {}; {}", self.noun(), self.signatures().join(" or "), self.legend());
        }
        let all: Vec<String> = self.signatures().iter().map(|s| format!("`{s}`")).collect();
        format!("{} is {}; {}", self.noun(), all.join(" or "), self.legend())
    }

    /// Whether it is a type, not a function.
    #[must_use]
    pub fn is_type(self) -> bool {
        self == Self::Subject
    }
}

impl Subject {
    /// The paths of the user's own Rust that this subject names.
    #[must_use]
    pub fn paths(&self) -> Vec<(Role, &Located<String>)> {
        let mut paths = Vec::new();
        match &self.model.source {
            ModelSource::Builder { path, .. } => paths.push((Role::Builder, path)),
            ModelSource::Subject { path, .. } => paths.push((Role::Subject, path)),
            ModelSource::Layers(_) | ModelSource::TorchScript(_) => {}
        }
        paths.extend(self.loss.terms.iter().filter_map(|term| Some((Role::Loss, term.function.as_ref()?))));
        if let Some(Optimizer { source: OptimizerSource::Function(path), .. }) = &self.optimizer {
            paths.push((Role::Optimizer, path));
        }
        if let DataSource::Function(path) = &self.data.source {
            paths.push((Role::Data, path));
        }
        paths.extend(self.train.step.iter().map(|path| (Role::Step, path)));
        paths
    }
}
