//! A learning rate range test.

use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};

/// Asks for the loss while the learning rate rises from step to step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LrRangeAsk {
    /// The rate of the first step.
    pub low: f64,
    /// The rate of the last step.
    pub high: f64,
    /// How many steps, each with a rate that is the same factor above the last one's.
    pub steps: usize,
    /// On how many of the first training rows the loss is read after each step.
    pub rows: usize,
}

impl Ask for LrRangeAsk {
    fn key(&self) -> String {
        format!("lr_range-{:e}-{:e}-{}-{}", self.low, self.high, self.steps, self.rows)
    }

    fn words(&self) -> String {
        "the loss under a rising learning rate".to_owned()
    }
}

impl LrRangeAsk {
    /// The rate of a step, from 0.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "steps are few")]
    pub fn rate(&self, step: usize) -> f64 {
        if step + 1 >= self.steps {
            return self.high;
        }
        self.low * (self.high / self.low).powf(step as f64 / (self.steps - 1) as f64)
    }
}

/// The loss under a rising learning rate: always of the same rows, so that no noise of batches is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LrRange {
    /// Facts of the data.
    pub facts: DataFacts,
    /// Why the rate cannot be moved; there are no losses then.
    pub cannot: Option<String>,
    /// The full rate that the program trains with; `None` where its optimizer does not tell.
    pub lr: Option<f64>,
    /// The loss before the first step.
    pub start: f64,
    /// The rate of each step that was taken: none beyond the one that took the loss far above its start.
    pub rates: Vec<f64>,
    /// The loss after each of them.
    pub losses: Vec<f64>,
}

/// What a range test says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landmarks {
    /// The rate at which a twentieth of the whole fall is reached.
    pub falls: f64,
    /// The rate of the lowest loss.
    pub best: f64,
    /// The first rate beyond it at which the loss is no lower than at the start; `None` where it never rises so far.
    pub rises: Option<f64>,
    /// The lowest loss.
    pub lowest: f64,
}

impl Landmarks {
    /// A rate to train with: half way, in factors, between the one at which the loss begins to fall and the one at which
    /// it is lowest.
    #[must_use]
    pub fn suggestion(&self) -> f64 {
        (self.falls * self.best).sqrt()
    }
}

impl LrRange {
    /// Less than this share of the loss is no fall.
    const LEAST_FALL: f64 = 0.05;
    /// The share of the whole fall that is its beginning.
    const BEGINNING: f64 = 0.05;

    /// What the test says; `None` where the loss falls at no rate.
    #[must_use]
    pub fn landmarks(&self) -> Option<Landmarks> {
        let finite = self.losses.iter().enumerate().filter(|(_, loss)| loss.is_finite());
        let (at, &lowest) = finite.min_by(|a, b| a.1.total_cmp(b.1))?;
        let fall = self.start - lowest;
        if !self.start.is_finite() || fall <= Self::LEAST_FALL * self.start.abs() {
            return None;
        }
        let begun = self.losses.iter().position(|&loss| loss <= self.start - Self::BEGINNING * fall)?;
        let rises = (at..self.losses.len()).find(|&i| self.losses[i].is_nan() || self.losses[i] >= self.start);
        let rate = |i: usize| self.rates.get(i).copied();
        Some(Landmarks { falls: rate(begun)?, best: rate(at)?, rises: rises.and_then(rate), lowest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(losses: &[f64]) -> LrRange {
        let ask = LrRangeAsk { low: 1e-3, high: 1e3, steps: losses.len(), rows: 1 };
        LrRange {
            facts: DataFacts::default(),
            cannot: None,
            lr: Some(0.1),
            start: 2.0,
            rates: (0..losses.len()).map(|i| ask.rate(i)).collect(),
            losses: losses.to_vec(),
        }
    }

    #[test]
    fn rates_rise_by_one_factor_from_low_to_high() {
        let rates = seen(&[0.0; 7]).rates;
        for (rate, expected) in rates.iter().zip([1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3]) {
            assert!((rate / expected - 1.0).abs() < 1e-12, "{rate} {expected}");
        }
    }

    #[test]
    fn the_landmarks_are_where_it_falls_is_lowest_and_is_back() {
        let marks = seen(&[2.0, 1.99, 1.9, 1.0, 1.5, 2.5, f64::NAN]).landmarks().unwrap();
        assert!((marks.falls - 0.1).abs() < 1e-9 && (marks.best - 1.0).abs() < 1e-9, "{marks:?}");
        assert!((marks.rises.unwrap() - 100.0).abs() < 1e-6 && (marks.suggestion() - 0.1f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn a_loss_that_hardly_falls_has_no_landmarks() {
        assert_eq!(seen(&[2.0, 1.99, 1.95, 3.0]).landmarks(), None);
        assert_eq!(seen(&[f64::NAN; 3]).landmarks(), None);
    }

    #[test]
    fn a_loss_that_stays_low_never_rises() {
        assert_eq!(seen(&[2.0, 1.0, 0.5]).landmarks().unwrap().rises, None);
    }
}
