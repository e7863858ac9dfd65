//! What the checks on units ask for.

use std::num::NonZeroUsize;

use crate::measurement::{DataFacts, Request, UnitLayer, UnitsAsk};

/// The units after so many steps, and, where that is not at once, before training.
pub(super) fn now_and_before(rows: NonZeroUsize, after: usize) -> Vec<Request> {
    let ask = |after| Request::from(UnitsAsk { rows: rows.get(), after });
    let before = (after > 0).then(|| ask(0));
    std::iter::once(ask(after)).chain(before).collect()
}

/// The root mean square of the inputs, where it is far from one.
pub(super) fn wild_inputs(facts: &DataFacts) -> Option<f64> {
    let size = facts.input_mean?.hypot(facts.input_std?);
    (size > 5.0).then_some(size)
}

/// A share of a layer's entries or units; no number where the layer puts out what is none, which is neither zero nor flat.
pub(super) fn of_finite(layer: &UnitLayer, share: f64) -> f64 {
    if layer.mean.is_finite() { share } else { f64::NAN }
}
