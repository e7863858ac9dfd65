//! `[loss]`, or several `[[loss]]`: what training lowers. Names, options and defaults are PyTorch's.

mod read;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnostic::Located;
pub(crate) use read::schema;

/// The loss of the training program: the weighted sum of its terms, and `l2`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// At least one, but for a program of the user's own.
    pub terms: Vec<Term>,
    /// Weight of half the squared L2 norm of all trainable parameters, added to the sum.
    pub l2: f64,
}

/// One term of the loss: an output of the model held against a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// The name that the spec gives it.
    pub name: Option<Located<String>>,
    /// One of PyTorch's losses; beside `function` the reference that it must agree with. `None`: `function` alone.
    pub kind: Option<LossKind>,
    /// A Rust function of the user's library, by path.
    pub function: Option<Located<String>>,
    /// The output of the model; `None`: the only one, or the first.
    pub output: Option<Located<String>>,
    /// The target; `None`: the only one, or the first.
    pub target: Option<Located<String>>,
    /// Factor in the sum.
    pub weight: f64,
    /// A factor for each class.
    pub class_weights: Option<Located<Vec<f64>>>,
    /// Which axis of the output holds the classes, where the spec says.
    pub class_axis: Option<ClassAxis>,
    /// Positions with this class id count for nothing.
    pub ignore_index: i64,
    /// The share of each target that is spread evenly over all classes.
    pub label_smoothing: f64,
    /// Mean or sum.
    pub reduction: Reduction,
    /// Where `huber` turns from quadratic to linear.
    pub delta: f64,
}

/// The losses that nncheck knows; names as in PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// Softmax and negative log-likelihood on logits `[N, C, ...]`, class ids `[N, ...]`; of language models also on
    /// logits `[N, T, V]` against ids `[N, T]`.
    CrossEntropy,
    /// Sigmoid and binary cross-entropy on logits.
    BceWithLogits,
    /// Binary cross-entropy on probabilities.
    Bce,
    /// Negative log-likelihood on log-probabilities, in the shapes of `cross_entropy`.
    Nll,
    /// Mean squared error.
    Mse,
    /// Mean absolute error.
    L1,
    /// Huber loss: quadratic up to `delta`, linear from there.
    Huber,
}

/// Which axis of an output holds one number a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClassAxis {
    /// Of `[N, C, ...]`, as PyTorch's losses have it: 1.
    Second,
    /// Of `[N, T, V]`, as language models put it out: -1.
    Last,
}

/// How the losses of single values become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Their mean; under `class_weights` the weighted one.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

/// What kind of target a loss is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Class ids, one output a class.
    Multiclass,
    /// 0 or 1, one output.
    Binary,
    /// Real numbers.
    Regression,
}

impl Loss {
    /// A loss of one term with all options at their defaults.
    #[must_use]
    pub fn of(kind: LossKind) -> Self {
        Self { terms: vec![Term::of(Some(kind))], l2: 0.0 }
    }

    /// No loss of the spec's: a program of the user's own has its own.
    #[must_use]
    pub fn none() -> Self {
        Self { terms: Vec::new(), l2: 0.0 }
    }

    /// The loss itself, where it is one of PyTorch's alone; `None` for a sum and for a function of the user's.
    #[must_use]
    pub fn kind(&self) -> Option<LossKind> {
        match &self.terms[..] {
            [only] => only.kind,
            _ => None,
        }
    }

    /// A term by the name that its measurements have.
    #[must_use]
    pub fn term(&self, name: &str) -> Option<&Term> {
        self.terms.iter().find(|term| self.name_of(term) == name)
    }

    /// The names of the terms, where nobody has to run the user's own code to know them.
    #[must_use]
    pub fn term_names(&self) -> Option<Vec<&str>> {
        let known = !self.terms.is_empty() && self.terms.iter().all(|term| term.function.is_none());
        known.then(|| self.terms.iter().map(|term| self.name_of(term)).collect())
    }

    /// The only term is called `loss`, unless the spec names it.
    fn name_of<'t>(&self, term: &'t Term) -> &'t str {
        if self.terms.len() == 1 && term.name.is_none() { "loss" } else { term.title() }
    }

    /// The kind of target that the first term is for; `None` for a function of the user's alone.
    #[must_use]
    pub fn task(&self) -> Option<Task> {
        self.terms.first()?.kind.map(LossKind::task)
    }
}

impl Term {
    /// A term with all options at their defaults.
    #[must_use]
    pub fn of(kind: Option<LossKind>) -> Self {
        Self {
            name: None,
            kind,
            function: None,
            output: None,
            target: None,
            weight: 1.0,
            class_weights: None,
            class_axis: None,
            ignore_index: IGNORE_INDEX,
            label_smoothing: 0.0,
            reduction: Reduction::Mean,
            delta: 1.0,
        }
    }

    /// What the term is called: its name, else its kind, else the last segment of its function's path.
    #[must_use]
    pub fn title(&self) -> &str {
        match (&self.name, self.kind, &self.function) {
            (Some(name), ..) => &name.value,
            (None, Some(kind), _) => kind.name(),
            (None, None, Some(path)) => path.value.rsplit("::").next().unwrap_or(&path.value),
            (None, None, None) => "loss",
        }
    }
}

impl LossKind {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::CrossEntropy, Self::BceWithLogits, Self::Bce, Self::Nll, Self::Mse, Self::L1, Self::Huber];

    /// The kind of target that this loss is for.
    #[must_use]
    pub fn task(self) -> Task {
        match self {
            Self::CrossEntropy | Self::Nll => Task::Multiclass,
            Self::BceWithLogits | Self::Bce => Task::Binary,
            Self::Mse | Self::L1 | Self::Huber => Task::Regression,
        }
    }

    /// The name as written in a spec.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CrossEntropy => "cross_entropy",
            Self::BceWithLogits => "bce_with_logits",
            Self::Bce => "bce",
            Self::Nll => "nll",
            Self::Mse => "mse",
            Self::L1 => "l1",
            Self::Huber => "huber",
        }
    }
}

/// PyTorch's default: no class id.
const IGNORE_INDEX: i64 = -100;
