use super::super::fixture::{Outcome, bad_at, each_step, outcome, subject, trace as sound};
use super::*;
use crate::judge::Verdict;
use crate::spec::property::Settings;

fn run(trace: Trace) -> Outcome {
    outcome(&Finite::default(), &subject(), &Settings::default(), &[Measurement::Trace(trace)])
}

fn activation(operator: &str) -> NonFinite {
    NonFinite::Activation { layer: "head".into(), operator: operator.into() }
}

#[test]
fn a_finite_training_passes_with_no_bad_step() {
    let seen = run(sound(50, 1e-3));
    assert_eq!((seen.judged.verdict, seen.judged.value), (Verdict::Pass, Some(0.0)));
}

#[test]
fn bad_steps_are_counted() {
    let seen = run(bad_at(47, &activation("log"), sound(50, 1e-3)));
    assert_eq!((seen.judged.verdict, seen.judged.value), (Verdict::Fail, Some(3.0)));
}

#[test]
fn a_nan_in_the_data_is_named_alone() {
    assert_eq!(run(bad_at(0, &NonFinite::Input, sound(50, 1e-3))).causes, ["nan_in_data"]);
}

#[test]
fn the_first_operator_is_named_with_its_step_and_layer() {
    let seen = run(bad_at(3, &activation("log"), sound(50, 1e-3)));
    assert_eq!(seen.causes, ["operator"]);
    assert!(
        seen.help.starts_with("step 3: the first NaN or infinity is in the output of log in head"),
        "{}",
        seen.help
    );
}

#[test]
fn a_loss_that_grew_before_names_the_rate_first() {
    let exploding = each_step(sound(50, 1e-3), |i, step, w| {
        step.loss = 2.3 * 10f64.powi(i32::try_from(i).unwrap());
        if i == 5 {
            w.non_finite = Some(activation("linear"));
        }
    });
    let seen = run(exploding);
    assert_eq!(seen.causes, ["exploding", "overflow"]);
    assert!(seen.help.contains("try lr = 0.01 instead of 0.1"));
}

#[test]
fn loss_gradient_and_parameter_are_told_apart() {
    assert_eq!(run(bad_at(0, &NonFinite::Loss, sound(50, 1e-3))).causes, ["loss"]);
    assert_eq!(run(bad_at(0, &NonFinite::Gradient("w".into()), sound(50, 1e-3))).causes, ["gradient"]);
    assert_eq!(run(bad_at(0, &NonFinite::Parameter("w".into()), sound(50, 1e-3))).causes, ["exploding"]);
}

#[test]
fn a_loss_that_is_not_finite_counts_without_a_place() {
    let seen = run(each_step(sound(50, 1e-3), |i, step, _| {
        if i == 7 {
            step.loss = f64::NAN;
        }
    }));
    assert_eq!((seen.judged.value, seen.causes), (Some(1.0), vec!["loss"]));
}

#[test]
fn steps_beyond_those_asked_for_do_not_count() {
    assert_eq!(run(bad_at(50, &NonFinite::Loss, sound(60, 1e-3))).judged.verdict, Verdict::Pass);
}

#[test]
fn no_step_at_all_is_skipped() {
    assert_eq!(run(sound(0, 1e-3)).judged.verdict, Verdict::Skipped);
}

/// The first `count` steps meet an infinite gradient, and move nothing.
fn skipping(count: usize) -> Trace {
    each_step(sound(50, 1e-3), |i, _, watched| {
        if i < count {
            watched.non_finite = Some(NonFinite::Gradient("w".into()));
            watched.update_norm.fill(0.0);
        }
    })
}

#[test]
fn loss_scaling_may_skip_a_step_or_two() {
    assert_eq!(run(skipping(2)).judged.verdict, Verdict::Pass);
    // 3 of 50 are 6 %.
    let seen = run(skipping(3));
    assert_eq!((seen.judged.verdict, seen.judged.at.as_deref()), (Verdict::Fail, Some(SKIPPED)));
    assert_eq!((seen.judged.value, &seen.causes[..]), (Some(0.06), &["gradient"][..]));
}
