//! The numbers of a program, out of its measurements; and what of them is accepted.

use std::collections::BTreeMap;

use super::Regression;
use crate::baseline::{Accepted, Measured, Quantity, Values};
use crate::check::Context;
use crate::check::evidence::average;
use crate::judge::number::count;
use crate::judge::{Band, Entry, Sample, Scale};
use crate::measurement::score::{Score, ShareScore};
use crate::measurement::{Initial, Measurement, Taken, Trace};

impl Regression {
    /// A quantity of one seed, or why the program has none.
    ///
    /// # Errors
    /// When its measurement is missing.
    pub(super) fn number(&self, quantity: Quantity, taken: &[Measurement]) -> Result<Result<f64, String>, String> {
        Ok(match quantity {
            Quantity::InitialLoss => Ok(seen::<Initial>(taken)?.loss),
            Quantity::Parameters => parameters(seen(taken)?).ok_or_else(|| "the model has no parameters".to_owned()),
            Quantity::GradientNorm => {
                gradient_norm(seen(taken)?).ok_or_else(|| "no parameter has a gradient".to_owned())
            }
            Quantity::FinalLoss => self.final_loss(seen(taken)?).ok_or_else(|| "no training step was taken".to_owned()),
            Quantity::Metric => metric(seen(taken)?),
        })
    }

    /// The numbers as they are, where they are taken to be accepted: what is finite holds.
    pub(super) fn sample_to_accept(&self, taken: &[Measurement]) -> Sample {
        let mut entries = Vec::new();
        for quantity in self.wanted() {
            // What was asked for by name has to be there.
            let named = match quantity {
                Quantity::Metric => self.quantities.is_some() || self.metric.is_some(),
                _ => self.quantities.is_some(),
            };
            let value = match self.number(quantity, taken) {
                Err(fault) => return Sample::Unanswerable(fault),
                Ok(Err(why)) if named => {
                    return Sample::Unanswerable(format!("the program has no `{}`: {why}", quantity.name()));
                }
                Ok(Err(_)) => continue,
                Ok(Ok(value)) => value,
            };
            entries.push(Entry {
                name: Some(quantity.name().to_owned()),
                value: Some(value),
                band: Some(Band::default()),
                scale: Scale::Linear,
            });
        }
        Sample::Seen(entries)
    }

    /// What is accepted of these seeds: the quantities that all of them have. `None` where no number can be held.
    pub(super) fn take(&self, context: &Context<'_>, taken: &[Vec<Measurement>]) -> Option<Accepted> {
        let held = self.held.as_ref().filter(|held| held.accepting.is_some())?;
        let mut quantities = BTreeMap::new();
        for quantity in self.wanted() {
            let numbers: Option<Vec<f64>> = taken.iter().map(|seed| self.number(quantity, seed).ok()?.ok()).collect();
            let Some(numbers) = numbers else { continue };
            if numbers.iter().any(|v| !v.is_finite()) {
                return None;
            }
            let seeds = (held.first_seed..).zip(numbers).collect();
            let told = |values: &Values| match quantity.is_exact() {
                true => 0.0,
                // Beyond what is no change at all.
                false => values.can_tell(held.of_one()) + self.at_least,
            };
            quantities.insert(quantity, Values::of(seeds, told)?);
        }
        let metric = quantities.contains_key(&Quantity::Metric).then(|| self.kind(context.subject).name().to_owned());
        (!quantities.is_empty()).then(|| Accepted {
            nncheck: env!("CARGO_PKG_VERSION").to_owned(),
            tch: None,
            libtorch: None,
            measured: Measured { steps: self.steps.get(), metric },
            quantities,
        })
    }

    /// Mean loss of the last tenth of the steps.
    fn final_loss(&self, trace: &Trace) -> Option<f64> {
        let steps = &trace.steps[..trace.steps.len().min(self.steps.get())];
        let tail: Vec<f64> = steps[steps.len() - steps.len().div_ceil(10)..].iter().map(|step| step.loss).collect();
        average(&tail)
    }
}

/// The seed's measurement of this kind.
fn seen<T: Taken>(taken: &[Measurement]) -> Result<&T, String> {
    let found = taken.iter().find_map(|measured| measured.get::<T>().ok());
    found.ok_or_else(|| "a measurement is missing (this is a fault in nncheck)".to_owned())
}

fn parameters(trace: &Trace) -> Option<f64> {
    let numbers: usize = trace.parameters.iter().map(|parameter| parameter.shape.iter().product::<usize>()).sum();
    (numbers > 0).then(|| count(numbers))
}

/// L2 norm of the gradients of the first step as one vector.
fn gradient_norm(trace: &Trace) -> Option<f64> {
    let norms: Vec<f64> = trace.steps.first()?.watched.as_ref()?.gradient_norm.iter().flatten().copied().collect();
    (!norms.is_empty()).then(|| norms.iter().map(|norm| norm * norm).sum::<f64>().sqrt())
}

/// On the validation share, else on the training share.
fn metric(score: &Score) -> Result<f64, String> {
    if let Some(why) = &score.cannot {
        return Err(why.clone());
    }
    match score.validation.as_ref().or(score.training.as_ref()) {
        Some(ShareScore { value, .. }) => value.clone(),
        None => Err("there are no rows to look at".to_owned()),
    }
}
