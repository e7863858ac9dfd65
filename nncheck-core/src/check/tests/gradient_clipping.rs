use super::super::fixture::{Outcome, facts, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement::optimizer_steps::Moment;
use crate::spec::property::Settings;

/// 100 steps with these gradients, of which the longer ones are clipped to `most`.
fn seen(given: impl Fn(u32) -> f64, most: f64) -> OptimizerSteps {
    let step = |i| {
        let given = given(i);
        let length = |norm: f64| Length { norm, largest: norm / 2.0 };
        Moment { loss: 1.0, count: 1, rate: Some(0.1), given: length(given), used: length(given.min(most)) }
    };
    OptimizerSteps { facts: facts(), cannot: None, steps: (0..100).map(step).collect() }
}

fn run(check: &GradientClipping, seen: OptimizerSteps) -> Outcome {
    outcome(check, &subject(), &Settings::default(), &[seen.into()])
}

fn to(norm: f64) -> GradientClipping {
    GradientClipping { norm: Some(norm), ..GradientClipping::default() }
}

#[test]
fn a_bound_that_is_held_and_seldom_reached_passes() {
    let seen = run(&to(1.0), seen(|i| if i % 10 == 0 { 5.0 } else { 0.5 }, 1.0));
    assert_eq!(seen.judged.verdict, Verdict::Pass);
    assert_eq!(seen.judged.by.last().unwrap().1, Some(0.1));
}

#[test]
fn a_bound_that_is_not_held_fails() {
    let seen = run(&to(1.0), seen(|i| if i == 7 { 5.0 } else { 0.5 }, f64::INFINITY));
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["not_clipped"][..]));
}

#[test]
fn a_bound_far_below_the_usual_gradient_fails() {
    let seen = run(&to(0.01), seen(|_| 0.5, 0.01));
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["clips_hard", "clips_always"][..]));
    assert!(seen.help.contains("0.5, 50 times the bound of 0.01"), "{}", seen.help);
}

#[test]
fn a_bound_that_is_always_reached_is_advice() {
    let seen = run(&to(1.0), seen(|_| 2.0, 1.0));
    assert_eq!((&seen.judged.outside[..], &seen.causes[..]), (&[TOUCHED.to_owned()][..], &["clips_always"][..]));
    assert!(GradientClipping::default().advises(TOUCHED));
}

#[test]
fn a_bound_of_entries_is_of_the_largest() {
    let check = GradientClipping { value: Some(0.3), ..GradientClipping::default() };
    assert_eq!(run(&check, seen(|_| 0.5, 1.0)).judged.verdict, Verdict::Pass);
    assert_eq!(run(&check, seen(|_| 0.9, 1.0)).causes, ["not_clipped"]);
}

#[test]
fn without_clipping_it_is_moot() {
    let (subject, settings) = (subject(), Settings::default());
    let context = Context { subject: &subject, settings: &settings };
    assert!(GradientClipping::default().moot(&context).unwrap().contains("no clipping"));
    assert_eq!(to(1.0).moot(&context), None);
}
