use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::fixture::{entry, judged, seen};
use super::super::{Judged, judge as judge_by};
use super::*;

const EFFORT: Effort = Effort { seeds: 5, max_seeds: 40, confidence: 0.99 };
const FIVE_ONLY: Effort = Effort { max_seeds: 5, ..EFFORT };

fn samples(values: &[f64], min: Option<f64>, max: Option<f64>) -> Vec<Sample> {
    values.iter().map(|&v| seen(v, min, max)).collect()
}

/// Student-t quantile at 1 - 0.0025 / 2 of four degrees of freedom, by Simpson integration of the density.
const T_OF_FOUR: f64 = 6.758_252_832_7;

fn log_samples(values: &[f64], min: Option<f64>, max: Option<f64>) -> Vec<Sample> {
    values.iter().map(|&v| Sample::Seen(vec![entry("w", v, min, max).log()])).collect()
}

#[test]
fn the_interval_is_the_textbook_one() {
    // 1..5: mean 3, standard deviation sqrt(2.5), so half the width is t(4) sqrt(2.5 / 5) = t(4) / sqrt 2.
    let judged = judged(judge(&samples(&[1.0, 2.0, 3.0, 4.0, 5.0], Some(-10.0), Some(10.0)), &EFFORT));
    let interval = judged.interval.unwrap();
    let half = T_OF_FOUR / 2f64.sqrt();
    assert!((interval.low.unwrap() - (3.0 - half)).abs() < 1e-7);
    assert!((interval.high.unwrap() - (3.0 + half)).abs() < 1e-7);
    assert_eq!((judged.verdict, judged.value, interval.confidence), (Verdict::Pass, Some(3.0), 0.99));
}

#[test]
fn a_log_scale_takes_the_geometric_mean() {
    let judged = judged(judge(&log_samples(&[1e-3, 1e-3, 1e-2, 1e-4, 1e-3], Some(1e-9), Some(1e3)), &EFFORT));
    assert!((judged.value.unwrap() / 1e-3 - 1.0).abs() < 1e-12);
    // Spread of the natural logarithm: ln 10 times that of (-3, -3, -2, -4, -3), which is sqrt(2 / 4).
    let reach = (10f64.ln() * (0.5f64 / 5.0).sqrt() * T_OF_FOUR).exp();
    let interval = judged.interval.unwrap();
    assert!((interval.high.unwrap() / (1e-3 * reach) - 1.0).abs() < 1e-7);
    assert!((interval.low.unwrap() * reach / 1e-3 - 1.0).abs() < 1e-7);
}

#[test]
fn an_interval_wholly_outside_fails() {
    let judged = judged(judge(&samples(&[5.0, 5.1, 4.9, 5.0, 5.05], Some(0.0), Some(3.0)), &EFFORT));
    assert_eq!((judged.verdict, judged.reason), (Verdict::Fail, None));
}

#[test]
fn an_interval_across_an_edge_looks_again_and_is_inconclusive_in_the_end() {
    let one = [0.9, 1.0, 1.1, 0.95, 1.05];
    let mut values = one.to_vec();
    for look in [10, 20, 40] {
        assert_eq!(judge(&samples(&values, Some(0.99), Some(2.0)), &EFFORT), Look::More(look));
        while values.len() < look as usize {
            values.extend(one);
        }
    }
    let judged = judged(judge(&samples(&values, Some(0.99), Some(2.0)), &EFFORT));
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    // Distance 0.01, spread sqrt(0.2 / 39): the t quantile for many seeds is the normal one, 3.0233 at 1 - 0.00125, so
    // n = (3.0233 x 0.07161 / 0.01)^2 = 468.7, and a little more for the heavier tail.
    let needed = judged.seeds_needed.unwrap();
    assert!((469..480).contains(&needed), "{needed}");
}

#[test]
fn looks_are_capped_at_the_most_seeds() {
    let look = |seeds, max_seeds| looks(&Effort { seeds, max_seeds, confidence: 0.99 });
    assert_eq!(look(5, 40), [5, 10, 20, 40]);
    assert_eq!(look(5, 100), [5, 10, 20, 40]);
    assert_eq!(look(5, 15), [5, 10, 15]);
    assert_eq!(look(5, 5), [5]);
    assert_eq!(look(60, 40), [60]);
    assert_eq!(look(1, 40), [1]);
}

#[test]
fn equal_values_decide_without_a_spread_and_stay_themselves() {
    let x = 0.1 + 0.2;
    let judged_inside = judged(judge(&log_samples(&[x; 5], Some(x), Some(1.0)), &EFFORT));
    assert_eq!((judged_inside.verdict, judged_inside.value.map(f64::to_bits)), (Verdict::Pass, Some(x.to_bits())));
    assert_eq!(judged_inside.interval, None);
    let outside = judged(judge(&log_samples(&[x; 5], None, Some(0.3)), &EFFORT));
    assert_eq!(outside.verdict, Verdict::Fail);
}

#[test]
fn a_single_seed_decides_by_its_value() {
    for effort in [Effort { seeds: 1, ..EFFORT }, Effort { max_seeds: 1, ..EFFORT }] {
        assert_eq!(first_look(&effort), 1);
        let pass = judged(judge(&log_samples(&[2.3], Some(2.0), Some(4.0)), &effort));
        assert_eq!((pass.verdict, pass.interval), (Verdict::Pass, None));
        let fail = judged(judge(&log_samples(&[4.3], Some(2.0), Some(4.0)), &effort));
        assert_eq!(fail.verdict, Verdict::Fail);
    }
}

#[test]
fn a_seed_that_is_not_finite_fails_at_once() {
    let judged = judged(judge(&samples(&[1.0, 1.1, f64::INFINITY, 1.0, 0.9], Some(0.0), Some(2.0)), &EFFORT));
    assert_eq!((judged.verdict, judged.reason.as_deref()), (Verdict::Fail, Some("not finite in 1 of 5 seeds")));
}

#[test]
fn a_zero_on_a_log_scale_fails_unless_the_band_admits_it() {
    let values = [1e-3, 0.0, 1e-3, 1.1e-3, 0.9e-3];
    let outside = judged(judge(&log_samples(&values, Some(5e-5), Some(0.1)), &EFFORT));
    assert_eq!((outside.verdict, outside.value), (Verdict::Fail, Some(0.0)));
    assert_eq!(judged(judge(&log_samples(&values, None, Some(0.1)), &EFFORT)).verdict, Verdict::Pass);
    assert_eq!(judged(judge(&log_samples(&values, Some(0.0), Some(0.1)), &EFFORT)).verdict, Verdict::Pass);
}

#[test]
fn one_seed_far_out_is_unstable() {
    // The band is ln 2 wide; 2 x 2^3 is its far line.
    let judged = judged(judge(&log_samples(&[1.5, 1.5, 1.4, 1.6, 17.0], Some(1.0), Some(2.0)), &EFFORT));
    assert_eq!(judged.verdict, Verdict::Fail);
    assert!(judged.reason.unwrap().starts_with("unstable: one seed has 17"));
}

#[test]
fn all_seeds_far_out_fail_without_being_called_unstable() {
    let judged = judged(judge(&log_samples(&[30.0, 40.0, 50.0, 35.0, 45.0], Some(1.0), Some(2.0)), &EFFORT));
    assert_eq!((judged.verdict, judged.reason), (Verdict::Fail, None));
}

#[test]
fn the_entry_furthest_outside_speaks_and_every_one_outside_is_named() {
    let sample = |jitter: f64| {
        Sample::Seen(vec![
            entry("a", 0.01 * jitter, Some(5e-5), Some(0.1)).log(),
            entry("b", 0.3 * jitter, Some(5e-5), Some(0.1)).log(),
            entry("c", 30.0 * jitter, Some(5e-5), Some(0.1)).log(),
            entry("bias", 99.0, None, None).log().unjudged(),
        ])
    };
    let judged = judged(judge(&[1.0, 1.01, 0.99, 1.02, 0.98].map(sample), &EFFORT));
    assert_eq!((judged.verdict, judged.at.as_deref()), (Verdict::Fail, Some("c")));
    assert_eq!(judged.outside, ["b", "c"]);
    assert_eq!(judged.by.len(), 4);
    assert_eq!(judged.by[3], ("bias".to_owned(), Some(99.0)));
}

#[test]
fn an_entry_without_a_number_is_listed_as_none() {
    let sample = Sample::Seen(vec![
        entry("a", 0.01, Some(5e-5), Some(0.1)),
        super::super::Entry { value: None, ..entry("zero", 0.0, Some(5e-5), Some(0.1)) },
    ]);
    let judged = judged(judge(&vec![sample; 5], &EFFORT));
    assert_eq!((judged.verdict, judged.by[1].clone()), (Verdict::Pass, ("zero".to_owned(), None)));
}

#[test]
fn nothing_but_missing_numbers_is_skipped() {
    let sample = Sample::Seen(vec![super::super::Entry { value: None, ..entry("zero", 0.0, None, None) }]);
    assert_eq!(judged(judge(&vec![sample; 5], &EFFORT)).verdict, Verdict::Skipped);
}

#[test]
fn entries_are_aligned_by_name_not_by_place() {
    let one = Sample::Seen(vec![entry("a", 1.0, Some(0.5), Some(1.5)), entry("b", 9.0, Some(8.0), Some(10.0))]);
    let other = Sample::Seen(vec![entry("b", 9.0, Some(8.0), Some(10.0)), entry("a", 1.0, Some(0.5), Some(1.5))]);
    let judged = judged(judge(&[one.clone(), other, one.clone(), one.clone(), one], &EFFORT));
    assert_eq!(judged.verdict, Verdict::Pass);
    assert_eq!(judged.by, [("a".to_owned(), Some(1.0)), ("b".to_owned(), Some(9.0))]);
}

/// A standard normal number (Box and Muller).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

#[test]
fn a_mean_on_the_very_edge_is_decided_in_at_most_one_percent_of_runs() {
    // On the edge neither verdict is right; each of them is the error of a mean just beside it.
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let runs = 4000;
    let mut decided = 0;
    for _ in 0..runs {
        let values: Vec<f64> = (0..40).map(|_| normal(&mut random)).collect();
        let judged = judged(judge(&samples(&values, Some(0.0), Some(1000.0)), &EFFORT));
        if judged.verdict != Verdict::Inconclusive {
            decided += 1;
        }
    }
    // 1 % is the promise; three standard deviations of the simulation on top.
    assert!(f64::from(decided) / f64::from(runs) < 0.01 + 3.0 * (0.01f64 / f64::from(runs)).sqrt(), "{decided}");
    assert!(decided > 0, "the rule never decides");
}

#[test]
fn a_mean_well_inside_passes_in_every_run() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    for _ in 0..1000 {
        let values: Vec<f64> = (0..40).map(|_| normal(&mut random)).collect();
        let judged = judged(judge(&samples(&values, Some(-1.0), Some(1000.0)), &EFFORT));
        assert_eq!(judged.verdict, Verdict::Pass);
    }
}

fn verdict(look: &Look) -> Option<&Judged> {
    if let Look::Decided(judged) = look { Some(judged) } else { None }
}

proptest! {
    #[test]
    fn the_order_of_the_seeds_changes_nothing(mut values in prop::collection::vec(1e-6f64..1.0, 5), by in 0usize..5) {
        let before = judge(&log_samples(&values, Some(1e-3), Some(0.1)), &FIVE_ONLY);
        values.rotate_left(by);
        let after = judge(&log_samples(&values, Some(1e-3), Some(0.1)), &FIVE_ONLY);
        let (before, after) = (verdict(&before).unwrap(), verdict(&after).unwrap());
        prop_assert_eq!((before.verdict, before.value, before.interval), (after.verdict, after.value, after.interval));
    }

    #[test]
    fn seeds_that_are_there_already_change_no_verdict(values in prop::collection::vec(-3f64..3.0, 40)) {
        let all = judge_by(Rule::Mean, &samples(&values, Some(-1.0), Some(1.0)), &EFFORT);
        let mut n = 5;
        let step_by_step = loop {
            match judge_by(Rule::Mean, &samples(&values[..n], Some(-1.0), Some(1.0)), &EFFORT) {
                Look::More(more) => n = more as usize,
                decided @ Look::Decided(_) => break decided,
            }
        };
        prop_assert_eq!(all, step_by_step);
    }

    #[test]
    fn a_wider_band_never_turns_a_pass_into_a_failure(values in prop::collection::vec(0.1f64..10.0, 5), wider in 1f64..3.0) {
        let narrow = judge(&log_samples(&values, Some(0.5), Some(2.0)), &FIVE_ONLY);
        let wide = judge(&log_samples(&values, Some(0.5 / wider), Some(2.0 * wider)), &FIVE_ONLY);
        if verdict(&narrow).unwrap().verdict == Verdict::Pass {
            prop_assert_eq!(verdict(&wide).unwrap().verdict, Verdict::Pass);
        }
    }

    #[test]
    fn the_mean_lies_between_the_extremes(values in prop::collection::vec(1e-9f64..1e9, 1..9)) {
        for scale in [Scale::Linear, Scale::Log] {
            let mean = mean(&values, scale).unwrap();
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(0.0, f64::max);
            prop_assert!(low * (1.0 - 1e-12) <= mean && mean <= high * (1.0 + 1e-12));
        }
    }
}
