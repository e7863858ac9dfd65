//! Intervals of a mean: Student (W. S. Gosset), The Probable Error of a Mean (1908).

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::number::count;

/// Quantile of the two-sided interval of the mean of `n` numbers that errs this often; infinite for fewer than two.
pub(crate) fn quantile(n: usize, error: f64) -> f64 {
    let t = n.checked_sub(1).and_then(|freedom| StudentsT::new(0.0, 1.0, count(freedom)).ok());
    t.map_or(f64::INFINITY, |t| t.inverse_cdf(1.0 - error.clamp(1e-12, 1.0) / 2.0))
}

/// Half the width of that interval, at this standard deviation.
pub(crate) fn half_width(n: usize, spread: f64, error: f64) -> f64 {
    quantile(n, error) * spread / count(n).sqrt()
}

/// Standard deviation (n - 1); `None` for fewer than two numbers, 0 of equal ones.
pub(crate) fn spread(values: &[f64]) -> Option<f64> {
    let (first, n) = (values.first()?, count(values.len()));
    if values.len() < 2 {
        return None;
    }
    if values.iter().all(|v| v == first) {
        return Some(0.0);
    }
    // Sorted, so that the order of the seeds does not change the last bit.
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let centre = sorted.iter().sum::<f64>() / n;
    Some((sorted.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Student-t quantiles at 1 - 0.0025 / 2, by Simpson integration of the density and bisection in pure Python.
    const T: [(usize, f64); 4] =
        [(4, 6.758_252_832_7), (9, 4.145_788_828_4), (19, 3.481_150_847_3), (39, 3.232_161_794_6)];

    #[test]
    fn quantiles_agree_with_an_independent_integration() {
        for (freedom, expected) in T {
            let got = quantile(freedom + 1, 0.0025);
            assert!((got - expected).abs() < 1e-8 * expected, "{freedom}: {got} against {expected}");
        }
    }

    #[test]
    fn quantiles_agree_with_the_closed_forms_of_one_and_two_degrees() {
        let p = 1.0 - 0.0025 / 2.0;
        let one = (std::f64::consts::PI * (p - 0.5)).tan();
        let two = (2.0 * p - 1.0) / (2.0 * p * (1.0 - p)).sqrt();
        assert!((quantile(2, 0.0025) / one - 1.0).abs() < 1e-8);
        assert!((quantile(3, 0.0025) / two - 1.0).abs() < 1e-8);
    }

    #[test]
    fn of_fewer_than_two_numbers_nothing_is_known() {
        assert_eq!((quantile(0, 0.01), quantile(1, 0.01)), (f64::INFINITY, f64::INFINITY));
        assert_eq!((spread(&[]), spread(&[1.0]), spread(&[0.1; 3])), (None, None, Some(0.0)));
    }
}
