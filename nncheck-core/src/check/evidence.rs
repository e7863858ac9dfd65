//! What the checks' samples and diagnoses have in common: reading measurements, medians, and the words of a cause.

mod ending;
mod rate;

use globset::Glob;

use super::{Cause, CauseInfo, Context};
use crate::measurement::{Initial, Measurement, Overfit, Taken, Trace};
use crate::spec::property::Allowance;

pub(super) use ending::{ending, raw_targets, reach};

/// Training that is broken before it begins: shared by the checks that train.
pub(super) const NOT_FINITE: CauseInfo = CauseInfo {
    id: "not_finite",
    what: "the loss is not finite before training begins",
    cure: "look at `finite`, which names the place where it begins",
};

/// [`NOT_FINITE`], found.
pub(super) fn not_finite_from_the_start() -> Cause {
    Cause {
        id: NOT_FINITE.id,
        help: "the loss is not finite before the first step: `finite` names the place where it begins".to_owned(),
    }
}

/// The answer at a place of one seed's measurements, as the kind that was asked for.
pub(super) fn answer<T: Taken>(taken: &[Measurement], at: usize) -> Result<&T, String> {
    taken.get(at).ok_or_else(|| missing(at))?.get().map_err(|e| e.to_string())
}

/// The trace at a place of one seed's measurements.
pub(super) fn trace(measured: &[Measurement], at: usize) -> Result<&Trace, String> {
    answer(measured, at)
}

/// The initial loss at a place of one seed's measurements.
pub(super) fn initial(measured: &[Measurement], at: usize) -> Result<&Initial, String> {
    answer(measured, at)
}

/// The overfitting at a place of one seed's measurements.
pub(super) fn overfit(measured: &[Measurement], at: usize) -> Result<&Overfit, String> {
    answer(measured, at)
}

fn missing(at: usize) -> String {
    format!("measurement {at} is missing (this is a fault in nncheck)")
}

/// The middle number, or the mean of the two middle ones; one number is itself, bit for bit. A number that is not
/// finite comes back at once: it must not hide among the others.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    if let Some(&wild) = values.iter().find(|v| !v.is_finite()) {
        return Some(wild);
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let high = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(high);
    }
    let low = sorted[middle - 1];
    // Halved first: two huge numbers must not overflow. Equal ones stay themselves.
    Some(if low == high { high } else { low / 2.0 + high / 2.0 })
}

/// The median over the seeds of a finite number; seeds without one are left out.
pub(super) fn typical(taken: &[Vec<Measurement>], of: impl Fn(&[Measurement]) -> Option<f64>) -> Option<f64> {
    median(&taken.iter().filter_map(|seed| of(seed)).filter(|v| v.is_finite()).collect::<Vec<_>>())
}

/// The mean; `None` of nothing.
pub(super) fn average(values: &[f64]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a curve has few points")]
    let n = values.len() as f64;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / n)
}

/// The slope of a straight line through numbers at 0, 1, 2, ..., and how well it fits (Pearson's r). `None` of fewer than
/// three: through two there is always one.
pub(super) fn slope(values: &[f64]) -> Option<(f64, f64)> {
    let middle = average(values)?;
    #[expect(clippy::cast_precision_loss, reason = "layers are few")]
    let centre = (values.len() as f64 - 1.0) / 2.0;
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    let mut x = -centre;
    for value in values {
        let y = value - middle;
        (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
        x += 1.0;
    }
    (values.len() > 2 && yy > 0.0).then(|| (xy / xx, xy / (xx * yy).sqrt()))
}

impl Context<'_> {
    /// Whether `allow` names this parameter, or the layer that it belongs to.
    #[must_use]
    pub fn allows_parameter(&self, name: &str) -> bool {
        let layer = name.rsplit_once('.').map_or(name, |(layer, _)| layer);
        self.settings.allow.iter().any(|allowance| match &allowance.value {
            Allowance::Parameter(glob) => matches(glob, name),
            Allowance::Layer(glob) => matches(glob, layer),
            Allowance::Cause(_) => false,
        })
    }

    /// Whether `allow` names this cause of failure.
    #[must_use]
    pub fn allows_cause(&self, id: &str) -> bool {
        self.settings.allow.iter().any(|a| matches!(&a.value, Allowance::Cause(cause) if cause == id))
    }
}

/// Whether a name fits a glob; one that is not valid stands for itself.
pub(super) fn matches(glob: &str, name: &str) -> bool {
    Glob::new(glob).map_or(glob == name, |glob| glob.compile_matcher().is_match(name))
}

/// `hidden.weight`, `hidden.weight and 2 more`: enough names for a sentence.
pub(super) fn some_names<S: AsRef<str>>(names: &[S]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [one, two] => format!("{} and {}", one.as_ref(), two.as_ref()),
        [one, two, rest @ ..] => format!("{}, {} and {} more", one.as_ref(), two.as_ref(), rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_the_mean_of_the_two_middle_ones() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_line_has_a_slope_and_two_points_tell_of_none() {
        let (rise, fit) = slope(&[1.0, 3.0, 5.0, 7.0]).unwrap();
        assert!((rise - 2.0).abs() < 1e-12 && (fit - 1.0).abs() < 1e-12);
        assert!(slope(&[1.0, -1.0, 1.0]).is_some_and(|(rise, fit)| rise == 0.0 && fit == 0.0));
        assert_eq!(slope(&[1.0, 2.0]), None);
    }

    #[test]
    fn one_number_is_its_own_median_bit_for_bit() {
        let x = 0.1 + 0.2;
        assert_eq!(median(&[x]).map(f64::to_bits), Some(x.to_bits()));
        assert_eq!(median(&[x, x]).map(f64::to_bits), Some(x.to_bits()));
    }

    #[test]
    fn a_number_that_is_not_finite_does_not_hide_in_a_median() {
        assert!(median(&[1.0, f64::NAN, 2.0]).is_some_and(f64::is_nan));
        assert_eq!(median(&[1.0, f64::INFINITY, 2.0]), Some(f64::INFINITY));
    }

    #[test]
    fn globs_match_parameters_and_bad_globs_only_themselves() {
        assert!(matches("head.*", "head.weight") && matches("pos_embedding", "pos_embedding"));
        assert!(!matches("head.*", "body.weight"));
        assert!(matches("[", "[") && !matches("[", "x"));
    }
}
