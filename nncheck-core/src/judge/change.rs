//! A change from zero, told from chance: Student-t interval of the mean over the seeds. A number fails where its interval
//! lies wholly outside its band; one that cannot be told from chance holds.
//!
//! Seeds that are all inside hold at the first look, since a program that did not change gives the same numbers. Else there
//! is one more look, at all seeds: the confidence is spent once.

use super::series::{Part, Series, Standing, align, assemble, by};
use super::{Effort, Interval, Look, Rule, Sample, Verdict, student};

/// Fewer seeds that all changed by the same may have done so by chance.
const FEW: usize = 5;

pub(super) fn first_look(effort: &Effort) -> u32 {
    effort.seeds.clamp(1, effort.most())
}

pub(super) fn judge(samples: &[Sample], effort: &Effort) -> Look {
    for look in [first_look(effort), effort.most()] {
        let Some(seen) = samples.get(..look as usize) else { return Look::More(look) };
        if let Some(decided) = one_look(seen, effort, look == effort.most()) {
            return decided;
        }
    }
    Look::More(effort.most())
}

fn one_look(samples: &[Sample], effort: &Effort, last: bool) -> Option<Look> {
    let series = match align(Rule::Change, samples) {
        Ok(series) => series,
        Err(judged) => return Some(Look::Decided(judged)),
    };
    let all = |holds: fn(f64, super::Band) -> bool| series.iter().all(|s| s.judged().all(|(v, band)| holds(v, band)));
    let same = all(|v, band| band.contains(v));
    if !same && !last && all(|v, _| v.is_finite()) {
        return None;
    }
    let parts: Vec<Part> = series.iter().filter_map(|s| part(s, effort)).collect();
    let worst = parts.iter().map(|part| part.standing).max();
    let verdict = match worst {
        Some(Standing::Outside) => Verdict::Fail,
        Some(Standing::Undecided) => Verdict::Inconclusive,
        Some(Standing::Inside) | None => Verdict::Pass,
    };
    Some(Look::Decided(Box::new(assemble(Rule::Change, verdict, parts, by(&series, Series::mean)))))
}

fn part(series: &Series<'_>, effort: &Effort) -> Option<Part> {
    let values: Vec<f64> = series.judged().map(|(value, _)| value).collect();
    let (_, band) = series.judged().next()?;
    let value = super::series::mean(&values, series.scale)?;
    let mut part = Part::of(series, value, band);
    if let Some(wild) = part.not_finite(&values) {
        return Some(wild);
    }
    let exact = band.min.is_some() && band.min == band.max;
    if values.iter().all(|&v| band.contains(v)) {
        // What is exactly in its place lies on both edges; what is only near one says more.
        part.standing = Standing::Inside;
        part.excess = if exact { f64::NEG_INFINITY } else { part.excess };
        return Some(part);
    }
    if exact {
        // A band of no width is for what chance has no part in: one seed is enough.
        return Some(Part { standing: Standing::Outside, ..part });
    }
    let Some(reach) = half_width(&values, effort.confidence) else {
        return Some(Part { standing: Standing::Undecided, ..part });
    };
    if !reach.is_finite() {
        return Some(Part { standing: Standing::Outside, ..part });
    }
    let (from, to) = (value - reach, value + reach);
    part.interval = Some(Interval { low: Some(from), high: Some(to), confidence: effort.confidence });
    // Steps of what is counted in whole rows are easily alike by chance, where there are few seeds.
    let few = reach == 0.0 && values.len() < FEW;
    if !few && (band.min.is_some_and(|min| to < min) || band.max.is_some_and(|max| from > max)) {
        part.standing = Standing::Outside;
    } else {
        // It is out by chance: what is out of its band with certainty goes before it.
        part.standing = Standing::Inside;
        part.excess = part.excess.min(0.0);
    }
    Some(part)
}

/// Half the width of the interval of a mean; `None` for fewer than two numbers, which have no spread.
pub(crate) fn half_width(values: &[f64], confidence: f64) -> Option<f64> {
    Some(student::half_width(values.len(), student::spread(values)?, 1.0 - confidence))
}

#[cfg(test)]
mod tests {
    use super::super::{Band, Entry, Judged, Scale};
    use super::*;

    const EFFORT: Effort = Effort { seeds: 3, max_seeds: 5, confidence: 0.99 };
    const BAND: Band = Band { min: Some(-0.001), max: Some(0.001), expect: None };

    fn samples(values: &[f64], band: Band) -> Vec<Sample> {
        let entry =
            |&v: &f64| Entry { name: Some("loss".into()), value: Some(v), band: Some(band), scale: Scale::Linear };
        values.iter().map(|v| Sample::Seen(vec![entry(v)])).collect()
    }

    fn decided(values: &[f64], band: Band) -> Judged {
        match judge(&samples(values, band), &EFFORT) {
            Look::Decided(judged) => *judged,
            Look::More(n) => panic!("{n} seeds are wanted"),
        }
    }

    #[test]
    fn what_did_not_change_holds_at_the_first_look_and_more_seeds_change_nothing() {
        let same = decided(&[0.0, 0.0, 0.0], BAND);
        assert_eq!((same.verdict, same.value, same.values.len()), (Verdict::Pass, Some(0.0), 3));
        assert_eq!(decided(&[0.0, 0.0, 0.0, 9.0, 9.0], BAND), same);
    }

    #[test]
    fn what_changed_is_looked_at_once_more_with_all_seeds() {
        assert_eq!(judge(&samples(&[0.1; 2], BAND), &EFFORT), Look::More(3));
        assert_eq!(judge(&samples(&[0.1; 3], BAND), &EFFORT), Look::More(5));
        assert_eq!(decided(&[0.1; 5], BAND).verdict, Verdict::Fail);
    }

    #[test]
    fn a_change_is_told_from_chance_by_its_interval() {
        // scipy.stats: mean 0.05, sd 0.01581139, t(0.995, 4) = 4.60409487; half width 0.03255586.
        let judged = decided(&[0.03, 0.04, 0.05, 0.06, 0.07], BAND);
        let interval = judged.interval.unwrap();
        assert!((interval.low.unwrap() - (0.05 - 0.032_555_86)).abs() < 1e-7, "{interval:?}");
        assert_eq!((judged.verdict, judged.outside), (Verdict::Fail, vec!["loss".to_owned()]));
        let chance = decided(&[-0.03, 0.04, 0.05, -0.02, 0.07], BAND);
        assert_eq!((chance.verdict, chance.outside.len()), (Verdict::Pass, 0));
    }

    #[test]
    fn what_is_not_finite_fails_at_once() {
        let judged = decided(&[0.0, f64::NAN, 0.0], BAND);
        assert_eq!(judged.verdict, Verdict::Fail);
        assert_eq!(judged.reason.as_deref(), Some("not finite in 1 of 3 seeds"));
    }

    #[test]
    fn a_few_equal_steps_may_be_chance_and_what_has_no_interval_is_none() {
        let two = Effort { seeds: 2, max_seeds: 2, confidence: 0.99 };
        let Look::Decided(judged) = judge(&samples(&[0.05; 2], BAND), &two) else { panic!() };
        assert_eq!(judged.verdict, Verdict::Pass);
        assert_eq!(decided(&[1e200, 2e200, 3e200, 1e300, 1.0], BAND).verdict, Verdict::Fail);
    }

    #[test]
    fn a_band_without_width_is_exact() {
        let exact = Band { min: Some(0.0), max: Some(0.0), expect: None };
        assert_eq!(decided(&[0.0; 3], exact).verdict, Verdict::Pass);
        assert_eq!(decided(&[0.0, 0.0, 1e-9, 0.0, 0.0], exact).verdict, Verdict::Fail);
    }

    #[test]
    fn one_seed_cannot_tell_a_change_from_chance() {
        let effort = Effort { seeds: 1, max_seeds: 1, ..EFFORT };
        let Look::Decided(judged) = judge(&samples(&[0.1], BAND), &effort) else { panic!() };
        assert_eq!(judged.verdict, Verdict::Inconclusive);
    }
}
