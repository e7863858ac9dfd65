//! Entries of a sample with an edge on one side.

use super::evidence::answer;
use crate::judge::{Band, Entry, Judged, Sample, Scale};
use crate::measurement::{Measurement, Taken};

/// A named number that must not lie above an edge.
pub(super) fn at_most(name: impl Into<String>, value: f64, max: f64) -> Entry {
    entry(name, value, Some(Band { min: None, max: Some(max), expect: None }))
}

/// A named number that must not lie below an edge.
pub(super) fn at_least(name: impl Into<String>, value: f64, min: f64) -> Entry {
    entry(name, value, Some(Band { min: Some(min), max: None, expect: None }))
}

/// A named number that is shown and not judged.
pub(super) fn shown(name: impl Into<String>, value: f64) -> Entry {
    entry(name, value, None)
}

fn entry(name: impl Into<String>, value: f64, band: Option<Band>) -> Entry {
    Entry { name: Some(name.into()), value: Some(value), band, scale: Scale::Linear }
}

/// What one seed's first measurement saw; where it could not look, the sample that says so. `cannot` picks the reason.
pub(super) fn seen<T: Taken>(taken: &[Measurement], cannot: impl Fn(&T) -> Option<&String>) -> Result<&T, Sample> {
    let seen = answer(taken, 0).map_err(Sample::Unanswerable)?;
    match cannot(seen) {
        Some(why) => Err(Sample::Nothing(why.clone())),
        None => Ok(seen),
    }
}

/// The first measurement of the seed whose value is the one that was judged.
pub(super) fn worst<'t, T: Taken>(judged: &Judged, taken: &'t [Vec<Measurement>]) -> Option<&'t T> {
    answer(taken.get(worst_seed(judged))?, 0).ok()
}

/// The seed whose value is the one that was judged.
pub(super) fn worst_seed(judged: &Judged) -> usize {
    judged.values.iter().position(|&v| v.is_some() && v == judged.value).unwrap_or(0)
}
