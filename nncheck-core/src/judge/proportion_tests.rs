use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::fixture::{entry, judged, seen};
use super::*;

const EFFORT: Effort = Effort { seeds: 5, max_seeds: 40, confidence: 0.99 };

fn samples(successes: &[bool]) -> Vec<Sample> {
    successes.iter().map(|&s| seen(if s { 1.0 } else { 0.5 }, Some(1.0), None)).collect()
}

/// Runs as the harness does: as many seeds as the rule asks for, again and again.
fn run(successes: &[bool], effort: &Effort) -> (Look, usize) {
    let mut n = first_look(effort) as usize;
    loop {
        match judge(&samples(&successes[..n]), effort) {
            Look::More(more) => {
                assert!(more as usize > n && more <= effort.max_seeds, "{more} after {n}");
                n = more as usize;
            }
            decided @ Look::Decided(_) => return (decided, n),
        }
    }
}

#[test]
fn eight_straight_successes_pass_and_seven_do_not() {
    assert_eq!(judge(&samples(&[true; 7]), &EFFORT), Look::More(8));
    assert_eq!(judged(judge(&samples(&[true; 8]), &EFFORT)).verdict, Verdict::Pass);
}

#[test]
fn two_straight_failures_fail() {
    let judged = judged(judge(&samples(&[false, false]), &EFFORT));
    assert_eq!((judged.verdict, judged.value), (Verdict::Fail, Some(0.5)));
}

#[test]
fn the_first_looks_are_two_and_eight() {
    assert_eq!(first_look(&EFFORT), 2);
    assert_eq!(judge(&samples(&[true, true]), &EFFORT), Look::More(8));
}

#[test]
fn one_failure_among_successes_needs_eleven_successes() {
    // ln 99 = 4.595; a failure costs ln 10 = 2.303, a success brings ln 1.9 = 0.642: 10.7 successes.
    let mut successes = vec![true; 11];
    successes[1] = false;
    assert!(matches!(judge(&samples(&successes), &EFFORT), Look::More(_)));
    successes.push(true);
    let judged = judged(judge(&samples(&successes), &EFFORT));
    assert_eq!((judged.verdict, judged.value), (Verdict::Pass, Some(1.0)));
    assert_eq!(judged.reason.as_deref(), Some("holds in 11 of 12 seeds"));
}

#[test]
fn every_judged_entry_has_to_be_inside() {
    let sample = Sample::Seen(vec![entry("train", 1.0, Some(1.0), None), entry("eval", 0.5, Some(1.0), None)]);
    let judged = judged(judge(&[sample.clone(), sample], &EFFORT));
    assert_eq!((judged.verdict, judged.at.as_deref()), (Verdict::Fail, Some("eval")));
    assert_eq!(judged.outside, ["eval"]);
}

#[test]
fn too_few_seeds_to_decide_are_inconclusive_with_the_number_needed() {
    let effort = Effort { seeds: 3, max_seeds: 3, confidence: 0.99 };
    let judged = judged(judge(&samples(&[true; 3]), &effort));
    assert_eq!((judged.verdict, judged.seeds_needed), (Verdict::Inconclusive, Some(8)));
}

#[test]
fn a_single_seed_decides_by_itself() {
    let effort = Effort { seeds: 1, max_seeds: 40, confidence: 0.99 };
    assert_eq!(first_look(&effort), 1);
    assert_eq!(judged(judge(&samples(&[true]), &effort)).verdict, Verdict::Pass);
    assert_eq!(judged(judge(&samples(&[false]), &effort)).verdict, Verdict::Fail);
}

#[test]
fn nothing_in_every_seed_is_skipped_at_the_first_look() {
    let judged = judged(judge(&vec![Sample::Nothing("batch norm takes no two points".into()); 2], &EFFORT));
    assert_eq!(judged.verdict, Verdict::Skipped);
}

#[test]
fn an_unanswerable_question_is_an_error() {
    let judged = judged(judge(&vec![Sample::Unanswerable("no".into()); 2], &EFFORT));
    assert_eq!(judged.verdict, Verdict::Error);
}

#[test]
fn both_errors_stay_near_one_percent() {
    // Wald's bounds: wrong passes at 0.5 at most alpha / (1 - beta), wrong failures at 0.95 at most beta / (1 - alpha).
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let wide = Effort { max_seeds: 400, ..EFFORT };
    for (share, wrong) in [(0.5, Verdict::Pass), (0.95, Verdict::Fail)] {
        let runs = 4000;
        let mut errors = 0;
        for _ in 0..runs {
            let successes: Vec<bool> = (0..400).map(|_| random.random_bool(share)).collect();
            let judged = judged(run(&successes, &wide).0);
            if judged.verdict == wrong {
                errors += 1;
            }
        }
        let bound = 0.01 / 0.99 * f64::from(runs);
        assert!(f64::from(errors) < bound + 3.0 * bound.sqrt(), "{errors} wrong at {share}");
    }
}

proptest! {
    #[test]
    fn the_size_of_the_looks_changes_nothing(successes in prop::collection::vec(prop::bool::weighted(0.8), 40)) {
        let (in_looks, used) = run(&successes, &EFFORT);
        let at_once = judge(&samples(&successes), &EFFORT);
        prop_assert_eq!(&in_looks, &at_once);
        let one_by_one = (1..=40).find_map(|n| match judge(&samples(&successes[..n]), &EFFORT) {
            Look::More(_) => None,
            decided => Some(decided),
        });
        prop_assert_eq!(Some(in_looks), one_by_one);
        prop_assert!(used <= 40);
    }
}
