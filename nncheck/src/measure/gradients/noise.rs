//! How large the loss's rounding errors are.

use tch::Tensor;

use super::function::Function;
use super::{direction, rms};
use crate::subject::SubjectError;

/// Evaluations on a line.
const POINTS: usize = 9;
/// Spacings that are tried, in shares of the parameters' sizes: where the loss is in single precision, small ones move nothing.
const SPACINGS: [f64; 4] = [1e-9, 1e-7, 1e-5, 1e-3];

/// Rounding errors above this, relative, are not those of double precision.
pub(super) const COARSE: f64 = 1e-12;

/// The standard deviation of the loss's rounding errors, from third differences of its values on a line: nothing of a
/// smooth loss is left in these (Moré and Wild, Estimating Computational Noise, 2011).
pub(super) fn estimate(
    function: &Function<'_, '_>,
    parameters: &[(String, Tensor)],
    loss: f64,
) -> Result<f64, SubjectError> {
    let least = f64::EPSILON / 2.0 * loss.abs().max(f64::MIN_POSITIVE);
    let moves: Vec<(&Tensor, Tensor, Tensor)> = parameters
        .iter()
        .map(|(_, parameter)| {
            let by = direction(parameter) * rms(parameter).max(1e-3);
            (parameter, parameter.detach().copy(), by)
        })
        .collect();
    let put = |distance: f64| {
        tch::no_grad(|| {
            for (parameter, base, by) in &moves {
                parameter.shallow_clone().copy_(&(base + by * distance));
            }
        });
    };
    let mut noise = least;
    for spacing in SPACINGS {
        let mut values = Vec::with_capacity(POINTS);
        let mut distance = 0.0;
        for _ in 0..POINTS {
            put(distance);
            values.push(function.value()?);
            distance += spacing;
        }
        if let Some(found) = of_values(&values) {
            noise = found.max(least);
            // On the coarse grid of single precision few values tell little: at least half a step of it.
            if noise > COARSE * loss.abs() || single(&values) {
                noise = noise.max(f64::from(f32::EPSILON) / 2.0 * loss.abs());
            }
            break;
        }
    }
    put(0.0);
    Ok(noise)
}

/// From equally spaced values; `None` where too many of them are equal to tell.
fn of_values(values: &[f64]) -> Option<f64> {
    let equal = values.windows(2).filter(|pair| pair[0] == pair[1]).count();
    if 2 * equal > values.len() || values.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let third: Vec<f64> = values.windows(4).map(|v| v[3] - 3.0 * v[2] + 3.0 * v[1] - v[0]).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of values")]
    let mean_square = third.iter().map(|d| d * d).sum::<f64>() / third.len() as f64;
    // The variance of a third difference is 1 + 9 + 9 + 1 times that of a value.
    Some((mean_square / 20.0).sqrt())
}

/// Whether every value is one of single precision: one of double precision is so once in half a billion times.
fn single(values: &[f64]) -> bool {
    #[expect(clippy::cast_possible_truncation, reason = "what is lost is the question")]
    let same = |v: &f64| f64::from(*v as f32).to_bits() == v.to_bits();
    values.iter().all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_to_a_grid_is_seen_and_a_smooth_curve_is_not() {
        let grid = 1e-6;
        // No multiple of the grid, which would be hit at the same place each time.
        let at = |i: u32| f64::from(i) * 3.141_592_653e-5;
        let smooth: Vec<f64> = (0..9).map(|i| 2.0 + at(i).sin()).collect();
        let rounded: Vec<f64> = smooth.iter().map(|v| (v / grid).round() * grid).collect();
        assert!(of_values(&smooth).unwrap() < 1e-13);
        let noise = of_values(&rounded).unwrap();
        assert!((grid / 20.0..grid).contains(&noise), "{noise}");
    }

    #[test]
    fn single_precision_is_known_by_its_grid() {
        let thirds: Vec<f64> = (1..9).map(|i| f64::from(i) / 3.0).collect();
        assert!(!single(&thirds));
        #[expect(clippy::cast_possible_truncation, reason = "that is what is tried")]
        let rounded: Vec<f64> = thirds.iter().map(|v| f64::from(*v as f32)).collect();
        assert!(single(&rounded));
    }

    #[test]
    fn values_that_hardly_change_say_nothing() {
        assert_eq!(of_values(&[1.0; 9]), None);
    }
}
