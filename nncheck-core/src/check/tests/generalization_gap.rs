use super::super::fixture::{Outcome, facts, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement::score::ShareScore;
use crate::spec::property::Settings;

fn score(training: f64, validation: f64, baseline: f64) -> Score {
    let share = |value| ShareScore { rows: 100, value: Ok(value), baseline: Ok(baseline) };
    Score { facts: facts(), cannot: None, training: Some(share(training)), validation: Some(share(validation)) }
}

fn run(check: &GeneralizationGap, score: Score) -> Outcome {
    outcome(check, &subject(), &Settings::default(), &[score.into()])
}

fn accuracy(training: f64, validation: f64) -> Outcome {
    run(&GeneralizationGap::default(), score(training, validation, 0.1))
}

#[test]
fn a_small_gap_passes_and_says_both_numbers() {
    let seen = accuracy(0.99, 0.95);
    assert_eq!(seen.judged.verdict, Verdict::Pass);
    assert!((seen.judged.value.unwrap() - 0.04).abs() < 1e-12);
    assert_eq!(seen.remark.as_deref(), Some("`accuracy` is 0.99 in training, 0.95 in validation"));
}

#[test]
fn a_wide_gap_overfits() {
    let seen = accuracy(1.0, 0.7);
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["overfits"][..]));
}

#[test]
fn validation_rows_that_are_no_better_than_without_looking_differ() {
    assert_eq!(accuracy(1.0, 0.1).causes, ["shares_differ", "overfits"]);
}

#[test]
fn of_errors_the_growth_counts() {
    let check = GeneralizationGap { metric: Some(Metric::Rmse), ..GeneralizationGap::default() };
    assert_eq!(run(&check, score(1.0, 1.1, 2.0)).judged.verdict, Verdict::Pass);
    let seen = run(&check, score(1.0, 1.5, 2.0));
    assert_eq!((seen.judged.value, &seen.causes[..]), (Some(0.5), &["overfits"][..]));
    assert_eq!(run(&check, score(0.0, 0.0, 2.0)).judged.value, Some(0.0));
}

#[test]
fn one_share_has_no_gap() {
    let alone = Score { validation: None, ..score(0.9, 0.9, 0.1) };
    assert_eq!(run(&GeneralizationGap::default(), alone).judged.verdict, Verdict::Skipped);
}
