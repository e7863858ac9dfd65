//! Metrics in double precision, with scikit-learn's definitions, sharing no code with libtorch.

use crate::judge::number::count;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::loss::Task;

/// A number that says how good predictions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Share of the examples whose likeliest class is the right one.
    Accuracy,
    /// Share of the examples whose right class is among the `k` likeliest.
    TopK,
    /// Harmonic mean of precision and recall: of class 1 where there are two, else the mean over the classes.
    F1,
    /// Area under the receiver operating characteristic, ties counted half; the mean of one class against the rest over
    /// the classes, where there are more than two.
    Auc,
    /// One minus the squared error over that of the mean, the mean over the targets.
    R2,
    /// Root of the mean squared error.
    Rmse,
    /// Mean absolute error.
    Mae,
    /// Exponential of the mean cross-entropy.
    Perplexity,
}

impl Metric {
    /// What a task is usually measured by.
    #[must_use]
    pub fn usual(task: Task) -> Self {
        match task {
            Task::Multiclass | Task::Binary => Self::Accuracy,
            Task::Regression => Self::R2,
        }
    }

    /// Its name in specs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::TopK => "top_k",
            Self::F1 => "f1",
            Self::Auc => "auc",
            Self::R2 => "r2",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
            Self::Perplexity => "perplexity",
        }
    }

    /// Whether more is better, at most 1; less is better of errors and perplexity.
    #[must_use]
    pub fn more_is_better(self) -> bool {
        !matches!(self, Self::Rmse | Self::Mae | Self::Perplexity)
    }

    /// Whether it is of real numbers, not of classes.
    #[must_use]
    pub fn of_numbers(self) -> bool {
        matches!(self, Self::R2 | Self::Rmse | Self::Mae)
    }
}

/// Predictions beside what they should have been.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictions {
    /// A score for each class, row by row, that is its log-probability but for a constant of the row; and the right ones.
    Classes {
        /// How many classes.
        classes: usize,
        /// As many for each label.
        scores: Vec<f64>,
        /// Below `classes`.
        labels: Vec<usize>,
    },
    /// A logit each, and whether it should be positive.
    Binary {
        /// One for each label.
        logits: Vec<f64>,
        /// Whether it is of class 1.
        labels: Vec<bool>,
    },
    /// Real numbers, row by row.
    Numbers {
        /// How many to a row.
        columns: usize,
        /// What was predicted.
        predicted: Vec<f64>,
        /// What it should have been.
        actual: Vec<f64>,
    },
}

impl Predictions {
    /// How many labels or numbers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Binary { labels, .. } => labels.len(),
            Self::Numbers { actual, .. } => actual.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds those of further rows.
    ///
    /// # Errors
    /// When they are of another kind or width, in words.
    pub fn join(&mut self, more: Self) -> Result<(), String> {
        match (self, more) {
            (Self::Classes { classes, scores, labels }, Self::Classes { classes: k, scores: s, labels: l })
                if *classes == k =>
            {
                scores.extend(s);
                labels.extend(l);
            }
            (Self::Binary { logits, labels }, Self::Binary { logits: s, labels: l }) => {
                logits.extend(s);
                labels.extend(l);
            }
            (Self::Numbers { columns, predicted, actual }, Self::Numbers { columns: c, predicted: p, actual: a })
                if *columns == c =>
            {
                predicted.extend(p);
                actual.extend(a);
            }
            _ => return Err("the outputs change their shape from batch to batch".to_owned()),
        }
        Ok(())
    }

    /// What a model predicts for these that saw only the targets of `training`: each class's share, each target's mean.
    #[must_use]
    pub fn ignorant(&self, training: &Self) -> Self {
        /// A class that was never seen is not impossible.
        const LEAST: f64 = 1e-12;
        match (self, training) {
            (Self::Classes { classes, labels, .. }, Self::Classes { labels: seen, .. }) => {
                let mut counts = vec![0.0; *classes];
                seen.iter()
                    .filter_map(|&class| (class < *classes).then_some(class))
                    .for_each(|class| counts[class] += 1.0);
                let row: Vec<f64> = counts.iter().map(|n| (n / count(seen.len().max(1))).max(LEAST).ln()).collect();
                Self::Classes { classes: *classes, scores: row.repeat(labels.len()), labels: labels.clone() }
            }
            (Self::Binary { labels, .. }, Self::Binary { labels: seen, .. }) => {
                let share = count(seen.iter().filter(|&&one| one).count()) / count(seen.len().max(1));
                let share = share.clamp(LEAST, 1.0 - LEAST);
                Self::Binary { logits: vec![(share / (1.0 - share)).ln(); labels.len()], labels: labels.clone() }
            }
            (Self::Numbers { columns, actual, .. }, Self::Numbers { actual: seen, .. }) => {
                let rows = (seen.len() / columns.max(&1)).max(1);
                let means: Vec<f64> =
                    (0..*columns).map(|c| seen.iter().skip(c).step_by(*columns).sum::<f64>() / count(rows)).collect();
                let predicted = means.repeat(actual.len() / columns.max(&1));
                Self::Numbers { columns: *columns, predicted, actual: actual.clone() }
            }
            _ => self.clone(),
        }
    }

    /// A metric of these; `k` is for `top_k`.
    ///
    /// # Errors
    /// When it does not exist for them, in words that say why.
    pub fn measure(&self, metric: Metric, k: usize) -> Result<f64, String> {
        if self.is_empty() {
            return Err("there are no predictions to measure".to_owned());
        }
        if self.holds_nan() {
            return Ok(f64::NAN);
        }
        match self {
            Self::Classes { classes, scores, labels } if !metric.of_numbers() => {
                of_classes(metric, k, *classes, scores, labels)
            }
            Self::Binary { logits, labels } if !metric.of_numbers() => of_two(metric, logits, labels),
            Self::Numbers { columns, predicted, actual } if metric.of_numbers() => {
                of_numbers(metric, *columns, predicted, actual)
            }
            Self::Numbers { .. } => {
                Err(format!("`{}` is of classes, and the targets are numbers: use r2, rmse or mae", metric.name()))
            }
            _ => Err(format!(
                "`{}` is of numbers, and the targets are classes: use accuracy, top_k, f1, auc or perplexity",
                metric.name()
            )),
        }
    }
}

impl Predictions {
    /// Whether a score is no number; infinite logits are those of probabilities of 0 and 1.
    fn holds_nan(&self) -> bool {
        let scores = match self {
            Self::Classes { scores, .. } => scores,
            Self::Binary { logits, .. } => logits,
            Self::Numbers { predicted, .. } => predicted,
        };
        scores.iter().any(|score| score.is_nan())
    }
}

fn of_classes(metric: Metric, k: usize, classes: usize, scores: &[f64], labels: &[usize]) -> Result<f64, String> {
    let rows = || scores.chunks_exact(classes.max(1)).zip(labels.iter().copied());
    Ok(match metric {
        Metric::Accuracy => mean(rows().map(|(row, label)| share(likeliest(row) == label))),
        // Of equally likely classes the later one counts as the better, as scikit-learn has it.
        Metric::TopK => mean(rows().map(|(row, label)| {
            let right = row.get(label).copied().unwrap_or(f64::NAN);
            share(
                row.iter().enumerate().filter(|&(c, &s)| s > right || s == right && c > label).count() < k
                    && right.is_finite(),
            )
        })),
        Metric::F1 => {
            let predicted: Vec<usize> = rows().map(|(row, _)| likeliest(row)).collect();
            let each: Vec<f64> = (0..classes).filter_map(|class| f1(&predicted, labels, class)).collect();
            mean(each.into_iter())
        }
        Metric::Auc => {
            let probabilities: Vec<Vec<f64>> = rows()
                .map(|(row, _)| {
                    let total = log_sum(row);
                    row.iter().map(|score| (score - total).exp()).collect()
                })
                .collect();
            let of = |class: usize| {
                let scores: Vec<f64> = probabilities.iter().map(|row| row[class]).collect();
                auc(&scores, &labels.iter().map(|&label| label == class).collect::<Vec<_>>())
            };
            let each: Vec<f64> =
                if classes == 2 { of(1).into_iter().collect() } else { (0..classes).filter_map(of).collect() };
            if each.is_empty() {
                return Err("all examples are of one class: `auc` has nothing to tell apart".to_owned());
            }
            mean(each.into_iter())
        }
        _ => mean(rows().map(|(row, label)| log_sum(row) - row.get(label).copied().unwrap_or(f64::NEG_INFINITY))).exp(),
    })
}

fn of_two(metric: Metric, logits: &[f64], labels: &[bool]) -> Result<f64, String> {
    let rows = || logits.iter().copied().zip(labels.iter().copied());
    Ok(match metric {
        Metric::Accuracy => mean(rows().map(|(logit, label)| share((logit > 0.0) == label))),
        Metric::TopK => return Err("`top_k` is of more than two classes: use accuracy".to_owned()),
        Metric::F1 => {
            let predicted: Vec<usize> = logits.iter().map(|&logit| usize::from(logit > 0.0)).collect();
            let labels: Vec<usize> = labels.iter().map(|&label| usize::from(label)).collect();
            f1(&predicted, &labels, 1).unwrap_or(0.0)
        }
        Metric::Auc => auc(logits, labels)
            .ok_or_else(|| "all examples are of one class: `auc` has nothing to tell apart".to_owned())?,
        // ln(1 + e^-z) for class 1, ln(1 + e^z) for class 0, without overflow.
        _ => mean(rows().map(|(logit, label)| {
            let wrong = if label { -logit } else { logit };
            wrong.max(0.0) + (-wrong.abs()).exp().ln_1p()
        }))
        .exp(),
    })
}

fn of_numbers(metric: Metric, columns: usize, predicted: &[f64], actual: &[f64]) -> Result<f64, String> {
    let errors = || predicted.iter().zip(actual).map(|(p, a)| p - a);
    Ok(match metric {
        Metric::Rmse => mean(errors().map(|e| e * e)).sqrt(),
        Metric::Mae => mean(errors().map(f64::abs)),
        _ => {
            let column = |c: usize| {
                let of = |all: &[f64]| all.iter().copied().skip(c).step_by(columns.max(1)).collect::<Vec<_>>();
                let (predicted, actual) = (of(predicted), of(actual));
                let centre = mean(actual.iter().copied());
                let total: f64 = actual.iter().map(|a| (a - centre).powi(2)).sum();
                let left: f64 = predicted.iter().zip(&actual).map(|(p, a)| (p - a).powi(2)).sum();
                (total > 0.0).then(|| 1.0 - left / total)
            };
            let each: Vec<f64> = (0..columns).filter_map(column).collect();
            if each.is_empty() {
                return Err("all targets are equal: `r2` has no spread to explain".to_owned());
            }
            mean(each.into_iter())
        }
    })
}

/// The first of the highest.
fn likeliest(row: &[f64]) -> usize {
    let mut best = 0;
    for (class, &score) in row.iter().enumerate() {
        if score > row[best] || (row[best].is_nan() && !score.is_nan()) {
            best = class;
        }
    }
    best
}

/// `ln` of the sum of exponentials.
fn log_sum(row: &[f64]) -> f64 {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return most;
    }
    most + row.iter().map(|score| (score - most).exp()).sum::<f64>().ln()
}

/// F1 of one class; `None` where it neither occurs nor is predicted.
fn f1(predicted: &[usize], labels: &[usize], class: usize) -> Option<f64> {
    let (mut hits, mut of_predicted, mut of_labels) = (0_usize, 0_usize, 0_usize);
    for (&p, &l) in predicted.iter().zip(labels) {
        hits += usize::from(p == class && l == class);
        of_predicted += usize::from(p == class);
        of_labels += usize::from(l == class);
    }
    (of_predicted + of_labels > 0).then(|| 2.0 * count(hits) / count(of_predicted + of_labels))
}

/// The chance that a positive example has the higher score (Mann and Whitney 1947); `None` without one of either kind.
fn auc(scores: &[f64], positive: &[bool]) -> Option<f64> {
    // Both zeros are one score.
    let compare = |a: usize, b: usize| (scores[a] + 0.0).total_cmp(&(scores[b] + 0.0));
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| compare(a, b));
    let (mut below, mut wins, mut positives) = (0.0, 0.0, 0.0);
    for group in order.chunk_by(|&a, &b| compare(a, b).is_eq()) {
        let ones = count(group.iter().filter(|&&i| positive[i]).count());
        let zeros = count(group.len()) - ones;
        wins += ones * (below + zeros / 2.0);
        below += zeros;
        positives += ones;
    }
    (positives > 0.0 && below > 0.0).then(|| wins / (positives * below))
}

fn share(right: bool) -> f64 {
    if right { 1.0 } else { 0.0 }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (n, sum) = values.fold((0_usize, 0.0), |(n, sum), v| (n + 1, sum + v));
    sum / count(n)
}

#[cfg(test)]
#[path = "metric_tests.rs"]
mod tests;
