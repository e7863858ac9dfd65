use super::super::fixture::{Outcome, facts, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::spec::property::Settings;

fn share(value: f64, baseline: f64) -> ShareScore {
    ShareScore { rows: 100, value: Ok(value), baseline: Ok(baseline) }
}

fn score(training: f64, validation: Option<f64>) -> Score {
    let of = |value| share(value, 0.6);
    Score { facts: facts(), cannot: None, training: Some(of(training)), validation: validation.map(of) }
}

fn run(score: Score) -> Outcome {
    outcome(&BeatsBaseline::default(), &subject(), &Settings::default(), &[score.into()])
}

#[test]
fn what_is_better_than_the_majority_class_passes() {
    let seen = run(score(0.95, Some(0.9)));
    assert_eq!(seen.judged.verdict, Verdict::Pass);
    assert!((seen.judged.value.unwrap() - 0.3).abs() < 1e-12);
    assert_eq!(seen.remark.as_deref(), Some("`accuracy` is 0.9, without looking 0.6"));
}

#[test]
fn as_good_as_the_majority_class_is_not_better() {
    let seen = run(score(0.6, Some(0.6)));
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["does_not_learn"][..]));
}

#[test]
fn what_is_better_on_its_training_rows_alone_does_not_generalize() {
    let seen = run(score(0.99, Some(0.4)));
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["does_not_generalize"][..]));
}

#[test]
fn of_errors_the_saved_share_counts() {
    assert!((margin(Metric::Rmse, &share(0.5, 2.0)).unwrap() - 0.75).abs() < 1e-12);
    assert!(margin(Metric::Perplexity, &share(3.0, 2.0)).unwrap() < 0.0);
    assert!((margin(Metric::R2, &share(0.5, -0.1)).unwrap() - 0.6).abs() < 1e-12);
}

#[test]
fn without_validation_rows_there_is_nothing_to_see() {
    assert_eq!(run(score(0.99, None)).judged.verdict, Verdict::Skipped);
}

#[test]
fn a_plain_network_that_is_better_is_advice() {
    let check = BeatsBaseline { hidden: Some(super::super::parameter::count(64)), ..BeatsBaseline::default() };
    let run = |peer| {
        let taken = [score(0.9, Some(0.8)).into(), score(0.9, Some(peer)).into()];
        outcome(&check, &subject(), &Settings::default(), &taken)
    };
    assert_eq!(run(0.82).judged.verdict, Verdict::Pass);
    let seen = run(0.95);
    assert_eq!((&seen.judged.outside[..], &seen.causes[..]), (&[OVER_PEER.to_owned()][..], &["outdone"][..]));
    assert!(check.advises(OVER_PEER) && check.needs(&subject()).len() == 2);
}
