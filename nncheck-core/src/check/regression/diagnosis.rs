//! What a change tells of its cause: which numbers changed, those before training or those after it, and which way.

use std::cmp::Ordering;

use super::Regression;
use crate::baseline::Quantity;
use crate::check::{Cause, Context};
use crate::judge::exhibit::{Exhibit, Row, Table};
use crate::judge::number::{number, percent};
use crate::judge::{Judged, Scale, change, mean};
use crate::measurement::Measurement;

const ACCEPT: &str = "if that is meant, `cargo nncheck accept` takes the new numbers";

/// A quantity then and now, over the same seeds.
struct Change {
    quantity: Quantity,
    accepted: f64,
    now: f64,
    /// As a share of the accepted mean.
    share: f64,
    /// The smallest share that these seeds can tell.
    told: f64,
    /// The change is told.
    outside: bool,
    /// The seeds that are far from what was accepted, with both numbers.
    astray: Vec<(u64, f64, f64)>,
    /// Every seed is what it was, bit for bit.
    same: bool,
}

impl Change {
    /// `final_loss rose by 12 % (0.31 -> 0.35), and changes of 2.1 % and more can be told`.
    fn words(&self) -> String {
        let name = self.quantity.name();
        let ends = format!("{} -> {}", number(self.accepted), number(self.now));
        if !self.now.is_finite() {
            return format!("{name} is not finite ({ends})");
        }
        let way = if self.share > 0.0 { "rose" } else { "fell" };
        if self.accepted == 0.0 || self.quantity.is_exact() {
            return format!("{name} {way} ({ends})");
        }
        format!(
            "{name} {way} by {} ({ends}), and changes of {} and more can be told",
            percent(self.share.abs()),
            percent(self.told)
        )
    }
}

impl Regression {
    fn changes(&self, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Change> {
        let Some(held) = self.held.as_ref().filter(|held| held.accepting.is_none()) else { return Vec::new() };
        let Some(accepted) = &held.accepted else { return Vec::new() };
        let changes = self.judged(accepted).filter_map(|(quantity, values)| {
            let pairs: Vec<(f64, f64)> = (held.first_seed..)
                .zip(taken)
                .filter_map(|(seed, taken)| Some((*values.seeds.get(&seed)?, self.number(quantity, taken).ok()?.ok()?)))
                .collect();
            let (then, now): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
            let shares: Vec<f64> = pairs.iter().map(|(then, now)| (now - then) / values.unit()).collect();
            let astray: Vec<(u64, f64, f64)> = (held.first_seed..)
                .zip(taken)
                .filter(|(seed, taken)| self.is_astray(quantity, values, *seed, taken))
                .filter_map(|(seed, taken)| {
                    Some((seed, *values.seeds.get(&seed)?, self.number(quantity, taken).ok()?.ok()?))
                })
                .collect();
            let told = match quantity.is_exact() {
                true => 0.0,
                false => self.at_least + change::half_width(&shares, held.of_one()).unwrap_or(0.0),
            };
            Some(Change {
                quantity,
                accepted: mean(&then, Scale::Linear)?,
                now: mean(&now, Scale::Linear)?,
                share: mean(&shares, Scale::Linear)?,
                told,
                // Where half of the seeds are, it is no matter of a few.
                outside: judged.outside.iter().any(|name| name == quantity.name())
                    || !astray.is_empty() && astray.len() * 2 >= taken.len(),
                astray,
                same: shares.iter().all(|&share| share == 0.0),
            })
        });
        changes.collect()
    }

    /// Whether a change is for the better.
    fn is_better(&self, context: &Context<'_>, change: &Change) -> bool {
        match change.quantity {
            Quantity::FinalLoss => change.share < 0.0,
            Quantity::Metric => (change.share > 0.0) == self.kind(context.subject).more_is_better(),
            Quantity::Parameters | Quantity::InitialLoss | Quantity::GradientNorm => false,
        }
    }

    pub(super) fn causes(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        if self.held.as_ref().is_some_and(|held| held.accepting.is_some()) {
            let names: Vec<String> = judged.outside.iter().map(|name| format!("`{name}`")).collect();
            let help = format!("{} cannot be accepted: `finite` names the place where it begins", names.join(", "));
            return vec![Cause { id: "not_finite", help }];
        }
        let changes = self.changes(judged, taken);
        let outside: Vec<&Change> = changes.iter().filter(|change| change.outside).collect();
        let of = |wanted: &[Quantity]| -> Vec<&Change> {
            outside.iter().copied().filter(|change| wanted.contains(&change.quantity)).collect()
        };
        let wild: Vec<&Change> = outside.iter().copied().filter(|change| !change.now.is_finite()).collect();
        let mut causes = Vec::new();
        if !wild.is_empty() {
            let help = format!("{}: `finite` names the place where it begins", sentence(&wild));
            causes.push(Cause { id: "not_finite", help });
        }
        let size = of(&[Quantity::Parameters]);
        let start = of(&[Quantity::InitialLoss, Quantity::GradientNorm]);
        let results = of(&[Quantity::FinalLoss, Quantity::Metric]);
        let better = !results.is_empty() && results.iter().all(|change| self.is_better(context, change));
        if !size.is_empty() {
            let help = format!("{}: the model is another one; {ACCEPT}", sentence(&size));
            causes.push(Cause { id: "model_changed", help });
        } else if !start.is_empty() {
            // The loss of the first rows is what it was, and the first step is not.
            let alike = changes.iter().any(|change| change.quantity == Quantity::InitialLoss && change.same);
            let what = if alike {
                "the program begins as before, and its first batch or step is another; look at the batch size, the order of the rows and the loss"
            } else {
                "the program is another before it trains; look at initialisation, data, inputs and the loss"
            };
            let help = format!("{}: {what}; {ACCEPT}", sentence(&start));
            causes.push(Cause { id: "start_changed", help });
        }
        if !results.is_empty() && better {
            let help = format!(
                "{}: that is better than what was accepted; `cargo nncheck accept` holds it there from now on",
                sentence(&results)
            );
            causes.push(Cause { id: "improved", help });
        } else if !results.is_empty() && wild.is_empty() && size.is_empty() && start.is_empty() {
            causes.push(self.of_training(&changes, &results));
        }
        causes.extend(unstable(&changes, taken.len()));
        causes
    }

    /// The program begins as it did, and does not end so.
    fn of_training(&self, changes: &[Change], results: &[&Change]) -> Cause {
        let loss = changes.iter().find(|change| change.quantity == Quantity::FinalLoss);
        let alone = results.iter().all(|change| change.quantity == Quantity::Metric);
        if loss.is_some_and(|loss| loss.same) && alone {
            let help = format!(
                "{}, and the losses are as before: look at the validation rows, at eval mode and at the metric itself; {ACCEPT}",
                sentence(results)
            );
            return Cause { id: "scoring_changed", help };
        }
        let begins = changes.iter().any(|change| change.quantity == Quantity::InitialLoss);
        let begins = if begins { ", and the program begins as before" } else { "" };
        let help = format!(
            "{}{begins}: look at the optimizer, its rate and schedule, the batches and the step; {ACCEPT}",
            sentence(results)
        );
        Cause { id: "training_changed", help }
    }

    pub(super) fn table(&self, judged: &Judged, taken: &[Vec<Measurement>]) -> Option<Exhibit> {
        let cell = |value: f64| Some(value).filter(|v| v.is_finite());
        let rows: Vec<Row> = self
            .changes(judged, taken)
            .iter()
            .map(|change| Row {
                name: change.quantity.name().to_owned(),
                cells: vec![cell(change.accepted), cell(change.now), cell(change.share), cell(change.told)],
                marked: change.outside,
            })
            .collect();
        let head = ["quantity", "accepted", "now", "change", "can be told"].map(str::to_owned).to_vec();
        (!rows.is_empty()).then_some(Exhibit::Table(Table { head, rows }))
    }

    /// Which changes could have been told.
    pub(super) fn told(&self, judged: &Judged, taken: &[Vec<Measurement>]) -> Option<String> {
        let changes = self.changes(judged, taken);
        if changes.is_empty() {
            return None;
        }
        if changes.iter().all(|change| change.same) {
            return Some("every number is what was accepted, bit for bit".to_owned());
        }
        let coarse = changes.iter().filter(|change| change.told.is_finite());
        let coarse = coarse.max_by(|a, b| a.told.partial_cmp(&b.told).unwrap_or(Ordering::Equal))?;
        let others = if changes.len() > 1 { ", smaller ones of the others" } else { "" };
        Some(format!("changes of {} and more of {} can be told{others}", percent(coarse.told), coarse.quantity.name()))
    }
}

/// A few seeds that went elsewhere than the others.
fn unstable(changes: &[Change], seeds: usize) -> Option<Cause> {
    let change = changes.iter().filter(|c| !c.outside).max_by_key(|change| change.astray.len())?;
    let (seed, then, now) = change.astray.first()?;
    let help = format!(
        "{} is far from all that was accepted in {} of {seeds} seeds (seed {seed}: {} -> {}): the training may be about to diverge; look at that seed (`--seed {seed} --seeds 1` with `learns`), lower the rate, or clip gradients",
        change.quantity.name(),
        change.astray.len(),
        number(*then),
        number(*now)
    );
    Some(Cause { id: "unstable", help })
}

/// The changes side by side.
fn sentence(changes: &[&Change]) -> String {
    changes.iter().map(|change| change.words()).collect::<Vec<_>>().join("; ")
}
