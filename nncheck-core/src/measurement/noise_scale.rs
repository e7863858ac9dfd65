//! How much gradients differ from example to example.

use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};

/// Asks for the gradient noise scale after some training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoiseScaleAsk {
    /// On how many of the first training rows.
    pub rows: usize,
    /// After how many training steps.
    pub after: usize,
}

impl Ask for NoiseScaleAsk {
    fn key(&self) -> String {
        format!("noise_scale-{}-{}", self.rows, self.after)
    }

    fn words(&self) -> String {
        format!("the gradient noise scale after {} steps", self.after)
    }

    fn after(&self) -> Option<usize> {
        Some(self.after)
    }
}

/// The gradients of single examples, in eval mode, all parameters together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseScale {
    /// Facts of the data.
    pub facts: DataFacts,
    /// Why single examples have no gradients to look at; the numbers are zero then.
    pub cannot: Option<String>,
    /// How many examples.
    pub rows: usize,
    /// Trace of the covariance of the gradients (n - 1).
    pub trace: f64,
    /// Square of the L2 norm of their mean.
    pub mean_square: f64,
}

impl NoiseScale {
    /// tr(Sigma) / |G|^2; infinite where the mean gradient is zero.
    #[must_use]
    pub fn simple(&self) -> f64 {
        self.trace / self.mean_square
    }

    /// The same without the noise that the mean of so few examples has itself, tr(Sigma) / n; `None` where nothing else is left of
    /// the mean.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "rows are few")]
    pub fn unbiased(&self) -> Option<f64> {
        let signal = self.mean_square - self.trace / self.rows as f64;
        (signal > 0.0).then(|| self.trace / signal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_of_the_mean_is_taken_off() {
        let seen = NoiseScale { facts: DataFacts::default(), cannot: None, rows: 10, trace: 5.0, mean_square: 1.0 };
        assert_eq!((seen.simple(), seen.unbiased()), (5.0, Some(10.0)));
        assert_eq!(NoiseScale { mean_square: 0.5, ..seen }.unbiased(), None);
    }
}
