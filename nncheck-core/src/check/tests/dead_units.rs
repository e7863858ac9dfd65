use super::super::fixture::{Outcome, allow, outcome, subject, unit_layer, units};
use super::*;
use crate::judge::Verdict;
use crate::spec::property::{Allowance, Settings};

/// Two layers and the rectifier between them, of whose units this share is dead.
fn seen(dead: f64) -> Measurement {
    let rectifier = UnitLayer { dead, zero_fraction: dead, ..unit_layer("hidden.relu", "relu", false) };
    units(&[unit_layer("hidden", "linear", true), rectifier, unit_layer("head", "linear", true)]).into()
}

fn run(taken: &[Measurement]) -> Outcome {
    outcome(&DeadUnits::default(), &subject(), &Settings::default(), taken)
}

#[test]
fn some_dead_units_pass_and_more_than_half_are_remarked_on() {
    let few = run(&[seen(0.1), seen(0.0)]);
    assert_eq!((few.judged.verdict, few.remark), (Verdict::Pass, None));
    let many = run(&[seen(0.6), seen(0.0)]);
    assert_eq!(many.judged.verdict, Verdict::Pass);
    assert_eq!(many.remark.as_deref(), Some("more than half of the units are dead in hidden.relu (0.6)"));
}

#[test]
fn units_that_died_in_training_are_blamed_on_the_learning_rate() {
    let died = run(&[seen(0.9), seen(0.1)]);
    assert_eq!((died.judged.verdict, &died.causes[..]), (Verdict::Fail, &["learning_rate_high"][..]));
    assert_eq!(
        died.help,
        "in hidden.relu 0.1 of the units were dead before training, 0.9 after 200 steps: try lr = 0.01 instead of 0.1, warm up or clip gradients"
    );
}

#[test]
fn units_that_were_dead_before_are_blamed_on_the_initialiser() {
    let dead = run(&[seen(1.0), seen(0.9)]);
    assert_eq!((dead.judged.verdict, &dead.causes[..]), (Verdict::Fail, &["initialization"][..]));
    assert_eq!(dead.judged.at.as_deref(), Some("hidden.relu"));
}

#[test]
fn without_a_rectifier_there_is_nothing_to_see() {
    let plain = [unit_layer("hidden", "linear", true), unit_layer("hidden.clamp", "clamp", false)];
    assert_eq!(run(&[units(&plain).into(), units(&plain).into()]).judged.verdict, Verdict::Skipped);
}

#[test]
fn a_clamp_at_zero_is_a_rectifier() {
    let clamp = UnitLayer { zero_fraction: 1.0, dead: 1.0, ..unit_layer("hidden.clamp", "clamp", false) };
    assert_eq!(
        run(&[units(std::slice::from_ref(&clamp)).into(), units(&[clamp]).into()]).judged.verdict,
        Verdict::Fail
    );
}

#[test]
fn what_is_allowed_is_not_judged() {
    let settings = allow(&[Allowance::Parameter("hidden.relu".into())]);
    let seen = outcome(&DeadUnits::default(), &subject(), &settings, &[seen(1.0), seen(1.0)]);
    assert_eq!(seen.judged.verdict, Verdict::Skipped);
}

#[test]
fn a_layer_that_is_not_finite_does_not_pass_for_one_that_lives() {
    let broken = UnitLayer { mean: f64::NAN, ..unit_layer("hidden.relu", "relu", false) };
    let broken = run(&[units(&[broken]).into(), seen(0.0)]);
    assert_eq!((broken.judged.verdict, &broken.causes[..]), (Verdict::Fail, &["learning_rate_high"][..]));
    assert!(broken.help.contains("what hidden.relu puts out is not finite after 200 steps"), "{}", broken.help);
}
