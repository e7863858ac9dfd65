//! A loss held against a reference, and the mistakes that explain the difference.

use super::Judgement;
use crate::check::{Cause, Context};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Scale};
use crate::measurement::{LossCase, LossFunction, Tried, TriedTerm};
use crate::reference::{Fault, Outputs};
use crate::spec::loss::LossKind;

/// Differences as small as this are the same number, when a mistake is looked for.
const SAME: f64 = 1e-3;

/// A loss that is held against a reference.
pub(super) struct Side {
    /// The term's name, where there are several.
    term: Option<String>,
    of_step: bool,
    kind: LossKind,
    cases: Vec<LossCase>,
    output_shape: Vec<usize>,
    rows: usize,
}

impl Judgement for Side {
    fn entries(&self, tolerance: f64) -> Vec<Entry> {
        let entry = |case: &LossCase| Entry {
            name: Some(self.name(case.outputs)),
            value: Some(difference(&self.cases, case)),
            band: Some(Band { min: None, max: Some(tolerance), expect: None }),
            scale: Scale::Linear,
        };
        self.cases.iter().map(entry).collect()
    }

    fn causes(&self) -> Vec<Cause> {
        let who = self.who();
        if let Some(case) = self.cases.iter().find(|case| !case.value.is_finite()) {
            let help = format!(
                "{who} of {} is {}, and should be {}: take logarithms with `log_softmax` or `logsigmoid`, not of probabilities",
                case.outputs.words(),
                number(case.value),
                number(case.reference)
            );
            return vec![Cause { id: "not_finite", help }];
        }
        let mut causes: Vec<Cause> = self
            .matching()
            .into_iter()
            .map(|fault| {
                let (id, help) = explained(fault, &self.output_shape, self.rows);
                Cause { id, help: format!("{who} is {help}") }
            })
            .collect();
        causes.dedup_by_key(|cause| cause.id);
        if causes.is_empty() {
            causes.push(self.without_a_name(&who));
        }
        causes
    }
}

/// The loss that a step returns, freed of what is no mistake; `None` where there is none.
pub(super) fn of_step(seen: &LossFunction, context: &Context<'_>) -> Option<Side> {
    let mut step = seen.of_step.clone();
    if let Some(offset) = constant_offset(&step).filter(|offset| *offset > 0.0) {
        for case in &mut step {
            case.value -= offset;
        }
    }
    // A step of several micro-batches may return its share of the mean.
    let parts = context.subject.train.accumulate;
    #[expect(clippy::cast_precision_loss, reason = "a handful of micro-batches")]
    if parts > 1 && scale(&step).is_some_and(|scale| (scale * parts as f64 - 1.0).abs() < SAME) {
        step.iter_mut().for_each(|case| case.value *= parts as f64);
    }
    let term = seen.terms.first()?;
    let side = Side::of(term, term.tried.first()?, seen.rows);
    (!step.is_empty()).then_some(Side { of_step: true, cases: step, ..side })
}

/// What a case is compared in units of.
fn unit(cases: &[LossCase], case: &LossCase) -> f64 {
    let zeros = cases.iter().find(|c| c.outputs == Outputs::Zeros).map_or(0.0, |c| c.reference.abs());
    let unit = case.reference.abs().max(zeros);
    if unit > 0.0 { unit } else { 1.0 }
}

fn difference(cases: &[LossCase], case: &LossCase) -> f64 {
    (case.value - case.reference).abs() / unit(cases, case)
}

/// What is added to every case alike.
fn constant_offset(cases: &[LossCase]) -> Option<f64> {
    let first = cases.first()?;
    let offset = first.value - first.reference;
    let constant = cases.iter().all(|c| (c.value - c.reference - offset).abs() <= SAME * unit(cases, c));
    (constant && offset.abs() > SAME * unit(cases, first)).then_some(offset)
}

/// What every case is multiplied with.
fn scale(cases: &[LossCase]) -> Option<f64> {
    let largest = cases.iter().max_by(|a, b| a.reference.abs().total_cmp(&b.reference.abs()))?;
    let scale = largest.value / largest.reference;
    let all = cases.iter().all(|c| (c.value - scale * c.reference).abs() <= SAME * scale.abs() * unit(cases, c));
    (all && scale.is_finite() && (scale - 1.0).abs() > SAME).then_some(scale)
}

impl Side {
    /// A term taken for one of a kind.
    pub(super) fn of(term: &TriedTerm, tried: &Tried, rows: usize) -> Self {
        Self {
            term: term.name.clone(),
            of_step: false,
            kind: tried.kind,
            cases: tried.cases.clone(),
            output_shape: term.output_shape.clone(),
            rows,
        }
    }

    /// Whether it is what the reference is.
    pub(super) fn is_the_reference(&self, tolerance: f64) -> bool {
        self.cases.iter().all(|case| difference(&self.cases, case) <= tolerance)
    }

    fn name(&self, outputs: Outputs) -> String {
        match (&self.term, self.of_step) {
            (_, true) => format!("{} in the step", outputs.words()),
            (Some(term), false) => format!("{term}, {}", outputs.words()),
            (None, false) => outputs.words().to_owned(),
        }
    }

    fn who(&self) -> String {
        match (&self.term, self.of_step) {
            (_, true) => "the loss that the step returns".to_owned(),
            (Some(term), false) => format!("the term `{term}` of the loss"),
            (None, false) => "the loss".to_owned(),
        }
    }

    fn value(&self, outputs: Outputs) -> Option<&LossCase> {
        self.cases.iter().find(|case| case.outputs == outputs)
    }

    /// The mistakes that explain every case.
    pub(super) fn matching(&self) -> Vec<Fault> {
        let Some(first) = self.cases.first() else { return Vec::new() };
        let explains = |fault: Fault| {
            self.cases.iter().all(|case| {
                let wrong = case.faulty.iter().filter(|(f, _)| *f == fault);
                // A reference of zero has no units of its own: the mistake's size is one.
                wrong
                    .clone()
                    .any(|(_, value)| (case.value - value).abs() <= SAME * unit(&self.cases, case).max(value.abs()))
            })
        };
        let mut all: Vec<Fault> = first.faulty.iter().map(|(fault, _)| *fault).filter(|&f| explains(f)).collect();
        all.dedup();
        all
    }

    fn without_a_name(&self, who: &str) -> Cause {
        let (low, high) = self
            .cases
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), c| (low.min(c.value), high.max(c.value)));
        if high - low <= 1e-6 * high.abs() {
            let help = format!(
                "{who} is {} whatever the outputs: look for `detach`, or for a loss of the targets alone",
                number(low)
            );
            return Cause { id: "constant", help };
        }
        if let Some(scale) = scale(&self.cases) {
            let help = format!("{who} is {} times what it should be, on all outputs alike", number(scale));
            return Cause { id: "scaled", help };
        }
        if let Some(offset) = constant_offset(&self.cases) {
            let help = format!(
                "{who} is {} more than it should be, on all outputs alike: declare a regularisation as `l2`",
                number(offset)
            );
            return Cause { id: "offset", help };
        }
        if let (Some(zeros), Some(right)) = (self.value(Outputs::Zeros), self.value(Outputs::Right))
            && right.value > zeros.value
        {
            let help = format!(
                "{who} rises from {} for zero outputs to {} for right ones: look at the sign, and at which targets the outputs are held against",
                number(zeros.value),
                number(right.value)
            );
            return Cause { id: "rises_with_better_outputs", help };
        }
        let worst = self.cases.iter().max_by(|a, b| difference(&self.cases, a).total_cmp(&difference(&self.cases, b)));
        let numbers = worst.map_or_else(String::new, |c| {
            format!(": for {} it is {}, and should be {}", c.outputs.words(), number(c.value), number(c.reference))
        });
        Cause {
            id: "other_loss",
            help: format!("{who} is not `{}`, nor that with a usual mistake{numbers}", self.kind.name()),
        }
    }
}

/// A mistake's cause, and what the loss then is.
pub(super) fn explained(fault: Fault, shape: &[usize], rows: usize) -> (&'static str, String) {
    match fault {
        Fault::WrongAxis => (
            "wrong_axis",
            format!(
                "what a softmax over another axis than the classes gives on outputs {shape:?}: take it over the class axis"
            ),
        ),
        Fault::Broadcast => (
            "broadcast",
            format!(
                "what every output against every target gives: outputs {shape:?} broadcast against the targets; reshape the targets to {shape:?}"
            ),
        ),
        Fault::Sign => ("sign", "minus what it should be: training it raises the loss; turn the sign".to_owned()),
        Fault::SquashedTwice => (
            "softmax_twice",
            "what probabilities give where logits are wanted: remove the softmax or sigmoid before it".to_owned(),
        ),
        Fault::NoSoftmax => (
            "logits_for_probabilities",
            "what logits give where logarithms of probabilities are wanted: put `log_softmax` before it".to_owned(),
        ),
        Fault::NoLogarithm => (
            "logits_for_probabilities",
            "what probabilities give where their logarithms are wanted: use `log_softmax`".to_owned(),
        ),
        Fault::Summed => ("reduction", format!("a sum over {rows} rows where a mean is wanted: average it")),
        Fault::Averaged => ("reduction", "a mean where a sum is wanted".to_owned()),
        Fault::OverRows => (
            "reduction",
            "averaged over the rows alone, and summed over what each row has: average over both".to_owned(),
        ),
        Fault::OverClasses => {
            ("reduction", "divided by the number of classes too: average over the rows alone".to_owned())
        }
        Fault::Root => ("other_kind", "the square root of the mean square: take the mean square itself".to_owned()),
        Fault::Kind(other) => {
            ("other_kind", format!("`{}`: name that kind in [loss], or use the one that is named", other.name()))
        }
        Fault::NoClassWeights => ("option_ignored", "what it is without the class weights".to_owned()),
        Fault::NoSmoothing => ("option_ignored", "what it is without label smoothing".to_owned()),
        Fault::NothingIgnored => ("option_ignored", "what it is when the ignored class id counts".to_owned()),
    }
}
