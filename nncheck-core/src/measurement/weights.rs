//! What the parameters of a program look like, after some steps of training.

use serde::{Deserialize, Serialize};

use super::Ask;

/// Asks for the parameters after so many training steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsAsk {
    /// Training steps before.
    pub after: usize,
}

impl Ask for WeightsAsk {
    fn key(&self) -> String {
        format!("weights-{}", self.after)
    }

    fn words(&self) -> String {
        format!("the parameters after {} training steps", self.after)
    }

    fn after(&self) -> Option<usize> {
        Some(self.after)
    }
}

/// The parameters of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Sorted by name.
    pub tensors: Vec<WeightTensor>,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightTensor {
    /// Its name.
    pub parameter: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether it asks for a gradient.
    pub trainable: bool,
    /// L2 norm.
    pub norm: f64,
    /// Mean of all entries.
    pub mean: f64,
    /// Standard deviation (divisor n) of all entries.
    pub std: f64,
    /// How many entries the order statistics are of: all, or many spread evenly over them.
    pub sampled: usize,
    /// Order statistics of those: all of them, or [`WeightTensor::ranks`] of them.
    pub ordered: Vec<f64>,
    /// Units (the first axis) that are equal to another unit; 0 for a tensor of fewer than two axes.
    pub twins: usize,
}

/// Order statistics that are kept of a tensor.
pub const KEPT: usize = 513;

impl WeightTensor {
    /// The ranks, from 0 on, of what is kept of `sampled` entries in their order.
    #[must_use]
    pub fn ranks(sampled: usize) -> Vec<usize> {
        if sampled <= KEPT {
            return (0..sampled).collect();
        }
        (0..KEPT).map(|i| i * (sampled - 1) / (KEPT - 1)).collect()
    }

    /// Kolmogorov and Smirnov's distance between the entries and a distribution; of large tensors at the order statistics
    /// that are kept, which is at most 1/512 less.
    #[must_use]
    pub fn distance(&self, distribution: impl Fn(f64) -> f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 entries")]
        let share = |rank: usize| rank as f64 / self.sampled.max(1) as f64;
        let far = Self::ranks(self.sampled).into_iter().zip(&self.ordered).map(|(rank, &value)| {
            let expected = distribution(value);
            (expected - share(rank)).abs().max((share(rank + 1) - expected).abs())
        });
        far.fold(0.0, |most, d| if d.is_nan() || d > most { d } else { most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(ordered: &[f64]) -> WeightTensor {
        WeightTensor {
            parameter: "a.weight".into(),
            shape: vec![ordered.len()],
            trainable: true,
            norm: 1.0,
            mean: 0.0,
            std: 1.0,
            sampled: ordered.len(),
            ordered: ordered.to_vec(),
            twins: 0,
        }
    }

    #[test]
    fn the_distance_is_that_of_kolmogorov_and_smirnov() {
        // scipy.stats.kstest([0.1, 0.2, 0.6, 0.9], "uniform").statistic
        let distance = tensor(&[0.1, 0.2, 0.6, 0.9]).distance(|x| x.clamp(0.0, 1.0));
        assert!((distance - 0.3).abs() < 1e-12, "{distance}");
        assert!((tensor(&[5.0; 10]).distance(|x| x.clamp(0.0, 1.0)) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn ranks_go_from_the_least_to_the_largest() {
        let ranks = WeightTensor::ranks(100_000);
        assert_eq!((ranks.len(), ranks[0], ranks[KEPT - 1]), (KEPT, 0, 99_999));
        assert_eq!(WeightTensor::ranks(3), [0, 1, 2]);
    }
}
