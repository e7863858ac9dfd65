//! Why examples are not learnt by heart, from the course of the loss.

use super::Cause;
use super::Context;
use crate::judge::number::{number, times};
use crate::measurement::Overfit;
use crate::spec::schedule::Course;

/// The causes that fit the course of a loss that did not reach `target`, likeliest first.
pub(super) fn causes(context: &Context<'_>, seen: &Overfit, target: f64) -> Vec<Cause> {
    let (first, last) = (seen.first_loss, seen.train_loss);
    if let Some(diverges) = diverges(context, seen) {
        return vec![diverges];
    }
    let lowest = seen.curve.iter().copied().chain([first, last]).fold(f64::INFINITY, f64::min);
    if seen.peak - lowest <= 1e-6 * first.abs() {
        return vec![Cause {
            id: "no_learning",
            help: format!(
                "the loss stays at {} for {} steps, so nothing learns: look at `parameters_update` for gradients that do not arrive and parameters that the optimizer does not know",
                number(last),
                seen.steps
            ),
        }];
    }
    let mut causes: Vec<Cause> = rate_decayed(context, seen).into_iter().chain(weight_decay(context, seen)).collect();
    if still_falling(seen) {
        causes.push(Cause {
            id: "learning_rate_low",
            help: format!(
                "the loss is still falling after {} steps ({} to {}, {} times the goal): {}",
                seen.steps,
                number(first),
                number(last),
                times(last / target),
                context.higher_rate()
            ),
        });
        if slower_and_slower(seen) {
            causes.push(Cause {
                id: "capacity",
                help: format!(
                    "the loss of {} falls ever more slowly: if a higher rate brings nothing, let every input reach the outputs, or add units",
                    number(last)
                ),
            });
        }
    } else if let Some(constant) = constant(seen).filter(|constant| (last - constant).abs() <= 0.02 * constant) {
        causes.push(Cause {
            id: "same_answer",
            help: format!(
                "the loss stays at {}, which is what the same answer for every example has ({}): look for dead or saturated units (`dead_units`, `saturation`, {}), and for inputs that are lost on the way",
                number(last),
                number(constant),
                context.lower_rate()
            ),
        });
    } else if causes.is_empty() {
        causes.push(Cause {
            id: "capacity",
            help: format!(
                "the loss goes from {} to {} and stays there: let every input reach the outputs, add units, or {}",
                number(first),
                number(last),
                context.lower_rate()
            ),
        });
    }
    causes
}

/// The loss left what it began with upwards, be it for a single step.
fn diverges(context: &Context<'_>, seen: &Overfit) -> Option<Cause> {
    let (first, last) = (seen.first_loss, seen.train_loss);
    let wild = !last.is_finite() || seen.curve.iter().any(|v| !v.is_finite());
    if !wild && last <= 1.2 * first && seen.peak <= 5.0 * first.abs() {
        return None;
    }
    let change = if last.is_finite() {
        format!("the loss went from {} up to {}", number(first), number(seen.peak))
    } else {
        format!("the loss went from {} to {}", number(first), number(last))
    };
    Some(Cause {
        id: "learning_rate_high",
        help: format!("{change}, so the steps are too large: {}", context.lower_rate()),
    })
}

/// Given time, it would arrive: a good part of the fall is in the second half of the steps.
fn still_falling(seen: &Overfit) -> bool {
    let (first, last) = (seen.first_loss, seen.train_loss);
    let half = seen.curve.get(seen.curve.len() / 2).copied().unwrap_or(first);
    seen.curve.len() < 4 || first > last && half - last > 0.1 * (first - last)
}

/// The second half of the steps brought less than half of what the first one did.
fn slower_and_slower(seen: &Overfit) -> bool {
    let half = seen.curve.get(seen.curve.len() / 2).copied().unwrap_or(seen.first_loss);
    half - seen.train_loss < 0.5 * (seen.first_loss - half)
}

/// The loss of the best answer that does not look at the example.
fn constant(seen: &Overfit) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "examples are few")]
    let classes = || (seen.facts.classes.is_some() && seen.distinct == seen.points).then(|| (seen.points as f64).ln());
    seen.constant_loss.or_else(classes)
}

/// The schedule ended before the examples were learnt.
fn rate_decayed(context: &Context<'_>, seen: &Overfit) -> Option<Cause> {
    let group = context.subject.optimizer.as_ref()?.groups().first()?;
    let lr = group.kind.lr();
    let mut course = Course::new(Some(group.schedule.as_ref()?), lr);
    // A warm-up begins as low as a decay ends.
    let mut last = 0;
    for step in 1..=seen.steps {
        if course.lr() > 1e-3 * lr {
            last = step;
        }
        course.advance();
    }
    (last < seen.steps).then(|| Cause {
        id: "rate_decayed",
        help: format!(
            "the schedule takes the learning rate of {} below a thousandth of it by step {}, with the loss at {}: a decay that is meant for epochs is taken at each step, so stretch it",
            number(lr),
            last + 1,
            number(seen.train_loss)
        ),
    })
}

/// Regularisation that is a good part of a step.
fn weight_decay(context: &Context<'_>, seen: &Overfit) -> Option<Cause> {
    let declared =
        context.subject.optimizer.as_ref().map_or(0.0, |optimizer| {
            optimizer.groups().iter().map(|group| group.kind.weight_decay()).fold(0.0, f64::max)
        });
    let (name, value) =
        if declared >= context.subject.loss.l2 { ("weight_decay", declared) } else { ("l2", context.subject.loss.l2) };
    (value >= 0.1).then(|| Cause {
        id: "weight_decay",
        help: format!(
            "`{name}` is {}, which pulls the weights to zero as hard as the loss of {} pulls them away: try {}",
            number(value),
            number(seen.train_loss),
            number(value / 1000.0)
        ),
    })
}
