//! From a property's measurements to the event that reports on it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::check::{Cause, Context};
use crate::judge::number::number;
use crate::judge::{self, Band, Effort, Interval, Judged, Look, Rule, Sample, Verdict};
use crate::measurement::{Measurement, Share};
use crate::report::event::{Evidence, Location, PropertyEvent, SeedValue};
use crate::spec::property::Level;
use crate::suite::{BoundSpec, Property};

/// More seeds than this are no advice.
const SENSIBLE: u32 = 1000;

/// No more help than this is given where no cause fits the numbers.
const GUESSES: usize = 3;

/// A verdict, or the wish for more seeds.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluation {
    /// The property is judged.
    Decided(Box<PropertyEvent>),
    /// Come back when the measurements of this many seeds in all are there.
    More(u32),
}

/// Why a property could not be measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What happened, such as `the builder panicked: no GPU`; may have several lines.
    pub cause: String,
    /// What was being measured, with the seed: `initial loss, seed 0`.
    pub what: String,
    /// What to do, one line each.
    pub help: Vec<String>,
}

/// How many seeds a property may take, and how sure it has to be. The property's own `seeds` override those of the run.
#[must_use]
pub fn effort(spec: &BoundSpec, property: &Property) -> Effort {
    let seeds = property.settings.seeds.unwrap_or(spec.run.seeds).max(1);
    let asked = Effort { seeds, max_seeds: spec.run.max_seeds.max(seeds), confidence: spec.run.confidence };
    property.check.effort(asked)
}

/// How many seeds a property wants to be measured with at first.
#[must_use]
pub fn first_look(spec: &BoundSpec, property: &Property) -> u32 {
    judge::first_look(property.check.info().rule, &effort(spec, property))
}

/// Judges a property by the measurements taken so far: for each seed, from `run.seed` on, what the check needs, in its
/// order. It depends on nothing else; seeds beyond those that it needs change nothing.
#[must_use]
pub fn evaluate(
    package: &str,
    spec: &BoundSpec,
    property: &Property,
    taken: &[Vec<Measurement>],
    duration_ms: f64,
) -> Evaluation {
    let context = Context { subject: spec.subject(property.variant), settings: &property.settings };
    let check = &property.check;
    let samples: Vec<Sample> = (spec.run.seed..)
        .zip(taken)
        .map(|(number, seed)| context.narrowed(check.sample_of(&context, number, seed)))
        .collect();
    let judged = match judge::judge(check.info().rule, &samples, &effort(spec, property)) {
        Look::Decided(judged) => *judged,
        Look::More(seeds) => return Evaluation::More(seeds),
    };
    let used = &taken[..judged.values.len().min(taken.len())];
    let causes = match judged.verdict {
        Verdict::Fail => check.diagnose(&context, &judged, &context.narrowed_measurements(used)),
        // Undecided, but as it looks, not what it should be: what to try beside more seeds.
        Verdict::Inconclusive if judged.value.is_some_and(|v| !judged.band.contains(v)) => {
            check.diagnose(&context, &judged, &context.narrowed_measurements(used))
        }
        _ => Vec::new(),
    };
    let allowed = judged.verdict == Verdict::Fail
        && !causes.is_empty()
        && causes.iter().all(|cause| context.allows_cause(cause.id));
    let mut event = blank(package, spec, property, duration_ms);
    event.verdict = if allowed { Verdict::Pass } else { judged.verdict };
    if !judged.outside.is_empty() && judged.outside.iter().all(|name| check.advises(name)) {
        event.level = Level::Warn;
    }
    event.message = message(property, &judged, &causes, allowed);
    if let (Verdict::Pass | Verdict::Fail | Verdict::Inconclusive, Some(remark)) =
        (judged.verdict, check.remark(&context, &judged, used))
    {
        event.message = format!("{}; {remark}", event.message);
    }
    if !matches!(event.verdict, Verdict::Skipped | Verdict::Error) {
        event.message.extend(context.idle_allowances(&samples).iter().map(|idle| format!("; {idle}")));
    }
    event.help = help(property, &judged, &causes);
    event.causes = causes.iter().map(|cause| cause.id.to_owned()).collect();
    event.causes.dedup();
    event.value = finite(judged.value);
    event.by = judged.by.iter().map(|(name, value)| (name.clone(), json_number(*value))).collect();
    event.band =
        Band { min: finite(judged.band.min), max: finite(judged.band.max), expect: finite(judged.band.expect) };
    event.interval = judged.interval.map(|i| Interval { low: finite(i.low), high: finite(i.high), ..i });
    event.rule = (judged.verdict != Verdict::Error).then_some(judged.rule);
    event.seeds =
        (spec.run.seed..).zip(&judged.values).map(|(seed, &v)| SeedValue { seed, value: finite(v) }).collect();
    if !matches!(judged.verdict, Verdict::Skipped | Verdict::Error) {
        event.evidence.suggestion = check.suggestion(&context, used);
        event.evidence.exhibits = check.exhibits(&context, &judged, &context.narrowed_measurements(used));
    }
    if judged.verdict == Verdict::Pass {
        event.evidence.accepted = check.accepted(&context, used);
    }
    event.evidence.unjudged = unjudged(&judged, &samples);
    event.at = judged.at;
    event.evidence.outside = judged.outside;
    Evaluation::Decided(Box::new(event))
}

/// The event of a property that could not be measured.
#[must_use]
pub fn failed(
    package: &str,
    spec: &BoundSpec,
    property: &Property,
    failure: &Failure,
    duration_ms: f64,
) -> PropertyEvent {
    let mut lines = failure.cause.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("the measurement failed without a reason");
    let mut event = blank(package, spec, property, duration_ms);
    event.evidence.cause = Some(first.to_owned());
    event.evidence.measuring = Some(failure.what.clone()).filter(|what| !what.is_empty());
    event.message = if failure.what.is_empty() { first.to_owned() } else { format!("{first} ({})", failure.what) };
    event.help = lines.map(str::to_owned).chain(failure.help.iter().cloned()).collect();
    event
}

/// The event of a property that is not judged, because a lower rung of its ladder failed.
#[must_use]
pub fn blocked(package: &str, spec: &BoundSpec, property: &Property, rung: &str) -> PropertyEvent {
    let mut event = blank(package, spec, property, 0.0);
    event.verdict = Verdict::Skipped;
    event.message = format!("blocked by rung `{rung}`");
    event.blocked_by = Some(rung.to_owned());
    event
}

/// The event of a property for which there is nothing to look at, as the spec alone tells.
#[must_use]
pub fn moot(package: &str, spec: &BoundSpec, property: &Property, reason: &str) -> PropertyEvent {
    let mut event = blank(package, spec, property, 0.0);
    event.verdict = Verdict::Skipped;
    reason.clone_into(&mut event.message);
    event
}

/// What is known of a property before it is judged; the verdict is an error until there is a better one.
fn blank(package: &str, spec: &BoundSpec, property: &Property, duration_ms: f64) -> PropertyEvent {
    let info = property.check.info();
    let (_, file) = spec.file.part_at(property.span.start);
    let (line, _) = spec.file.line_column(property.span.start);
    PropertyEvent {
        package: package.to_owned(),
        spec: spec.name.clone(),
        rung: spec.rung.as_ref().map(|rung| rung.name.clone()),
        property: property.name.clone(),
        check: info.id.to_owned(),
        stage: info.stage,
        level: property.level(),
        verdict: Verdict::Error,
        value: None,
        at: None,
        by: Map::new(),
        band: Band::default(),
        interval: None,
        rule: None,
        seeds: Vec::new(),
        causes: Vec::new(),
        blocked_by: None,
        duration_ms,
        message: String::new(),
        help: Vec::new(),
        span: Location { file: file.shown.clone(), line },
        reason: property.settings.reason.clone(),
        evidence: Evidence {
            line: file.text.lines().nth(line - 1).map(|text| text.trim_end().to_owned()),
            ..Evidence::default()
        },
    }
}

/// The verdict in one line.
fn message(property: &Property, judged: &Judged, causes: &[Cause], allowed: bool) -> String {
    let reason = judged.reason.as_deref();
    if let Verdict::Skipped | Verdict::Error = judged.verdict {
        return reason.unwrap_or("there was nothing to look at").to_owned();
    }
    let mut quantity = property.check.quantity().to_owned();
    if let Some(term) = &property.settings.term {
        quantity = format!("{quantity} of term `{}`", term.value);
    }
    if let Some(split) = &property.settings.split
        && split.value == Share::Validation
    {
        quantity.push_str(" on the validation share");
    }
    let what = judged.at.as_ref().map_or_else(|| quantity.clone(), |at| format!("{quantity}, {at}"));
    let mut text = format!("{what}: {}", standing(judged));
    let mut notes = Vec::new();
    if let Some(expect) = judged.band.expect.filter(|_| judged.band.min != judged.band.max) {
        notes.push(format!("expected {}", number(expect)));
    }
    notes.push(seeds(judged));
    text = format!("{text} ({})", notes.join("; "));
    // Of a proportion, the seeds have told it.
    if let (Verdict::Fail, Some(reason), false) = (judged.verdict, reason, judged.rule == Rule::Proportion) {
        text = format!("{text}; {reason}");
    }
    if let Verdict::Inconclusive = judged.verdict {
        text = match judged.seeds_needed {
            Some(needed) => format!("{text}; about {needed} seeds would settle it"),
            None => format!("{text}; more seeds would not settle it"),
        };
    }
    if allowed {
        let ids: Vec<String> = causes.iter().map(|cause| format!("cause:{}", cause.id)).collect();
        let why = property.settings.reason.as_ref().map_or_else(String::new, |reason| format!(", {reason}"));
        text = format!("allowed ({}{why}): {text}", ids.join(", "));
    }
    text
}

/// Where the value stands towards its band.
fn standing(judged: &Judged) -> String {
    let band = &judged.band;
    let Some(value) = judged.value else { return "no value".to_owned() };
    let shown = number(value);
    if !value.is_finite() {
        return format!("{shown} is not finite");
    }
    if judged.verdict == Verdict::Inconclusive && judged.interval.is_some() {
        return format!("{shown} is too near an edge to tell, {}", band_text(band));
    }
    if (judged.rule, judged.verdict) == (Rule::Change, Verdict::Pass) && !band.contains(value) {
        return format!("{shown} cannot be told from chance");
    }
    match (band.min, band.max) {
        (Some(min), _) if min == f64::MIN_POSITIVE && value < min => format!("{shown} is not above 0"),
        (Some(min), Some(max)) if min == max && value != min => format!("{shown} is not {}", number(min)),
        (Some(min), _) if value < min => format!("{} is below {}", apart(value, min), number(min)),
        (_, Some(max)) if value > max => format!("{} is above {}", apart(value, max), number(max)),
        _ => format!("{shown}, {}", band_text(band)),
    }
}

/// A value in enough digits to be told from the edge that it is compared with.
fn apart(value: f64, edge: f64) -> String {
    let shown = number(value);
    if shown == number(edge) { value.to_string() } else { shown }
}

/// A band in words: `within 2.0723 to 4.3749`, `at most 0.1`.
#[must_use]
pub fn band_text(band: &Band) -> String {
    match (band.min, band.max) {
        (None, None) => "anything holds".to_owned(),
        (Some(min), None) if min == f64::MIN_POSITIVE => "more than 0".to_owned(),
        (Some(min), None) => format!("at least {}", number(min)),
        (None, Some(max)) => format!("at most {}", number(max)),
        (Some(min), Some(max)) if min == max => format!("exactly {}", number(min)),
        (Some(min), Some(max)) => format!("within {} to {}", number(min), number(max)),
    }
}

/// How many seeds were taken, and what the value is of them.
fn seeds(judged: &Judged) -> String {
    let n = judged.values.iter().flatten().count();
    match (judged.rule, n) {
        (_, 1) => "one seed".to_owned(),
        (Rule::Mean | Rule::Change, _) => format!("mean of {n} seeds"),
        (Rule::Each, _) => format!("worst of {n} seeds"),
        (Rule::Proportion, _) => match &judged.reason {
            Some(reason) => reason.clone(),
            None if judged.verdict == Verdict::Fail => format!("fails with all {n} seeds"),
            None => format!("holds with all {n} seeds"),
        },
    }
}

/// What to do.
fn help(property: &Property, judged: &Judged, causes: &[Cause]) -> Vec<String> {
    match judged.verdict {
        Verdict::Fail if causes.is_empty() => {
            let known = property.check.info().causes.iter().take(GUESSES);
            known.map(|cause| format!("perhaps {}: {}", cause.what, cause.cure)).collect()
        }
        Verdict::Fail => causes.iter().map(|cause| cause.help.clone()).collect(),
        Verdict::Inconclusive => {
            let name = &property.name;
            let widen = "or move the edge of the band that the value is near";
            let settle = match judged.seeds_needed {
                Some(needed) if needed > SENSIBLE => {
                    format!(
                        "no sensible number of seeds would settle it ({needed} might): in [property.{name}] {}",
                        &widen[3..]
                    )
                }
                Some(needed) => format!("set `seeds = {needed}` in [property.{name}], {widen}"),
                None => format!(
                    "the value lies on the very edge, as far as seeds can tell: in [property.{name}] {}",
                    &widen[3..]
                ),
            };
            causes.iter().map(|cause| cause.help.clone()).chain([settle]).collect()
        }
        Verdict::Pass | Verdict::Skipped | Verdict::Error => Vec::new(),
    }
}

/// The names that no seed judges.
fn unjudged(judged: &Judged, samples: &[Sample]) -> Vec<String> {
    let judges = |name: &str| {
        samples.iter().any(|sample| match sample {
            Sample::Seen(entries) => {
                entries.iter().any(|e| e.name.as_deref() == Some(name) && e.band.is_some() && e.value.is_some())
            }
            Sample::Nothing(_) | Sample::Unanswerable(_) => false,
        })
    };
    judged.by.iter().map(|(name, _)| name).filter(|name| !judges(name)).cloned().collect()
}

/// A number that JSON can hold.
fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|v| v.is_finite())
}

fn json_number(value: Option<f64>) -> Value {
    value.and_then(serde_json::Number::from_f64).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
