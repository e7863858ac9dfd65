//! Student-t interval of the mean over the seeds against the band, up to four looks.
//!
//! Looking again at more seeds with a fixed level turns 0.5 % of error into 3 %; so each of the [`LOOKS`] looks spends
//! an equal share of the error. Every look is judged in order and the first that decides counts, so that seeds which
//! happen to be there already change nothing.
//!
//! One seed alone (`seeds = 1` or `max_seeds = 1`) has no spread: its value decides, without an interval.

use super::number::number;
use super::series::{Part, Series, Standing, align, assemble, by, mean};
use super::{Band, Effort, Interval, Look, Rule, Sample, Scale, Verdict, student};

/// How often the seeds are looked at: at n, 2n, 4n and 8n seeds.
const LOOKS: u32 = 4;

/// A seed further outside than so many band widths fails at once.
const UNSTABLE_WIDTHS: f64 = 3.0;

/// No more seeds than this are ever suggested.
const MOST_SEEDS: u32 = 100_000;

pub(super) fn first_look(effort: &Effort) -> u32 {
    looks(effort)[0]
}

pub(super) fn judge(samples: &[Sample], effort: &Effort) -> Look {
    let looks = looks(effort);
    let last = looks.len() - 1;
    for (i, &look) in looks.iter().enumerate() {
        let Some(seen) = samples.get(..look as usize) else { return Look::More(look) };
        if let Some(decided) = one_look(seen, effort, i == last) {
            return decided;
        }
    }
    // The last look always decides.
    Look::More(looks[last])
}

/// The numbers of seeds at which to look, each larger than the one before.
fn looks(effort: &Effort) -> Vec<u32> {
    let first = effort.seeds.max(1);
    if effort.single() {
        return vec![1];
    }
    let most = effort.max_seeds.max(first);
    let mut looks: Vec<u32> = (0..LOOKS).map(|i| first.saturating_mul(1 << i).min(most)).collect();
    looks.dedup();
    looks
}

fn one_look(samples: &[Sample], effort: &Effort, last: bool) -> Option<Look> {
    let series = match align(Rule::Mean, samples) {
        Ok(series) => series,
        Err(judged) => return Some(Look::Decided(judged)),
    };
    let parts: Vec<Part> = series.iter().filter_map(|s| part(s, effort)).collect();
    let verdict = match parts.iter().map(|p| p.standing).max() {
        Some(Standing::Outside) => Verdict::Fail,
        Some(Standing::Undecided) if !last => return None,
        Some(Standing::Undecided) => Verdict::Inconclusive,
        Some(Standing::Inside) | None => Verdict::Pass,
    };
    Some(Look::Decided(Box::new(assemble(Rule::Mean, verdict, parts, by(&series, Series::mean)))))
}

fn part(series: &Series<'_>, effort: &Effort) -> Option<Part> {
    let (values, bands): (Vec<f64>, Vec<Band>) = series.judged().unzip();
    let value = mean(&values, series.scale)?;
    let band = common(&bands, series.scale);
    // Where a number has no logarithm, only a band that admits such numbers can hold it: judge it as it is.
    let scale = if values.iter().all(|&v| v > 0.0) { series.scale } else { Scale::Linear };
    let mut part = Part::of(series, value, band);
    if let Some(wild) = part.not_finite(&values) {
        return Some(wild);
    }
    if series.scale == Scale::Log && values.iter().any(|&v| v <= 0.0 && !band.contains(v)) {
        return Some(Part { standing: Standing::Outside, ..part });
    }
    if values.iter().all(|&v| v == values[0]) && (values.len() > 1 || effort.single()) {
        return Some(part);
    }
    if let Some(width) = band.width(scale) {
        let (low, high) = band.edges(scale);
        let far = |v: f64| (low - scale.of(v)).max(scale.of(v) - high) > UNSTABLE_WIDTHS * width;
        if let Some(&seed) = values.iter().find(|&&v| far(v)) {
            part.standing = Standing::Outside;
            // Where all seeds are far out alike, the failure is steady.
            if values.iter().any(|&v| band.contains(v)) {
                part.reason = Some(format!(
                    "unstable: one seed has {}, further outside than {UNSTABLE_WIDTHS} band widths, while others are inside",
                    number(seed)
                ));
            }
            return Some(part);
        }
    }
    let Some((centre, spread)) = centre_and_spread(&values, scale) else {
        // One number among seeds that have none says nothing about the spread.
        return Some(Part { standing: Standing::Undecided, ..part });
    };
    let (mut low, high) = band.edges(scale);
    if scale != series.scale && low == 0.0 {
        // A quantity that has a log scale does not go below zero, whatever the interval does.
        low = f64::NEG_INFINITY;
    }
    let reach = half_width(values.len(), spread, effort);
    let (from, to) = (centre - reach, centre + reach);
    part.interval =
        Some(Interval { low: Some(scale.back(from)), high: Some(scale.back(to)), confidence: effort.confidence });
    part.standing = if low <= from && to <= high {
        Standing::Inside
    } else if to < low || high < from {
        Standing::Outside
    } else {
        part.seeds_needed = seeds_needed((centre - low).abs().min((centre - high).abs()), spread, effort);
        Standing::Undecided
    };
    Some(part)
}

/// The band of an entry whose seeds may see slightly different data: the mean of each edge.
fn common(bands: &[Band], scale: Scale) -> Band {
    let edge = |of: fn(&Band) -> Option<f64>| {
        let all: Option<Vec<f64>> = bands.iter().map(of).collect();
        mean(&all?, scale)
    };
    Band { min: edge(|b| b.min), max: edge(|b| b.max), expect: edge(|b| b.expect) }
}

/// Mean and standard deviation (n - 1) on the scale; `None` for a single number.
fn centre_and_spread(values: &[f64], scale: Scale) -> Option<(f64, f64)> {
    let on_scale: Vec<f64> = values.iter().map(|&v| scale.of(v)).collect();
    Some((mean(&on_scale, Scale::Linear)?, student::spread(&on_scale)?))
}

/// Half the interval's width at one look: both tails share a look's error.
fn half_width(n: usize, spread: f64, effort: &Effort) -> f64 {
    student::half_width(n, spread, (1.0 - effort.confidence) / f64::from(LOOKS))
}

/// How many seeds shrink the interval to `distance`, at the spread seen.
fn seeds_needed(distance: f64, spread: f64, effort: &Effort) -> Option<u32> {
    let enough = |n: u32| half_width(n as usize, spread, effort) <= distance;
    if distance <= 0.0 || !enough(MOST_SEEDS) {
        return None;
    }
    let (mut few, mut many) = (1, MOST_SEEDS);
    while many - few > 1 {
        let middle = few + (many - few) / 2;
        if enough(middle) { many = middle } else { few = middle }
    }
    Some(many)
}

#[cfg(test)]
#[path = "mean_tests.rs"]
mod tests;
