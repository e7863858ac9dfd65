use super::super::fixture::{Outcome, facts, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::spec::expression::Expression;
use crate::spec::property::Settings;

/// A metric on both shares; 0.1 is what one has without looking.
pub(crate) fn score(training: f64, validation: Option<f64>) -> Score {
    let share = |value| ShareScore { rows: 100, value: Ok(value), baseline: Ok(0.1) };
    Score { facts: facts(), cannot: None, training: Some(share(training)), validation: validation.map(share) }
}

fn band(min: Option<f64>, max: Option<f64>) -> Settings {
    let edge = |value: Option<f64>| value.map(|v| Located::new(Expression::number(v), 0..0));
    Settings { min: edge(min), max: edge(max), ..Settings::default() }
}

fn run(score: Score, settings: &Settings) -> Outcome {
    outcome(&Metric::default(), &subject(), settings, &[score.into()])
}

#[test]
fn the_validation_share_is_judged() {
    let seen = run(score(0.99, Some(0.95)), &band(Some(0.9), None));
    assert_eq!((seen.judged.verdict, seen.judged.value), (Verdict::Pass, Some(0.95)));
    assert_eq!(seen.remark.as_deref(), Some("0.99 on the training share, 0.1 without looking"));
}

#[test]
fn split_chooses_the_training_share() {
    let split = Some(Located::new(Share::Training, 0..0));
    let seen = run(score(0.99, None), &Settings { split, ..band(Some(0.9), None) });
    assert_eq!((seen.judged.verdict, seen.judged.value), (Verdict::Pass, Some(0.99)));
}

#[test]
fn a_bad_metric_names_what_the_training_share_says() {
    let least = band(Some(0.9), None);
    assert_eq!(run(score(0.99, Some(0.5)), &least).causes, ["overfits"]);
    assert_eq!(run(score(0.6, Some(0.5)), &least).causes, ["undertrained"]);
    assert_eq!(run(score(1.0, Some(1.0)), &band(None, Some(0.9))).causes, ["too_good"]);
}

#[test]
fn of_errors_less_is_better() {
    let check = Metric { metric: Some(Kind::Rmse), ..Metric::default() };
    let run = |settings| outcome(&check, &subject(), &settings, &[score(0.2, Some(0.5)).into()]);
    assert_eq!(run(band(None, Some(0.3))).causes, ["overfits"]);
    assert_eq!(run(band(Some(0.8), None)).causes, ["too_good"]);
}

#[test]
fn without_a_band_it_says_the_number_and_is_skipped() {
    let judged = run(score(0.99, Some(0.95)), &Settings::default()).judged;
    assert_eq!(judged.verdict, Verdict::Skipped);
    assert!(judged.reason.unwrap().starts_with("`accuracy` is 0.95 after 200 steps"));
}

#[test]
fn what_is_not_there_is_skipped_and_what_makes_no_sense_is_an_error() {
    let least = band(Some(0.9), None);
    assert_eq!(run(score(0.99, None), &least).judged.verdict, Verdict::Skipped);
    let none = Score { cannot: Some("because".into()), training: None, ..score(0.0, None) };
    assert_eq!(run(none, &least).judged.verdict, Verdict::Skipped);
    let mut odd = score(0.9, Some(0.9));
    odd.validation.as_mut().unwrap().value = Err("use r2".into());
    let judged = run(odd, &least).judged;
    assert_eq!((judged.verdict, judged.reason.as_deref()), (Verdict::Error, Some("use r2")));
}

#[test]
fn epochs_take_the_place_of_steps() {
    let check = Metric { epochs: Some(super::super::parameter::count(3)), ..Metric::default() };
    let [Request::Score(ask)] = &check.needs(&subject())[..] else { panic!() };
    assert_eq!((ask.after, ask.metric), (Training::Epochs(3), Kind::Accuracy));
    let function = Metric { function: Some(Located::new("a::b".into(), 0..0)), ..Metric::default() };
    let [Request::Value(ask)] = &function.needs(&subject())[..] else { panic!() };
    assert_eq!(ask.after, Training::Steps(200));
}
