use super::super::fixture::{Outcome, outcome, subject, unit_layer, units};
use super::*;
use crate::judge::Verdict;
use crate::spec::property::Settings;

/// Linear layers of these spreads.
fn seen(spreads: &[f64]) -> Measurement {
    let layer = |(at, &spread): (usize, &f64)| UnitLayer { spread, ..unit_layer(&format!("{at}"), "linear", true) };
    units(&spreads.iter().enumerate().map(layer).collect::<Vec<_>>()).into()
}

fn run(now: &[f64], before: &[f64]) -> Outcome {
    outcome(&ActivationScale::default(), &subject(), &Settings::default(), &[seen(now), seen(before)])
}

#[test]
fn layers_of_about_one_size_pass_whatever_the_last_one_is() {
    let even = run(&[1.0, 0.5, 2.0, 5e3], &[1.0; 4]);
    assert_eq!(even.judged.verdict, Verdict::Pass);
    assert_eq!(even.judged.by.len(), 4);
}

#[test]
fn signals_that_shrink_or_grow_steadily_are_told_apart() {
    let shrinking = [1.0, 1e-2, 1e-4, 1e-6, 1e-8, 1.0];
    let seen = run(&shrinking, &shrinking);
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["vanishing"][..]));
    assert!(seen.help.contains("100 times smaller than that of the layer before"), "{}", seen.help);
    let growing = [1.0, 1e2, 1e4, 1e6, 1e8, 1.0];
    assert_eq!(run(&growing, &growing).causes, ["exploding"]);
}

#[test]
fn one_layer_of_another_size_is_named() {
    let seen = run(&[1.0, 1.0, 1e4, 1.0, 1.0], &[1.0, 1.0, 1e4, 1.0, 1.0]);
    assert_eq!((&seen.causes[..], seen.judged.at.as_deref()), (&["uneven_layer"][..], Some("2")));
}

#[test]
fn what_was_even_before_training_is_blamed_on_the_rate_first() {
    let seen = run(&[1.0, 1.0, 1e4, 1.0, 1.0], &[1.0; 5]);
    assert_eq!(seen.causes[0], "learning_rate_high");
    assert_eq!(run(&[1.0, f64::NAN, 1.0, 1.0], &[1.0; 4]).causes[0], "learning_rate_high");
}

#[test]
fn a_layer_that_does_not_vary_is_constant() {
    assert_eq!(run(&[1.0, 0.0, 1.0, 1.0], &[1.0, 0.0, 1.0, 1.0]).causes, ["constant"]);
    assert_eq!(run(&[0.0; 4], &[0.0; 4]).causes, ["constant"]);
}

#[test]
fn layers_in_front_of_a_normalisation_and_scales_are_not_judged() {
    let mut layers: Vec<UnitLayer> = [("0", "linear"), ("1", "linear"), ("2", "linear"), ("3", "linear")]
        .map(|(name, op)| unit_layer(name, op, true))
        .to_vec();
    layers[1].spread = 1e6;
    layers.insert(2, unit_layer("norm", "batch_norm", true));
    layers.push(UnitLayer { spread: 0.0, ..unit_layer("gate", "mul", true) });
    let seen: Measurement = units(&layers).into();
    let outcome = outcome(&ActivationScale::default(), &subject(), &Settings::default(), &[seen.clone(), seen]);
    assert_eq!(outcome.judged.verdict, Verdict::Pass);
}

#[test]
fn one_layer_before_the_last_has_nothing_to_differ_from() {
    assert_eq!(run(&[1.0, 5.0], &[1.0, 5.0]).judged.verdict, Verdict::Skipped);
}
