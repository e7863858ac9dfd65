//! `learns`: training lowers the loss, and the inputs have a part in it.

mod curve;

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::{NOT_FINITE, average, initial, not_finite_from_the_start, raw_targets, trace};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::{number, times};
use crate::judge::sparkline::sparkline;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::trace::Inputs;
use crate::measurement::{InitialAsk, Measurement, Request, Share, TraceAsk};
use crate::spec::Subject;
use crate::spec::loss::Task;
use crate::spec::property::Narrow;
use curve::Curve;

const OF_INITIAL: &str = "of initial loss";
const OF_BLANK: &str = "of blank inputs";

/// A short training lowers the loss, and further than it would fall without seeing the inputs.
///
/// ## What it measures
/// The mean loss of the last tenth of `steps` training steps, as a share of two others: of the loss before training (over
/// `rows` rows), and of the loss that the same program reaches on blank inputs, zeros in the shape of the data, in as many
/// steps. Judged on a log scale. With `term`, the same of one term of the loss. A loss below zero is compared by its fall instead, in units of its size.
///
/// ## Why it matters
/// A loss that falls is not yet learning: the class shares alone lower it. Only what is lower than on blank inputs came from
/// the inputs. Labels that were shuffled against their inputs, or a layer that loses them, show here and nowhere else.
///
/// ## Usual causes
/// A learning rate that is far too small or too large; labels that do not belong to their inputs; inputs that are lost on the
/// way; a softmax before cross-entropy; targets of a regression that were never normalised; a flipped sign in loss or step,
/// so that the loss is climbed; an optimizer that holds no parameters.
///
/// ## What to try
/// Look at the two curves in the report. If real and blank fall alike, look at the data loader; if neither falls, at the
/// optimizer; if both rise, at the sign and the learning rate.
///
/// ## Defaults
/// 200 steps; at most 0.95 of the initial loss and 0.9 of that on blank inputs: no alarm on 37 sound programs, and 27 and 29
/// of 49 faulty ones found.
///
/// ## Sources
/// A. Karpathy, A Recipe for Training Neural Networks (2019): "input-independent baseline".
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Learns {
    /// How many training steps.
    pub steps: NonZeroUsize,
    /// On how many of the first training rows the initial loss is taken.
    pub rows: NonZeroUsize,
    /// The most that may be left of the initial loss.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub of_initial: f64,
    /// The most that the loss may be of that on blank inputs.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub of_blank: f64,
}

impl Default for Learns {
    fn default() -> Self {
        let count = super::parameter::count;
        Self { steps: count(200), rows: count(1024), of_initial: 0.95, of_blank: 0.9 }
    }
}

impl CheckType for Learns {
    const INFO: Info = Info {
        id: "learns",
        stage: Stage::Start,
        rule: Rule::Mean,
        takes_band: false,
        narrows: &[Narrow::Term],
        trains: true,
        causes: &[
            NOT_FINITE,
            CauseInfo {
                id: "no_learning",
                what: "the loss does not move: the optimizer holds no parameters, or no gradient reaches them",
                cure: "look at `parameters_update`",
            },
            CauseInfo {
                id: "flipped_sign",
                what: "the loss is climbed instead of descended: a sign is flipped",
                cure: "look at the sign of the loss and of the step",
            },
            CauseInfo {
                id: "learning_rate_high",
                what: "training diverges or jumps about: the learning rate is too high",
                cure: "lower it by ten",
            },
            CauseInfo {
                id: "output_activation",
                what: "an activation stands between the model and a loss that wants raw outputs, or is missing before one that does not",
                cure: "end the model with what the loss wants",
            },
            CauseInfo {
                id: "unnormalised_targets",
                what: "the targets of the regression are far from what a fresh model puts out",
                cure: "set `[data] normalize_target = \"standard\"`",
            },
            CauseInfo {
                id: "labels_do_not_belong",
                what: "the loss falls no further than without inputs: the labels do not belong to them, or the inputs are lost",
                cure: "look at the data loader, and whether every input reaches the outputs",
            },
            CauseInfo {
                id: "learning_rate_low",
                what: "the loss falls too slowly: the learning rate is too low",
                cure: "raise it by ten",
            },
        ],
    };
}

impl Check for Learns {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        let ask = |inputs| Request::Trace(TraceAsk { inputs, steps: self.steps.get(), watched: 0 });
        vec![
            ask(Inputs::Real),
            ask(Inputs::Blank),
            Request::Initial(InitialAsk { rows: self.rows.get(), share: Share::Training }),
        ]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        match self.losses(context, taken) {
            Ok(Some(losses)) => Sample::Seen(vec![
                entry(OF_INITIAL, losses.real, losses.initial, self.of_initial),
                entry(OF_BLANK, losses.real, losses.blank, self.of_blank),
            ]),
            Ok(None) => Sample::Nothing("no training step was taken".to_owned()),
            Err(why) => Sample::Unanswerable(why),
        }
    }

    fn quantity(&self) -> &'static str {
        "loss after training"
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(seen) = Curve::new(self, context, taken) else { return Vec::new() };
        let outside = |name: &str| judged.outside.iter().any(|o| o == name);
        let mut causes = Vec::new();
        if !seen.start.is_finite() {
            return vec![not_finite_from_the_start()];
        }
        let known = self.known_to_slow(context, taken);
        if seen.is_flat() {
            causes.extend(known);
            if seen.gains_on_blank() {
                let help = format!(
                    "the loss hardly moves from {} in {} steps, and yet gains on that of blank inputs step by step: it learns, and far too slowly; {}",
                    number(seen.start),
                    self.steps,
                    context.higher_rate()
                );
                causes.push(Cause { id: "learning_rate_low", help });
            }
            causes.push(self.no_learning(&seen));
            // A model that starts at what can be known without inputs has nowhere to fall where these tell nothing.
            if outside(OF_BLANK) {
                causes.push(seen.as_blank());
            }
            return causes;
        }
        if seen.rises() {
            causes.extend(known.into_iter().filter(|cause| cause.id == "unnormalised_targets"));
            let help = format!("the loss rises from {} to {}", number(seen.start), number(seen.end));
            let high = Cause { id: "learning_rate_high", help: format!("{help}: {}", context.lower_rate()) };
            let sign = Cause {
                id: "flipped_sign",
                help: format!("{help}: look at the sign of the loss and of the step; or {}", context.lower_rate()),
            };
            // A flipped sign climbs steadily; a rate that is too high jumps about.
            causes.extend(if seen.steadily_up() { [sign, high] } else { [high, sign] });
            return causes;
        }
        if seen.jumps() {
            causes.push(Cause {
                id: "learning_rate_high",
                help: format!(
                    "the loss jumps from {} to {} before it settles at {}: the first steps are too large; {}",
                    number(seen.start),
                    number(seen.peak),
                    number(seen.end),
                    context.lower_rate()
                ),
            });
        }
        causes.extend(known);
        // What fell, fell without the inputs too: unless all of it is slow, they are the first to look at.
        let slow = seen.is_on_its_way_down() || outside(OF_INITIAL) && seen.still_falling();
        let blind = outside(OF_BLANK) && seen.share_of_the_inputs() < 0.5;
        if blind && !slow {
            causes.push(seen.as_blank());
        }
        if seen.still_falling() {
            causes.push(self.slow(context, &seen));
            // The noise of the batches falls too, now and then.
            if seen.is_level() && !seen.fell_by(0.005) {
                causes.push(self.no_learning(&seen));
            }
        }
        if outside(OF_BLANK) && (slow || !blind) && !seen.is_on_its_way_down() {
            causes.push(seen.as_blank());
        }
        if causes.is_empty() {
            causes.push(Cause {
                id: "learning_rate_high",
                help: format!(
                    "the loss stops at {}, {} of where it began: {}",
                    number(seen.end),
                    times(seen.end / seen.start),
                    context.lower_rate()
                ),
            });
        }
        causes
    }

    fn remark(&self, context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Option<String> {
        let seed = taken.first()?;
        let curve = |at| Some(sparkline(&context.losses(trace(seed, at).ok()?).ok()?, 30));
        Some(format!("loss {}, on blank inputs {}", curve(0)?, curve(1)?))
    }
}

/// The three losses of one seed.
struct Losses {
    real: f64,
    blank: f64,
    initial: f64,
}

impl Learns {
    fn losses(&self, context: &Context<'_>, taken: &[Measurement]) -> Result<Option<Losses>, String> {
        let tail = |at| Ok::<_, String>(self.tail(&context.losses(trace(taken, at)?)?));
        let (real, blank) = (tail(0)?, tail(1)?);
        let initial = context.initial_loss(initial(taken, 2)?)?;
        Ok(real.zip(blank).map(|(real, blank)| Losses { real, blank, initial }))
    }

    /// What is known to keep a loss from falling, whatever its curve.
    fn known_to_slow(&self, context: &Context<'_>, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(before) = taken.first().and_then(|seed| initial(seed, 2).ok()) else { return Vec::new() };
        let regression = context.task() == Task::Regression;
        let ending = context.wrong_ending(before.last_operator.as_deref()).filter(|_| !regression);
        let raw = raw_targets(&before.facts).filter(|_| regression && context.is_of_the_first_target());
        let ending = ending.map(|help| Cause { id: "output_activation", help });
        ending.into_iter().chain(raw.map(|help| Cause { id: "unnormalised_targets", help })).collect()
    }

    fn slow(&self, context: &Context<'_>, seen: &Curve) -> Cause {
        let help = format!(
            "the loss falls slowly, from {} to {} in {} steps: {}",
            number(seen.start),
            number(seen.end),
            self.steps,
            context.higher_rate()
        );
        Cause { id: "learning_rate_low", help }
    }

    fn no_learning(&self, seen: &Curve) -> Cause {
        let help = format!(
            "the loss stays at {} for {} steps: look at `parameters_update`, and at a learning rate of zero",
            number(seen.end),
            self.steps
        );
        Cause { id: "no_learning", help }
    }

    /// Mean loss of the last tenth.
    fn tail(&self, losses: &[f64]) -> Option<f64> {
        let losses = &losses[..losses.len().min(self.steps.get())];
        average(&losses[losses.len() - losses.len().div_ceil(10)..])
    }
}

/// What is left of a loss: their quotient, continued to losses below zero as one minus the fall in units of the
/// reference's size. There is no number where the reference is zero, or is none itself: a norm or a mean of blank inputs may
/// have no value.
fn entry(name: &str, loss: f64, reference: f64, max: f64) -> Entry {
    let value = if reference > 0.0 {
        Some(loss / reference)
    } else if reference == 0.0 || loss.is_finite() && !reference.is_finite() {
        None
    } else {
        Some(1.0 + (loss - reference) / reference.abs())
    };
    Entry {
        name: Some(name.to_owned()),
        value,
        band: Some(Band { min: None, max: Some(max), expect: None }),
        scale: Scale::Log,
    }
}

#[cfg(test)]
#[path = "tests/learns.rs"]
mod tests;
