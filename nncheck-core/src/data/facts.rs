//! What the prepared data says by itself.

use super::normalize::mean_and_variance;
use super::{Share, Targets};
use crate::measurement::DataFacts;

pub(super) fn facts(train: &Share, validation: Option<&Share>, classes: Option<usize>) -> DataFacts {
    let (input_mean, input_variance) = mean_and_variance(train.x.iter().copied());
    let (target_mean, target_variance) = match &train.y {
        Targets::Classes(_) => (None, None),
        Targets::Values(values) => {
            let (mean, variance) = mean_and_variance(values.iter().copied());
            (Some(mean), Some(variance))
        }
    };
    DataFacts {
        examples: train.len(),
        validation_examples: validation.map_or(0, Share::len),
        classes,
        priors: classes.map_or_else(Vec::new, |k| priors(&train.y, k)),
        target_mean,
        target_variance,
        input_mean,
        input_std: input_variance.sqrt(),
        input_max_abs: train.x.iter().fold(0.0, |most, v| v.abs().max(most)),
    }
}

/// Share of each of `k` classes.
fn priors(y: &Targets, k: usize) -> Vec<f64> {
    let mut counts = vec![0_usize; k];
    let mut count = |class: usize| {
        if let Some(n) = counts.get_mut(class) {
            *n += 1;
        }
    };
    let rows = match y {
        Targets::Classes(ids) => {
            ids.iter().filter_map(|&id| usize::try_from(id).ok()).for_each(&mut count);
            ids.len()
        }
        Targets::Values(values) => {
            values.iter().map(|&v| usize::from(v > 0.5)).for_each(&mut count);
            values.len()
        }
    };
    counts.into_iter().map(|n| n as f64 / rows.max(1) as f64).collect()
}
