//! Where a wrong gradient is wrong: a direction halved until one entry is left, and the entries around it.

use std::collections::BTreeSet;

use nncheck_core::measurement::gradients::{Answer, Wrong};
use tch::{Kind, Tensor};

use super::line::{Line, Point, Seen, relative};
use crate::subject::SubjectError;
use crate::tensors::shape;

/// How many entries are compared one by one, to say what kind of fault it is.
const COMPARED: i64 = 48;
/// Ratios of autograd to differences that are this near each other are one.
const ALIKE: f64 = 1e-3;

/// Entries from one to another, not included, and what is seen along them.
pub(super) struct Place {
    pub(super) from: i64,
    to: i64,
    seen: Seen,
}

/// Halves `direction` as long as one half differs.
pub(super) fn narrow(point: &Point<'_, '_>, direction: &Tensor) -> Result<Place, SubjectError> {
    let (mut from, mut to) = (0, i64::try_from(point.gradient.numel()).unwrap_or(0));
    let mut seen = part(point, direction, from, to)?;
    while to - from > 1 {
        let middle = from + (to - from) / 2;
        let mut halves = Vec::new();
        for (low, high) in [(from, middle), (middle, to)] {
            let half = part(point, direction, low, high)?;
            if half.answer == Answer::Differs {
                halves.push((low, high, half));
            }
        }
        let off = |seen: &Seen| (seen.autograd - seen.differences).abs();
        let Some((low, high, half)) = halves.into_iter().max_by(|a, b| off(&a.2).total_cmp(&off(&b.2))) else { break };
        (from, to, seen) = (low, high, half);
    }
    Ok(Place { from, to, seen })
}

/// Finds the entry whose gradient is wrong along `direction`, and looks at those around it.
pub(super) fn find(point: &Point<'_, '_>, direction: &Tensor, without: bool) -> Result<Wrong, SubjectError> {
    let Place { from, to, seen } = narrow(point, direction)?;
    let shape = shape(point.parameter);
    let mut wrong = Wrong {
        index: index(from, &shape),
        entries: usize::try_from(to - from).unwrap_or(0),
        autograd: seen.autograd,
        differences: seen.differences,
        compared: 0,
        wrong: 0,
        ratio: None,
        without,
    };
    if wrong.entries == 1 {
        let unit = unit(point, from);
        let seen = Line::along(point, &unit).compare(point.gradient.double_value(&[from]))?;
        (wrong.autograd, wrong.differences) = (seen.autograd, seen.differences);
    }
    look_around(point, from, &shape, &mut wrong)?;
    Ok(wrong)
}

/// The first entry whose gradient is not finite, where the loss changes by a finite amount along it; `None` where there is none.
pub(super) fn not_finite(point: &Point<'_, '_>) -> Result<Option<Wrong>, SubjectError> {
    let bad = point.gradient.isfinite().logical_not();
    let count = |of: &Tensor| usize::try_from(of.to_kind(Kind::Int64).sum(Kind::Int64).int64_value(&[])).unwrap_or(0);
    let wrong = count(&bad);
    if wrong == 0 {
        return Ok(None);
    }
    let at = bad.to_kind(Kind::Int64).argmax(0, false).int64_value(&[]);
    let autograd = point.gradient.double_value(&[at]);
    let seen = Line::along(point, &unit(point, at)).compare(autograd)?;
    Ok(seen.differences.is_finite().then(|| Wrong {
        index: index(at, &shape(point.parameter)),
        entries: 1,
        autograd,
        differences: seen.differences,
        compared: point.gradient.numel(),
        wrong,
        ratio: None,
        without: false,
    }))
}

/// Compares entries of the same row, and others all over the tensor, one by one.
fn look_around(point: &Point<'_, '_>, at: i64, shape: &[usize], wrong: &mut Wrong) -> Result<(), SubjectError> {
    let all = i64::try_from(point.gradient.numel()).unwrap_or(0);
    let row = i64::try_from(shape.iter().skip(1).product::<usize>()).unwrap_or(1).max(1);
    let start = at / row * row;
    let mut entries: BTreeSet<i64> = spread(0, all, COMPARED * 2 / 3).collect();
    entries.extend(spread(start, row, COMPARED / 3));
    entries.insert(at);
    let mut ratios = Vec::new();
    for entry in entries {
        let unit = unit(point, entry);
        let mut line = Line::along(point, &unit);
        let seen = line.compare(line.derivative())?;
        match seen.answer {
            Answer::Differs => {
                wrong.compared += 1;
                wrong.wrong += 1;
                ratios.push(seen.autograd / seen.differences);
            }
            Answer::Agrees => wrong.compared += 1,
            Answer::TooSmall | Answer::Kink => {}
        }
    }
    if let Some((first, rest)) = ratios.split_first()
        && first.is_finite()
        && rest.iter().all(|ratio| relative(*first, *ratio) <= ALIKE)
    {
        wrong.ratio = Some(*first);
    }
    Ok(())
}

/// Up to `most` numbers from `start` on, evenly spread over `count`.
fn spread(start: i64, count: i64, most: i64) -> impl Iterator<Item = i64> {
    let taken = count.min(most);
    (0..taken).map(move |i| start + i * count / taken.max(1))
}

/// The line along some of a direction's entries.
fn part(point: &Point<'_, '_>, direction: &Tensor, from: i64, to: i64) -> Result<Seen, SubjectError> {
    let part = direction.zeros_like();
    part.narrow(0, from, to - from).copy_(&direction.narrow(0, from, to - from));
    let mut line = Line::along(point, &part);
    line.compare(line.derivative())
}

/// The direction of one entry.
fn unit(point: &Point<'_, '_>, entry: i64) -> Tensor {
    let unit = point.gradient.zeros_like();
    let _one = unit.narrow(0, entry, 1).fill_(1.0);
    unit
}

/// The index of a flat position, one number an axis.
fn index(flat: i64, shape: &[usize]) -> Vec<usize> {
    let mut rest = usize::try_from(flat).unwrap_or(0);
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&size| {
            let at = rest % size.max(1);
            rest /= size.max(1);
            at
        })
        .collect();
    index.reverse();
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_position_is_an_index_in_row_order() {
        assert_eq!(index(7, &[3, 4]), [1, 3]);
        assert_eq!(index(0, &[]), [0_usize; 0]);
        assert_eq!(index(23, &[2, 3, 4]), [1, 2, 3]);
    }

    #[test]
    fn entries_are_spread_evenly() {
        assert_eq!(spread(10, 4, 9).collect::<Vec<_>>(), [10, 11, 12, 13]);
        assert_eq!(spread(0, 100, 4).collect::<Vec<_>>(), [0, 25, 50, 75]);
    }
}
