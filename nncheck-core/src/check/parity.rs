//! What `precision_parity` and `device_parity` have in common: two copies of a model side by side.

use super::entry::{at_most, seen, worst};
use super::{Cause, CauseInfo};
use crate::judge::number::number;
use crate::judge::{Judged, Sample};
use crate::measurement::Measurement;
use crate::measurement::parity::Parity;

/// One of the two cannot hold the numbers.
pub(super) const OVERFLOWS: CauseInfo = CauseInfo {
    id: "overflows",
    what: "numbers are too large for one of the two: it puts out a NaN or an infinity",
    cure: "normalise the inputs; use a stable form of what overflows, such as `log_softmax`",
};
/// The id of the cause for numbers that differ.
pub(super) const DRIFTS: &str = "drifts";

pub(super) fn sample(taken: &[Measurement], tolerance: f64) -> Sample {
    let seen = match seen(taken, |seen: &Parity| seen.cannot.as_ref()) {
        Ok(seen) => seen,
        Err(sample) => return sample,
    };
    if seen.finite == (false, false) {
        return Sample::Nothing(
            "the outputs hold a NaN or an infinity in both: `finite` finds where it begins".to_owned(),
        );
    }
    Sample::Seen(seen.outputs.iter().map(|(name, by)| at_most(name, *by, tolerance)).collect())
}

pub(super) fn diagnose(judged: &Judged, taken: &[Vec<Measurement>], hint: &str) -> Vec<Cause> {
    let Some(seen) = worst::<Parity>(judged, taken) else { return Vec::new() };
    let (one, two) = &seen.between;
    let place = seen.first.as_ref().map_or_else(String::new, |(operator, layer, by)| {
        let by = if by.is_finite() { format!(" by {}", number(*by)) } else { String::new() };
        format!("; {operator} in {layer} is the first to differ{by}")
    });
    let wild = match seen.finite {
        (false, true) => Some((one, two)),
        (true, false) => Some((two, one)),
        _ => None,
    };
    vec![match wild {
        Some((wild, tame)) => Cause {
            id: OVERFLOWS.id,
            help: format!(
                "the outputs hold a NaN or an infinity in {wild}, and none in {tame}{place}: normalise the inputs, or use a stable form there"
            ),
        },
        None => Cause {
            id: DRIFTS,
            help: format!(
                "`{}` differs by {} of the spread between {one} and {two}{place}: {hint}",
                judged.at.as_deref().unwrap_or("output"),
                number(judged.value.unwrap_or(f64::NAN))
            ),
        },
    }]
}

#[cfg(test)]
#[path = "tests/parity.rs"]
mod tests;
