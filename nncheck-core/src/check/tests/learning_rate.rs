use super::super::fixture::{Outcome, facts, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::spec::property::Settings;

/// A loss that falls from 1e-3 on, is lowest at 1 and back at 10.
fn seen(lr: f64) -> LrRange {
    let losses = vec![2.0, 1.99, 1.8, 1.5, 1.0, 2.5];
    let rates = vec![1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0];
    LrRange { facts: facts(), cannot: None, lr: Some(lr), start: 2.0, rates, losses }
}

fn run(check: &LearningRate, taken: &[Measurement]) -> Outcome {
    outcome(check, &subject(), &Settings::default(), taken)
}

fn at(lr: f64) -> Outcome {
    run(&LearningRate::default(), &[seen(lr).into()])
}

#[test]
fn a_rate_where_the_loss_falls_passes_and_another_is_suggested() {
    let seen = at(0.1);
    assert_eq!(seen.judged.verdict, Verdict::Pass);
    // Half way between 0.01, where a twentieth of the fall is reached, and 1.
    assert_eq!(
        seen.remark.as_deref(),
        Some("the rate is 0.1; in a range test the loss falls from 0.01 to 1, which suggests 0.1")
    );
}

#[test]
fn it_suggests_a_rate_whatever_the_verdict() {
    let (subject, settings) = (subject(), Settings::default());
    let context = Context { subject: &subject, settings: &settings };
    let suggested = |lr| LearningRate::default().suggestion(&context, &[vec![seen(lr).into()]]);
    assert_eq!(suggested(0.1).as_deref(), Some("lr = 0.1"));
    assert_eq!(suggested(50.0).as_deref(), Some("lr = 0.1"));
}

#[test]
fn a_rate_beyond_the_rise_is_too_high() {
    let seen = at(50.0);
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["learning_rate_high"][..]));
    assert!(seen.help.contains("50 is 5 times that: try lr = 0.1 instead of 50"), "{}", seen.help);
}

#[test]
fn a_rate_far_below_the_fall_is_too_low() {
    let seen = at(1e-4);
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["learning_rate_low"][..]));
    assert!(
        seen.help.contains("0.0001 is 100 times lower: try lr = 0.1") || seen.help.contains("1e-4"),
        "{}",
        seen.help
    );
}

#[test]
fn what_falls_at_no_rate_or_tells_no_rate_is_skipped() {
    let flat = LrRange { losses: vec![2.0; 6], ..seen(0.1) };
    let silent = LrRange { lr: None, ..seen(0.1) };
    let own = LrRange { cannot: Some("because".to_owned()), ..seen(0.1) };
    for (range, words) in [(flat, "at no rate"), (silent, "suggests 0.1"), (own, "because")] {
        let judged = run(&LearningRate::default(), &[range.into()]).judged;
        assert_eq!(judged.verdict, Verdict::Skipped);
        assert!(judged.reason.as_deref().unwrap_or_default().contains(words), "{:?}", judged.reason);
    }
}

#[test]
fn sensitivity_compares_half_and_twice_the_rate() {
    let check = LearningRate { sensitivity: Some(1.5), ..LearningRate::default() };
    let at = |losses: [f64; 3]| {
        let trials = Trials { facts: facts(), cannot: None, start: 2.0, losses: losses.to_vec() };
        run(&check, &[seen(0.1).into(), trials.into()])
    };
    assert_eq!(at([0.6, 0.5, 0.5]).judged.verdict, Verdict::Pass);
    let twice = at([0.6, 0.5, f64::NAN]);
    assert_eq!((twice.judged.verdict, &twice.causes[..]), (Verdict::Fail, &["sensitive"][..]));
}

#[test]
fn the_programs_own_rate_is_always_tried() {
    let asked = LearningRate { low: 1.0, high: 0.001, ..LearningRate::default() }.needs(&subject());
    let [Request::LrRange(ask)] = &asked[..] else { panic!("{asked:?}") };
    assert!(ask.low <= 0.01 && ask.high >= 1.0);
}

#[test]
fn the_curve_marks_both_rates() {
    let context_settings = Settings::default();
    let subject = subject();
    let context = Context { subject: &subject, settings: &context_settings };
    let judged = at(0.01).judged;
    let shown = LearningRate::default().exhibits(&context, &judged, &[vec![seen(0.01).into()]]);
    let [Exhibit::Curve(curve)] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!(curve.marks, [(3, "suggested".to_owned()), (2, "now".to_owned())]);
}
