//! What a model is for.

use nncheck_core::spec::loss::Task;

/// What the model has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// One of so many classes.
    Classes(usize),
    /// Yes or no.
    Binary,
    /// So many numbers.
    Numbers(usize),
    /// The next of so many tokens.
    NextToken(usize),
}

impl Aim {
    /// The built-in spec for it.
    #[must_use]
    pub fn builtin(self) -> &'static str {
        match self {
            Self::NextToken(_) => "language_model",
            Self::Classes(_) => nncheck_core::suite::builtin::name_of(Task::Multiclass),
            Self::Binary => nncheck_core::suite::builtin::name_of(Task::Binary),
            Self::Numbers(_) => nncheck_core::suite::builtin::name_of(Task::Regression),
        }
    }

    /// How many outputs a model needs for it.
    #[must_use]
    pub fn outputs(self) -> usize {
        match self {
            Self::Classes(k) | Self::Numbers(k) | Self::NextToken(k) => k,
            Self::Binary => 1,
        }
    }
}
