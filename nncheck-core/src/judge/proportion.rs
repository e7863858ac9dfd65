//! Sequential probability ratio test (Wald 1945): does the property hold for 95 % of the seeds, or for half of them?
//! Both errors 0.01. Seeds are taken in order until a boundary is reached: eight straight successes pass, two straight
//! failures fail. What comes after the boundary is not looked at, so that the size of the looks changes nothing.
//!
//! One seed alone (`seeds = 1` or `max_seeds = 1`) decides by itself.

use super::each::part;
use super::series::{Part, Series, Standing, align, assemble, by};
use super::{Effort, Look, Rule, Sample, Verdict};

/// Share of successes of a property that holds.
const GOOD: f64 = 0.95;
/// Share of successes of one that does not.
const BAD: f64 = 0.5;
/// Probability of either wrong verdict.
const ERROR: f64 = 0.01;

/// Two failures in a row already decide.
pub(super) fn first_look(effort: &Effort) -> u32 {
    if effort.single() { 1 } else { effort.most().min(2) }
}

/// How far the log-likelihood ratio moves with a success, and with a failure.
fn steps() -> (f64, f64) {
    ((GOOD / BAD).ln(), ((1.0 - GOOD) / (1.0 - BAD)).ln())
}

/// Where the log-likelihood ratio decides, on either side of zero.
fn boundary() -> f64 {
    ((1.0 - ERROR) / ERROR).ln()
}

/// The log-likelihood ratio. From counts, so that rounding does not depend on the order.
fn evidence(successes: u32, failures: u32) -> f64 {
    let (up, down) = steps();
    f64::from(successes) * up + f64::from(failures) * down
}

pub(super) fn judge(samples: &[Sample], effort: &Effort) -> Look {
    let most = if effort.single() { 1 } else { effort.most() };
    let (mut successes, mut failures, mut used) = (0, 0, 0);
    let mut verdict = None;
    for sample in samples.iter().take(most as usize) {
        used += 1;
        match success(sample) {
            Some(true) => successes += 1,
            Some(false) => failures += 1,
            None => {}
        }
        let evidence = evidence(successes, failures);
        if evidence >= boundary() {
            verdict = Some(Verdict::Pass);
        } else if evidence <= -boundary() {
            verdict = Some(Verdict::Fail);
        } else if matches!(sample, Sample::Unanswerable(_)) {
            verdict = Some(Verdict::Error);
        }
        if verdict.is_some() {
            break;
        }
    }
    if verdict.is_none() && effort.single() && used == 1 {
        verdict = Some(if failures == 0 { Verdict::Pass } else { Verdict::Fail });
    }
    let seen = &samples[..used];
    let verdict = match verdict {
        Some(verdict) => verdict,
        // Seeds that all have nothing to look at will not become more talkative.
        None if used > 0 && successes + failures == 0 => Verdict::Skipped,
        None if u32::try_from(used).is_ok_and(|n| n < most) => {
            return Look::More(next_look(u32::try_from(used).unwrap_or(most), successes, failures).min(most));
        }
        None => Verdict::Inconclusive,
    };
    let series = match align(Rule::Proportion, seen) {
        Ok(series) => series,
        Err(judged) => return Look::Decided(judged),
    };
    // An entry is shown by its worst seed on the verdict's side: a passing property by one that holds.
    let holds: Vec<Option<bool>> = seen.iter().map(success).collect();
    let shown = |seed: usize| holds[seed] == Some(verdict == Verdict::Pass);
    let all_shown = (0..used).any(shown);
    let parts: Vec<Part> = series
        .iter()
        .filter_map(|s| part(s, |seed| !all_shown || shown(seed)))
        .map(|p| match (verdict, p.standing) {
            (Verdict::Inconclusive, Standing::Outside) => {
                let seeds_needed = seeds_needed(successes, failures);
                Part { standing: Standing::Undecided, seeds_needed, ..p }
            }
            _ => p,
        })
        .collect();
    let value = |s: &Series<'_>| part(s, |seed| !all_shown || shown(seed)).map(|p| p.value).or_else(|| s.mean());
    let mut judged = assemble(Rule::Proportion, verdict, parts, by(&series, value));
    if verdict == Verdict::Inconclusive {
        judged.seeds_needed = seeds_needed(successes, failures);
    }
    if failures > 0 && successes > 0 {
        judged.reason = Some(format!("holds in {successes} of {} seeds", successes + failures));
    }
    Look::Decided(Box::new(judged))
}

/// Whether all judged entries of a seed are inside; `None` where it has none.
fn success(sample: &Sample) -> Option<bool> {
    let Sample::Seen(entries) = sample else { return None };
    entries.iter().filter_map(|entry| Some(entry.band?.contains(entry.value?))).reduce(|all, one| all && one)
}

/// As many seeds as can decide next: while none has failed, as many as would pass; after that, as few as decide either way.
fn next_look(used: u32, successes: u32, failures: u32) -> u32 {
    let evidence = evidence(successes, failures);
    let (up, down) = steps();
    let to_pass = whole((boundary() - evidence) / up);
    let to_fail = whole((boundary() + evidence) / -down);
    used + if failures == 0 { to_pass } else { to_pass.min(to_fail) }
}

/// How many seeds would decide at the share of successes seen; `None` where that share leads nowhere.
fn seeds_needed(successes: u32, failures: u32) -> Option<u32> {
    let seen = f64::from(successes + failures);
    let drift = evidence(successes, failures).abs() / seen;
    let needed = boundary() / drift;
    (needed.is_finite() && needed < 1e5).then(|| whole(needed).max(successes + failures + 1))
}

/// At least one whole seed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range first")]
fn whole(seeds: f64) -> u32 {
    // The small allowance keeps an exact multiple from being rounded up by the last bit.
    (seeds - 1e-9).ceil().clamp(1.0, 1e6) as u32
}

#[cfg(test)]
#[path = "proportion_tests.rs"]
mod tests;
