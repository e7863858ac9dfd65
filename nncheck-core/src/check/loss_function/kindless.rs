//! A loss of the user's own of which the spec says no kind: recognised, where it is one of the known ones or one with a
//! usual mistake; else judged by what holds of any loss.

use super::Judgement;
use super::side::Side;
use crate::check::Cause;
use crate::judge::number::{number, times};
use crate::judge::{Band, Entry, Scale};
use crate::measurement::{LossCase, Tried, TriedTerm};
use crate::reference::{Fault, Outputs};

/// Mistakes, whatever the loss is meant to be. Others, such as another reduction over what a row has, may be meant.
const MISTAKES: [Fault; 7] = [
    Fault::WrongAxis,
    Fault::Broadcast,
    Fault::Sign,
    Fault::Summed,
    Fault::SquashedTwice,
    Fault::NoSoftmax,
    Fault::NoLogarithm,
];
/// How near to two a factor is that comes of a sum.
const ABOUT: f64 = 1e-2;

/// How a term without a kind is judged.
pub(super) fn judgement<'a>(term: &'a TriedTerm, rows: usize, tolerance: f64) -> Box<dyn Judgement + 'a> {
    let sides = || term.tried.iter().map(|tried| Side::of(term, tried, rows));
    let right = sides().find(|side| side.is_the_reference(tolerance));
    let wrong = || sides().find(|side| side.matching().iter().any(|fault| MISTAKES.contains(fault)));
    match right.or_else(wrong) {
        Some(side) => Box::new(side),
        None => Box::new(Unknown { term, tolerance }),
    }
}

/// A loss that is none of the known ones.
struct Unknown<'a> {
    term: &'a TriedTerm,
    tolerance: f64,
}

impl Unknown<'_> {
    fn name(&self, what: &str) -> String {
        self.term.name.as_ref().map_or_else(|| what.to_owned(), |term| format!("{term}, {what}"))
    }

    fn who(&self) -> String {
        self.term.name.as_ref().map_or_else(|| "the loss".to_owned(), |term| format!("the term `{term}` of the loss"))
    }

    /// The losses of zeros and of right outputs, in the representation in which it falls furthest.
    fn ends(&self) -> Option<[f64; 2]> {
        let of = |tried: &Tried, what| {
            let case = tried.cases.iter().find(|case: &&LossCase| case.outputs == what);
            case.map(|case| case.value)
        };
        let tried =
            self.term.tried.iter().filter_map(|tried| Some([of(tried, Outputs::Zeros)?, of(tried, Outputs::Right)?]));
        let all = tried.chain(self.term.logarithms).filter(|ends| ends.iter().all(|end| end.is_finite()));
        all.min_by(|a, b| rise(*a).total_cmp(&rise(*b)))
    }

    /// The lowest and the highest of all its values.
    fn range(&self) -> (f64, f64) {
        let values = self.term.tried.iter().flat_map(|tried| &tried.cases).map(|case| case.value);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    }

    fn is_constant(&self) -> bool {
        let (low, high) = self.range();
        high - low <= 1e-6 * high.abs()
    }
}

/// How far a loss rises towards right outputs, in units of its larger value there.
fn rise([zeros, right]: [f64; 2]) -> f64 {
    let unit = zeros.abs().max(right.abs());
    if unit > 0.0 { (right - zeros) / unit } else { 0.0 }
}

/// How far two numbers are apart, in units of the larger.
fn apart([a, b]: [f64; 2]) -> f64 {
    (a - b).abs() / a.abs().max(b.abs()).max(f64::MIN_POSITIVE)
}

const RISE: &str = "rise from zero to right outputs";
const DOUBLED: &str = "each row twice";
const SHIFTED: &str = "the next rows' targets";
const RESHAPED: &str = "targets in the outputs' shape";

impl Judgement for Unknown<'_> {
    fn entries(&self, tolerance: f64) -> Vec<Entry> {
        let entry = |what: &str, value: f64, band| Entry {
            name: Some(self.name(what)),
            value: Some(value),
            band,
            scale: Scale::Linear,
        };
        let mut entries = Vec::new();
        if let Some(ends) = self.ends() {
            let band = Band { min: None, max: Some(-tolerance), expect: None };
            entries.push(entry(RISE, rise(ends), Some(band)));
        }
        if let Some(ratio) = self.term.doubled.map(|[once, twice]| twice / once).filter(|ratio| ratio.is_finite()) {
            // What compares rows with one another may be of any size; a factor of two is a sum.
            let meant = (ratio - 2.0).abs() <= ABOUT || (ratio - 1.0).abs() <= ABOUT;
            let band = Band { min: Some(1.0 - ABOUT), max: Some(1.0 + ABOUT), expect: Some(1.0) };
            entries.push(entry(DOUBLED, ratio, meant.then_some(band)));
        }
        if let Some([as_they_are, fitting]) = self.term.reshaped {
            entries.push(entry(
                RESHAPED,
                apart([as_they_are, fitting]),
                Some(Band { min: None, max: Some(tolerance), expect: None }),
            ));
        }
        if let Some(apart) = self.term.shifted.map(apart) {
            entries.push(entry(SHIFTED, apart, Some(Band { min: Some(tolerance), max: None, expect: None })));
        }
        entries
    }

    fn causes(&self) -> Vec<Cause> {
        let who = self.who();
        let mut causes = Vec::new();
        if self.is_constant() {
            let help = format!(
                "{who} is {} whatever the outputs: look for `detach`, or for a loss of the targets alone",
                number(self.range().0)
            );
            return vec![Cause { id: "constant", help }];
        }
        if let Some([as_they_are, fitting]) = self.term.reshaped
            && (as_they_are - fitting).abs() > self.tolerance * as_they_are.abs().max(fitting.abs())
        {
            let shape = &self.term.output_shape;
            causes.push(Cause {
                id: "broadcast",
                help: format!(
                    "{who} is {}, and {} on the same targets in the outputs' shape {shape:?}: every output is held against every target; reshape the targets",
                    number(as_they_are),
                    number(fitting)
                ),
            });
        }
        if self.term.shifted.is_some_and(|pair| apart(pair) < self.tolerance) {
            let help = format!(
                "{who} stays the same where each output is held against the next row's target: every output is held against every target; reshape the targets to {:?}",
                self.term.output_shape
            );
            causes.push(Cause { id: "broadcast", help });
        }
        if let Some([once, twice]) = self.term.doubled
            && (twice / once - 2.0).abs() <= ABOUT
        {
            let help = format!(
                "{who} is {} times as large where each row is there twice: it is a sum over the rows; average it",
                times(twice / once)
            );
            causes.push(Cause { id: "reduction", help });
        }
        if let Some(ends) = self.ends().filter(|ends| rise(*ends) > -self.tolerance) {
            causes.push(Cause {
                id: "rises_with_better_outputs",
                help: format!(
                    "{who} goes from {} for zero outputs to {} for right ones: look at the sign, and at which targets the outputs are held against",
                    number(ends[0]),
                    number(ends[1])
                ),
            });
        }
        causes
    }
}
