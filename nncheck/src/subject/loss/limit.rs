//! What the targets of a few examples allow at best: where the loss of any model stays above zero, or not every answer can be
//! right.

use nncheck_core::judge::number::count;
use nncheck_core::spec::loss::{LossKind, Reduction};
use tch::{Kind, Tensor};

use super::LossFunction;
use super::term::Term;
use crate::tensors::{is_next, values};
use crate::user::Batch;

/// The best that any model could do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limit {
    /// The least loss.
    pub(crate) loss: f64,
    /// The largest accuracy.
    pub(crate) accuracy: f64,
}

impl Limit {
    /// A loss of zero, and everything right.
    pub(crate) const NONE: Self = Self { loss: 0.0, accuracy: 1.0 };
}

impl LossFunction {
    /// The best that any model could do on these rows, of `classes` classes. A user's own function has no limit that anybody
    /// knows.
    pub(crate) fn limit(&self, rows: &Batch, classes: Option<usize>) -> Limit {
        let mut limit = Limit::NONE;
        for (at, term) in self.terms.iter().enumerate().filter(|(_, term)| term.spec().reduction == Reduction::Mean) {
            let Ok(target) = term.target(rows) else { continue };
            let least = match term.kind() {
                Some(LossKind::CrossEntropy) => classes.map_or(0.0, |k| smoothed(term, k)),
                Some(LossKind::Bce | LossKind::BceWithLogits) => soft(target),
                _ => 0.0,
            };
            limit.loss += term.spec().weight * least;
            if at == 0 && matches!(term.kind(), Some(LossKind::CrossEntropy | LossKind::Nll)) {
                let (loss, accuracy) = beginnings(rows, target, term.ignore_index());
                limit.loss += term.spec().weight * loss;
                limit.accuracy = accuracy;
            }
        }
        limit
    }
}

/// The entropy of a target that is spread over `k` classes by label smoothing.
fn smoothed(term: &Term, k: usize) -> f64 {
    let k = count(k);
    let other = term.label_smoothing() / k;
    let right = 1.0 - term.label_smoothing() + other;
    let surprise = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    surprise(right) + (k - 1.0) * surprise(other)
}

/// The mean entropy of targets between 0 and 1.
fn soft(target: &Tensor) -> f64 {
    let y = target.to_kind(Kind::Double).clamp(0.0, 1.0);
    let no: Tensor = 1.0 - &y;
    -(y.xlogy(&y) + no.xlogy(&no)).mean(Kind::Double).double_value(&[])
}

/// Of sequences whose targets are their next tokens: the mean entropy of what follows the same beginning, and the share that is
/// right where the more frequent is said.
fn beginnings(rows: &Batch, target: &Tensor, ignored: i64) -> (f64, f64) {
    let none = (0.0, 1.0);
    let follows = |input: &Tensor| input.dim() == 2 && input.kind() == Kind::Int64 && is_next(input, target);
    let Some(input) = rows.inputs().iter().map(|(_, input)| input).find(|input| follows(input)) else { return none };
    let width = usize::try_from(target.size()[1]).unwrap_or(0).max(1);
    let table = |ids: &Tensor| -> Vec<Vec<i64>> {
        values::<i64>(ids, Kind::Int64).chunks(width).map(<[i64]>::to_vec).collect()
    };
    let (tokens, next) = (table(input), table(target));
    let (mut surprise, mut right, mut all) = (0.0, 0.0, 0.0);
    for (row, nexts) in next.iter().enumerate() {
        for (at, &own) in nexts.iter().enumerate().filter(|(_, own)| **own != ignored) {
            let alike: Vec<i64> =
                (0..next.len()).filter(|&r| tokens[r][..=at] == tokens[row][..=at]).map(|r| next[r][at]).collect();
            let times = |token: i64| alike.iter().filter(|&&other| other == token).count();
            // The least of the most frequent, so that one of them is right.
            let said = alike.iter().copied().max_by_key(|&token| (times(token), std::cmp::Reverse(token)));
            let share = count(times(own)) / count(alike.len());
            surprise -= share.ln();
            right += if said == Some(own) { 1.0 } else { 0.0 };
            all += 1.0;
        }
    }
    if all == 0.0 { none } else { (surprise / all, right / all) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_that_begin_alike_cannot_all_be_told() {
        // 7 goes on with 1 or with 2; from then on all is told.
        let x = Tensor::from_slice2(&[[7_i64, 1, 3, 3], [7, 2, 3, 3]]);
        let y = Tensor::from_slice2(&[[1_i64, 3, 3, 5], [2, 3, 3, 6]]);
        let (loss, accuracy) = beginnings(&Batch::new(x.shallow_clone(), y.shallow_clone()), &y, -100);
        assert!((loss - 2.0 * std::f64::consts::LN_2 / 8.0).abs() < 1e-12, "{loss}");
        assert!((accuracy - 7.0 / 8.0).abs() < 1e-12, "{accuracy}");
        // Targets that are no next tokens may need all of the input.
        let labels = Tensor::from_slice2(&[[0_i64, 0, 0, 0], [1, 1, 1, 1]]);
        assert_eq!(beginnings(&Batch::new(x, labels.shallow_clone()), &labels, -100), (0.0, 1.0));
    }

    #[test]
    fn soft_targets_have_their_entropy_and_hard_ones_none() {
        assert!((soft(&Tensor::from_slice(&[0.5, 0.5])) - std::f64::consts::LN_2).abs() < 1e-12);
        assert!(soft(&Tensor::from_slice(&[0.0, 1.0, 1.0])).abs() < 1e-12);
    }
}
