use super::super::fixture::{Outcome, outcome, subject, unit_layer, units};
use super::*;
use crate::judge::Verdict;
use crate::measurement::UnitLayer;
use crate::spec::property::Settings;

fn tanh(plateau: f64) -> UnitLayer {
    UnitLayer { plateau: Some(plateau), ..unit_layer("hidden.tanh", "tanh", false) }
}

fn seen(plateau: f64) -> Measurement {
    units(&[unit_layer("hidden", "linear", true), tanh(plateau), unit_layer("head", "linear", true)]).into()
}

fn run(taken: &[Measurement]) -> Outcome {
    outcome(&Saturation::default(), &subject(), &Settings::default(), taken)
}

#[test]
fn a_few_entries_on_a_plateau_pass() {
    assert_eq!(run(&[seen(0.3), seen(0.0)]).judged.verdict, Verdict::Pass);
}

#[test]
fn saturation_before_training_is_blamed_on_the_weights_and_later_on_the_rate() {
    let early = run(&[seen(0.9), seen(0.95)]);
    assert_eq!((early.judged.verdict, &early.causes[..]), (Verdict::Fail, &["initialization"][..]));
    let late = run(&[seen(0.9), seen(0.1)]);
    assert_eq!((late.judged.verdict, &late.causes[..]), (Verdict::Fail, &["learning_rate_high"][..]));
    assert!(late.help.contains("0.1 of the entries of hidden.tanh are on a plateau before training, 0.9 after 200"));
}

#[test]
fn inputs_of_another_size_are_named_first() {
    let wild = |plateau: f64| {
        let mut seen = units(&[tanh(plateau), unit_layer("head", "linear", true)]);
        (seen.facts.input_mean, seen.facts.input_std) = (Some(120.0), Some(50.0));
        seen.into()
    };
    assert_eq!(run(&[wild(0.9), wild(0.9)]).causes, ["inputs", "initialization"]);
}

#[test]
fn the_output_itself_is_not_judged() {
    let output = units(&[unit_layer("head", "linear", true), tanh(1.0)]);
    assert_eq!(run(&[output.clone().into(), output.into()]).judged.verdict, Verdict::Skipped);
}

#[test]
fn a_layer_that_is_not_finite_does_not_pass_for_one_off_its_plateaus() {
    let broken = UnitLayer { mean: f64::NAN, ..tanh(0.0) };
    let broken = run(&[units(&[broken, unit_layer("head", "linear", true)]).into(), seen(0.0)]);
    assert_eq!((broken.judged.verdict, &broken.causes[..]), (Verdict::Fail, &["learning_rate_high"][..]));
}
