//! What there is to see of each term, and what is wrong with it.

use crate::check::evidence::{ending, reach};
use crate::check::{Cause, Context};
use crate::judge::Band;
use crate::judge::number::count;
use crate::judge::number::number;
use crate::measurement::LossTask;
use crate::measurement::loss_task::Given;
use crate::reference::class_axis;
use crate::spec::loss::{LossKind, Task, Term};

/// One thing that was looked at.
pub(super) struct Finding {
    /// Its name, with the term's where there are several.
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) band: Band,
    /// What is wrong, if anything.
    pub(super) cause: Option<Cause>,
}

const NOTHING: Band = Band { min: None, max: Some(0.0), expect: None };
/// Fewer targets than this may be the same by chance.
const FEW: usize = 8;

/// Everything that was looked at.
pub(super) fn findings(context: &Context<'_>, seen: &LossTask) -> Vec<Finding> {
    let terms = &context.subject.loss.terms;
    let several = terms.len() > 1;
    let mut all = Vec::new();
    for (index, (term, given)) in terms.iter().zip(&seen.terms).enumerate() {
        let Some(kind) = term.kind else { continue };
        let title = several.then(|| term.title());
        let look = Look { kind, term, given, seen, first: index == 0 };
        let named = |what: &str| title.map_or_else(|| what.to_owned(), |title| format!("{title}, {what}"));
        all.extend(look.width().map(|(value, band, cause)| Finding {
            name: named("output width"),
            value,
            band,
            cause,
        }));
        let share = |what: &str, found: Option<(f64, &'static str, String)>| {
            let value = found.as_ref().map_or(0.0, |(share, ..)| *share);
            let cause = found.map(|(_, id, help)| Cause { id, help });
            Finding { name: named(what), value, band: NOTHING, cause }
        };
        all.push(share("outputs that do not suit", look.outputs()));
        all.push(share("targets that do not suit", look.targets()));
    }
    for finding in &mut all {
        if finding.cause.as_ref().is_some_and(|cause| context.allows_cause(cause.id)) {
            finding.band = Band::default();
            finding.cause = None;
        }
    }
    all
}

/// One term that is looked at.
struct Look<'a> {
    kind: LossKind,
    term: &'a Term,
    given: &'a Given,
    seen: &'a LossTask,
    first: bool,
}

/// A share, the cause and what to do.
type Wrong = Option<(f64, &'static str, String)>;

impl Look<'_> {
    /// The number of outputs to choose from, where a class has one each.
    fn width(&self) -> Option<(f64, Band, Option<Cause>)> {
        let (output, target) = (&self.given.output_shape, &self.given.target_shape);
        let axis = (self.kind.task() == Task::Multiclass)
            .then(|| class_axis(output, target, self.term.class_axis))
            .flatten()?;
        let width = *output.get(axis)?;
        let classes = self.seen.facts.classes.filter(|_| self.first)?;
        let k = Some(count(classes));
        let cause = (width != classes).then(|| Cause {
            id: "output_width",
            help: if width == 1 {
                format!("one output cannot tell {classes} classes apart: give the last layer {classes} outputs, or use bce_with_logits for two")
            } else {
                format!("the model has {width} outputs and the data {classes} classes: give the last layer {classes} outputs, or state `[data] classes = {width}`")
            },
        });
        Some((count(width), Band { min: k, max: k, expect: k }, cause))
    }

    fn outputs(&self) -> Wrong {
        let given = self.given;
        let operator = self.seen.last_operator.as_deref();
        let one = given.output_shape.get(1..).is_none_or(|row| row.iter().product::<usize>() == 1);
        if one && operator.is_some_and(|o| o.contains("softmax")) {
            let help = format!(
                "the model ends with a softmax over a single unit, so it puts out {} whatever the input: end with a sigmoid, or hand the logit to bce_with_logits",
                number(given.output_max)
            );
            return Some((1.0, "one_unit_softmax", help));
        }
        if self.kind.task() != Task::Multiclass
            && given.output_shape.iter().product::<usize>() != given.target_shape.iter().product::<usize>()
        {
            let help = format!(
                "outputs of shape {:?} and targets of shape {:?}: give the last layer as many outputs as a row has targets",
                given.output_shape, given.target_shape
            );
            return Some((1.0, "output_shape", help));
        }
        if self.kind.task() == Task::Multiclass
            && class_axis(&given.output_shape, &given.target_shape, self.term.class_axis).is_none()
            && given.ids
        {
            let help = format!(
                "outputs of shape {:?} have no axis of classes for targets of shape {:?}: put the classes on the second",
                given.output_shape, given.target_shape
            );
            return Some((1.0, "output_shape", help));
        }
        let activation = |help: String| Some((1.0, "output_activation", help));
        let range = format!("the outputs lie from {} to {}", number(given.output_min), number(given.output_max));
        match self.kind {
            LossKind::CrossEntropy if given.sums_to_one => activation(format!(
                "the outputs are probabilities that sum to one, and cross_entropy wants logits{}: remove the softmax",
                ends(operator)
            )),
            LossKind::Nll if !given.logarithms_of_ones => activation(format!(
                "{range} and are no log-probabilities{}: end with log_softmax, or use cross_entropy",
                ends(operator)
            )),
            LossKind::Bce if given.output_min < 0.0 || given.output_max > 1.0 => activation(format!(
                "{range}, and bce wants probabilities{}: end with sigmoid, or use bce_with_logits",
                ends(operator)
            )),
            LossKind::CrossEntropy | LossKind::BceWithLogits => {
                operator.and_then(|operator| ending(self.kind, operator)).and_then(activation)
            }
            LossKind::Mse | LossKind::L1 | LossKind::Huber => self.unreachable(operator?),
            LossKind::Nll | LossKind::Bce => None,
        }
    }

    /// Targets that the last activation cannot reach.
    fn unreachable(&self, operator: &str) -> Wrong {
        let (low, high) = reach(operator)?;
        let (least, most) = (self.given.target_min, self.given.target_max);
        (least < low || most > high).then(|| {
            let help = format!(
                "the model ends with {operator}, which puts out {} to {}, and the targets lie from {} to {}: end with a linear layer",
                number(low),
                number(high),
                number(least),
                number(most)
            );
            (1.0, "unreachable_targets", help)
        })
    }

    fn targets(&self) -> Wrong {
        let given = self.given;
        let classes = self.kind.task() == Task::Multiclass;
        if classes != given.ids {
            let (wants, are) = if classes { ("class ids", "numbers") } else { ("numbers", "class ids") };
            let help = format!(
                "`{}` wants {wants}, and the targets are {are}: use the loss that suits them",
                self.kind.name()
            );
            return Some((1.0, "target_type", help));
        }
        let outside = |low: f64, high: f64| {
            let counts = |value: f64| !(classes && is(value, self.term.ignore_index));
            let share: f64 =
                given.values.iter().filter(|(v, _)| (*v < low || *v > high) && counts(*v)).map(|(_, s)| s).sum();
            (share > 0.0).then_some(share)
        };
        let range = format!("the targets lie from {} to {}", number(given.target_min), number(given.target_max));
        let wrong = match self.kind.task() {
            Task::Multiclass => {
                let width = class_axis(&given.output_shape, &given.target_shape, self.term.class_axis)
                    .and_then(|axis| given.output_shape.get(axis))?;
                let help = format!(
                    "{range}, and there are {width} outputs: class ids run from 0 to {}",
                    width.saturating_sub(1)
                );
                outside(0.0, count(width.saturating_sub(1))).map(|share| (share, help))
            }
            Task::Binary => {
                outside(0.0, 1.0).map(|share| (share, format!("{range}, and `{}` wants 0 to 1", self.kind.name())))
            }
            Task::Regression => None,
        };
        if let Some((share, help)) = wrong {
            return Some((share, "target_range", help));
        }
        if let [(value, _)] = given.values[..]
            && self.seen.facts.examples >= FEW
        {
            return Some((
                1.0,
                "constant_targets",
                format!("all targets are {}: there is nothing to learn", number(value)),
            ));
        }
        let k = (self.kind.task() == Task::Regression).then(|| as_class_ids(&given.values)).flatten()?;
        let help = format!(
            "the targets are the whole numbers from 0 to {}, each about as often: if they are class ids, use `cross_entropy` with {k} outputs",
            k - 1
        );
        Some((1.0, "class_ids_as_numbers", help))
    }
}

/// How many classes there are, where numbers look like class ids.
fn as_class_ids(values: &[(f64, f64)]) -> Option<usize> {
    let k = values.len();
    let numbered = values.iter().enumerate().all(|(id, (value, _))| (*value - count(id)).abs() < 1e-9);
    let entropy: f64 = -values.iter().map(|(_, share)| share * share.ln()).sum::<f64>();
    ((3..=100).contains(&k) && numbered && entropy > 0.9 * count(k).ln()).then_some(k)
}

/// The last operator, as a half sentence.
fn ends(operator: Option<&str>) -> String {
    operator.map_or_else(String::new, |operator| format!(" (the model ends with {operator})"))
}

#[expect(clippy::cast_precision_loss, reason = "class ids are small")]
fn is(value: f64, id: i64) -> bool {
    (value - id as f64).abs() < 0.5
}
