//! Every seed holds: for invariants, where one seed outside is a counterexample. The value of an entry is that of its
//! worst seed, since a mean would hide the counterexample.

use super::series::{Part, Series, Standing, align, assemble, by};
use super::{Effort, Look, Rule, Sample, Verdict};

pub(super) fn judge(samples: &[Sample], effort: &Effort) -> Look {
    let wanted = effort.seeds.max(1);
    let Some(samples) = samples.get(..wanted as usize) else { return Look::More(wanted) };
    let series = match align(Rule::Each, samples) {
        Ok(series) => series,
        Err(judged) => return Look::Decided(judged),
    };
    let parts: Vec<Part> = series.iter().filter_map(|s| part(s, |_| true)).collect();
    let verdict = if parts.iter().all(|p| p.standing == Standing::Inside) { Verdict::Pass } else { Verdict::Fail };
    Look::Decided(Box::new(assemble(Rule::Each, verdict, parts, by(&series, worst_value))))
}

/// An entry's worst seed among those that count; `None` where nothing is to be judged.
pub(super) fn part(series: &Series<'_>, counts: impl Fn(usize) -> bool) -> Option<Part> {
    let mut worst: Option<Part> = None;
    for (seed, entry) in series.cells.iter().enumerate() {
        let Some((entry, value, band)) = entry.and_then(|e| Some((e, e.value?, e.band?))) else { continue };
        let excess = band.excess(value, entry.scale);
        if counts(seed) && worst.as_ref().is_none_or(|w| excess > w.excess) {
            worst = Some(Part {
                name: series.name.map(str::to_owned),
                standing: if band.contains(value) { Standing::Inside } else { Standing::Outside },
                value,
                band,
                excess,
                interval: None,
                values: Vec::new(),
                reason: None,
                seeds_needed: None,
            });
        }
    }
    worst.map(|part| Part { values: series.values(), ..part })
}

fn worst_value(series: &Series<'_>) -> Option<f64> {
    part(series, |_| true).map(|p| p.value).or_else(|| series.mean())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{entry, judged, seen};
    use super::*;

    const EFFORT: Effort = Effort { seeds: 3, max_seeds: 40, confidence: 0.99 };

    #[test]
    fn one_seed_outside_fails_and_is_the_value() {
        let samples = [seen(0.0, None, Some(0.0)), seen(2.0, None, Some(0.0)), seen(0.0, None, Some(0.0))];
        let judged = judged(judge(&samples, &EFFORT));
        assert_eq!((judged.verdict, judged.value), (Verdict::Fail, Some(2.0)));
        assert_eq!(judged.values, [Some(0.0), Some(2.0), Some(0.0)]);
    }

    #[test]
    fn every_seed_inside_passes() {
        let samples = vec![seen(0.5, Some(0.1), None); 3];
        assert_eq!(judged(judge(&samples, &EFFORT)).verdict, Verdict::Pass);
    }

    #[test]
    fn seeds_beyond_the_first_ones_change_nothing() {
        let mut samples = vec![seen(0.5, Some(0.1), None); 3];
        let first = judge(&samples, &EFFORT);
        samples.push(seen(0.0, Some(0.1), None));
        assert_eq!(judge(&samples, &EFFORT), first);
    }

    #[test]
    fn too_few_seeds_ask_for_the_rest() {
        assert_eq!(judge(&[seen(0.5, None, None)], &EFFORT), Look::More(3));
    }

    #[test]
    fn a_value_that_is_not_finite_fails() {
        let samples = vec![seen(f64::NAN, None, None); 3];
        assert_eq!(judged(judge(&samples, &EFFORT)).verdict, Verdict::Fail);
    }

    #[test]
    fn the_worst_entry_speaks_and_unjudged_ones_are_listed() {
        let sample = Sample::Seen(vec![
            entry("a", 0.5, Some(0.1), None),
            entry("b", 0.01, Some(0.1), None),
            entry("c", 9.0, None, None).unjudged(),
        ]);
        let judged = judged(judge(&vec![sample; 3], &EFFORT));
        assert_eq!((judged.at.as_deref(), judged.value), (Some("b"), Some(0.01)));
        assert_eq!(judged.outside, ["b"]);
        assert_eq!(judged.by.last(), Some(&("c".to_owned(), Some(9.0))));
    }

    #[test]
    fn nothing_in_every_seed_is_skipped_with_the_reason() {
        let samples = vec![Sample::Nothing("no batch norm".into()); 3];
        let judged = judged(judge(&samples, &EFFORT));
        assert_eq!((judged.verdict, judged.reason.as_deref()), (Verdict::Skipped, Some("no batch norm")));
    }

    #[test]
    fn nothing_in_one_seed_leaves_the_others_to_be_judged() {
        let samples = [Sample::Nothing("no".into()), seen(0.0, Some(0.1), None), seen(0.5, Some(0.1), None)];
        let judged = judged(judge(&samples, &EFFORT));
        assert_eq!(judged.verdict, Verdict::Fail);
        assert_eq!(judged.values, [None, Some(0.0), Some(0.5)]);
    }

    #[test]
    fn an_unanswerable_question_is_an_error() {
        let samples = [seen(0.5, None, None), Sample::Unanswerable("no classes".into()), seen(0.5, None, None)];
        let judged = judged(judge(&samples, &EFFORT));
        assert_eq!((judged.verdict, judged.reason.as_deref()), (Verdict::Error, Some("no classes")));
    }
}
