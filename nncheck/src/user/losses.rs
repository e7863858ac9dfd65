//! The terms of a loss.

use tch::Tensor;

/// A loss as the weighted sum of named terms, each a scalar. A single one is called `loss`.
#[derive(Debug, Default)]
pub struct Losses(Vec<Term>);

/// One term of a loss.
#[derive(Debug)]
pub struct Term {
    /// Its name, for a property's `term`.
    pub name: String,
    /// Its value before weighting, a scalar.
    pub value: Tensor,
    /// What it is multiplied with in the sum.
    pub weight: f64,
}

impl Losses {
    /// No terms yet; [`Losses::with`] and [`Losses::weighted`] add.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another term, of weight 1.
    #[must_use]
    pub fn with(self, name: impl Into<String>, value: Tensor) -> Self {
        self.weighted(name, value, 1.0)
    }

    /// Another term; `value` is a scalar before weighting.
    #[must_use]
    pub fn weighted(mut self, name: impl Into<String>, value: Tensor, weight: f64) -> Self {
        self.0.push(Term { name: name.into(), value, weight });
        self
    }

    /// The terms, in their order.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.0
    }

    /// The weighted sum: what training lowers.
    ///
    /// # Panics
    /// When there are no terms.
    pub fn total(&self) -> Tensor {
        let weighted = |term: &Term| {
            // Multiplying by one would be one operator more than the user's own program has.
            if term.weight == 1.0 { term.value.shallow_clone() } else { &term.value * term.weight }
        };
        self.0.iter().map(weighted).reduce(|sum, term| sum + term).expect("a loss has at least one term")
    }

    /// The weighted sum as a number, and the value of each term; each is read once.
    pub(crate) fn numbers(&self) -> (f64, Vec<f64>) {
        let values: Vec<f64> = self.0.iter().map(|term| term.value.double_value(&[])).collect();
        (self.0.iter().zip(&values).map(|(term, value)| term.weight * value).sum(), values)
    }

    /// The names of the terms, in their order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|term| term.name.as_str())
    }

    /// Terms that are no scalars, by name and shape.
    pub(crate) fn not_scalar(&self) -> Option<(&str, Vec<i64>)> {
        self.0.iter().find(|t| t.value.numel() != 1).map(|t| (t.name.as_str(), t.value.size()))
    }
}

impl From<Tensor> for Losses {
    fn from(loss: Tensor) -> Self {
        Self::new().with("loss", loss)
    }
}
