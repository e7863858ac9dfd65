//! One operator's units, over several batches.

use crate::observe::Output;

/// Where an activation's slope is below this share of its steepest, it is on a plateau.
const FLAT: f64 = 0.05;

/// A softmax whose largest share is above this is on a plateau: what it takes from others it no longer notices.
const CERTAIN: f64 = 0.99;

/// What was seen of each unit.
#[derive(Debug, Default)]
pub(super) struct Tally {
    units: Vec<Unit>,
    plateau: Option<Plateau>,
    on_plateau: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Unit {
    count: f64,
    mean: f64,
    squares: f64,
    zeros: u64,
}

/// Where an operator is flat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plateau {
    Tanh,
    Sigmoid,
    /// At its bounds, where the slope is zero.
    Hard(i8, i8),
    /// Where one share is all.
    Softmax,
}

/// What a tally comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) units: usize,
    pub(super) mean: f64,
    pub(super) std: f64,
    pub(super) zero_fraction: f64,
    pub(super) dead: f64,
    pub(super) spread: f64,
    pub(super) plateau: Option<f64>,
}

impl Tally {
    pub(super) fn new(output: &Output) -> Self {
        let plateau = match output.operator.as_str() {
            "tanh" => Some(Plateau::Tanh),
            "sigmoid" => Some(Plateau::Sigmoid),
            "hardsigmoid" => Some(Plateau::Hard(0, 1)),
            "hardtanh" => Some(Plateau::Hard(-1, 1)),
            "softmax" | "_softmax" => Some(Plateau::Softmax),
            _ => None,
        };
        Self { plateau, ..Self::default() }
    }

    /// A batch's entries, in the order of their axes.
    pub(super) fn add(&mut self, output: &Output, entries: &[f64]) {
        let Some(axis) = output.unit_axis() else { return };
        let size = |sizes: &[i64]| sizes.iter().map(|&size| usize::try_from(size).unwrap_or(0)).product::<usize>();
        let (units, inner) = (size(&output.shape[axis..=axis]), size(&output.shape[axis + 1..]));
        if entries.is_empty() || (!self.units.is_empty() && self.units.len() != units) {
            return;
        }
        self.units.resize(units, Unit::default());
        let mut batch = vec![Unit::default(); units];
        let runs = || entries.chunks_exact(inner).zip((0..units).cycle());
        for (run, unit) in runs() {
            let unit = &mut batch[unit];
            unit.count += inner as f64;
            unit.mean += run.iter().sum::<f64>();
            unit.zeros += run.iter().filter(|entry| **entry == 0.0).count() as u64;
        }
        for unit in &mut batch {
            unit.mean /= unit.count;
        }
        for (run, unit) in runs() {
            let unit = &mut batch[unit];
            unit.squares += run.iter().map(|entry| (entry - unit.mean) * (entry - unit.mean)).sum::<f64>();
        }
        for (all, batch) in self.units.iter_mut().zip(batch) {
            *all = all.merged(batch);
        }
        let last = output.shape.last().map_or(1, |&size| usize::try_from(size).unwrap_or(1));
        match self.plateau {
            Some(Plateau::Softmax) if last < 2 => self.plateau = None,
            Some(plateau) => self.on_plateau += plateau.count(entries, last),
            None => {}
        }
    }

    /// `None` of nothing.
    pub(super) fn found(&self) -> Option<Found> {
        let units = self.units.len();
        let all = self.units.iter().fold(Unit::default(), |all, unit| all.merged(*unit));
        if all.count == 0.0 {
            return None;
        }
        let dead = self.units.iter().filter(|unit| unit.zeros as f64 == unit.count).count();
        let variances = self.units.iter().map(|unit| unit.squares / (unit.count - 1.0).max(1.0));
        Some(Found {
            units,
            mean: all.mean,
            std: (all.squares / (all.count - 1.0)).sqrt(),
            zero_fraction: all.zeros as f64 / all.count,
            dead: dead as f64 / units as f64,
            spread: (variances.sum::<f64>() / units as f64).sqrt(),
            plateau: self.plateau.map(|_| self.on_plateau as f64 / all.count),
        })
    }
}

impl Unit {
    /// Of both together (Chan, Golub and `LeVeque`, 1979).
    fn merged(self, other: Self) -> Self {
        if self.count == 0.0 {
            return other;
        }
        let count = self.count + other.count;
        let delta = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + delta * (other.count / count),
            squares: self.squares + other.squares + delta * delta * (self.count * other.count / count),
            zeros: self.zeros + other.zeros,
        }
    }
}

impl Plateau {
    /// How many entries are on it; `last` is the length of the last axis.
    fn count(self, entries: &[f64], last: usize) -> u64 {
        let among = |flat: &dyn Fn(f64) -> bool| entries.iter().filter(|entry| flat(**entry)).count() as u64;
        match self {
            Self::Tanh => among(&|y| 1.0 - y * y < FLAT),
            Self::Sigmoid => among(&|y| 4.0 * y * (1.0 - y) < FLAT),
            Self::Hard(low, high) => among(&|y| y <= f64::from(low) || y >= f64::from(high)),
            Self::Softmax => {
                let certain = entries.chunks_exact(last).filter(|row| {
                    // Along another axis than the last one, the shares of a row do not add up to one.
                    (row.iter().sum::<f64>() - 1.0).abs() < 1e-3 && row.iter().any(|share| *share > CERTAIN)
                });
                certain.count() as u64 * last as u64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(operator: &str, shape: &[i64], channels: bool) -> Output {
        Output {
            layer: "it".to_owned(),
            operator: operator.to_owned(),
            shape: shape.to_vec(),
            has_parameters: false,
            has_channels: channels,
        }
    }

    fn found(operator: &str, shape: &[i64], channels: bool, entries: &[f64]) -> Found {
        let output = output(operator, shape, channels);
        let mut tally = Tally::new(&output);
        tally.add(&output, entries);
        tally.found().unwrap()
    }

    #[test]
    fn units_are_features_channels_or_the_last_axis() {
        // Of each kind the second unit is dead.
        assert_eq!(found("relu", &[2, 2], false, &[1.0, 0.0, 2.0, 0.0]).dead, 0.5);
        let images = [1.0, 2.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0];
        assert_eq!(found("relu", &[2, 2, 1, 2], true, &images).dead, 0.5);
        assert_eq!(found("relu", &[2, 2, 2], true, &images).dead, 0.5, "channels of a signal");
        let sequences = [1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 3.0, 0.0];
        assert_eq!(found("relu", &[2, 2, 2], false, &sequences).dead, 0.5, "features of a sequence");
    }

    #[test]
    fn batches_add_up() {
        let output = output("relu", &[2, 2], false);
        let mut tally = Tally::new(&output);
        tally.add(&output, &[0.0, 0.0, 2.0, 0.0]);
        tally.add(&output, &[4.0, 0.0, 6.0, 0.0]);
        let found = tally.found().unwrap();
        assert_eq!((found.units, found.dead, found.zero_fraction, found.mean), (2, 0.5, 5.0 / 8.0, 1.5));
        // The first unit's 0, 2, 4, 6 vary by 20/3, the second not at all.
        assert!((found.spread - (10f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!((found.std - (38f64 / 7.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn plateaus_are_where_the_slope_is_small() {
        let plateau = |operator: &str, entries: &[f64]| found(operator, &[1, 4], false, entries).plateau;
        assert_eq!(plateau("tanh", &[0.99, -0.99, 0.5, 0.0]), Some(0.5));
        assert_eq!(plateau("sigmoid", &[0.99, 0.001, 0.5, 0.9]), Some(0.5));
        assert_eq!(plateau("softmax", &[0.995, 0.002, 0.002, 0.001]), Some(1.0));
        assert_eq!(plateau("softmax", &[0.7, 0.1, 0.1, 0.1]), Some(0.0));
        assert_eq!(plateau("relu", &[0.0; 4]), None);
    }

    #[test]
    fn a_softmax_of_one_has_no_plateau_and_a_number_no_units() {
        assert_eq!(found("softmax", &[2, 1], false, &[1.0, 1.0]).plateau, None);
        let output = output("sum", &[], false);
        let mut tally = Tally::new(&output);
        tally.add(&output, &[1.0]);
        assert_eq!(tally.found(), None);
    }
}
