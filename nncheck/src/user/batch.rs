//! Rows of inputs with their targets.

use tch::Tensor;

use super::Named;
use crate::subject::SubjectError;

/// Rows of inputs with their targets, by name; the batch axis comes first. Data of one input and one target calls them
/// `x` and `y`.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    inputs: Named,
    targets: Named,
}

impl Batch {
    /// One input `x`, `[n, ...]`, and one target `y`: class ids `[n]` (int64), or numbers `[n, t]`.
    #[must_use]
    pub fn new(x: Tensor, y: Tensor) -> Self {
        Self { inputs: [("x", x)].into_iter().collect(), targets: [("y", y)].into_iter().collect() }
    }

    /// Several inputs and targets.
    #[must_use]
    pub fn of(inputs: Named, targets: Named) -> Self {
        Self { inputs, targets }
    }

    /// The first input: the only one of most models.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn x(&self) -> &Tensor {
        self.inputs.first().expect("a batch has an input")
    }

    /// The first target: the only one of most models.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn y(&self) -> &Tensor {
        self.targets.first().expect("a batch has a target")
    }

    /// An input by name.
    ///
    /// # Panics
    /// When there is none of that name; the panic is reported as the property's error and lists the names.
    #[track_caller]
    pub fn input(&self, name: &str) -> &Tensor {
        self.inputs.expect("input", name)
    }

    /// A target by name.
    ///
    /// # Panics
    /// As [`Batch::input`].
    #[track_caller]
    pub fn target(&self, name: &str) -> &Tensor {
        self.targets.expect("target", name)
    }

    /// All inputs.
    #[must_use]
    pub fn inputs(&self) -> &Named {
        &self.inputs
    }

    /// All targets.
    #[must_use]
    pub fn targets(&self) -> &Named {
        &self.targets
    }

    /// The same targets with each input changed.
    #[must_use]
    pub fn with_inputs(&self, change: impl Fn(&Tensor) -> Tensor) -> Self {
        Self { inputs: self.inputs.map(change), targets: self.targets.clone() }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let rows = self.inputs.first().or(self.targets.first()).and_then(|t| t.size().first().copied());
        rows.and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows at these indices, in their order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let ids: Vec<i64> = rows.iter().map(|&row| i64::try_from(row).unwrap_or(i64::MAX)).collect();
        let ids = Tensor::from_slice(&ids);
        self.map(|tensor| tensor.index_select(0, &ids.to_device(tensor.device())))
    }

    /// `count` rows from `start` on.
    #[must_use]
    pub fn narrow(&self, start: usize, count: usize) -> Self {
        let (start, count) = (i64::try_from(start).unwrap_or(0), i64::try_from(count).unwrap_or(0));
        self.map(|tensor| tensor.narrow(0, start, count))
    }

    /// The rows of all batches, behind one another.
    pub(crate) fn cat(batches: &[Self]) -> Result<Self, SubjectError> {
        let join = |of: fn(&Self) -> &Named| Named::cat(&batches.iter().map(of).collect::<Vec<_>>());
        Ok(Self { inputs: join(Self::inputs)?, targets: join(Self::targets)? })
    }

    /// The same batch with each tensor changed.
    #[must_use]
    pub fn map(&self, change: impl Fn(&Tensor) -> Tensor) -> Self {
        Self { inputs: self.inputs.map(&change), targets: self.targets.map(&change) }
    }
}
