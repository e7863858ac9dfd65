use super::super::fixture::{Outcome, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement::trace::LayerSeen;
use crate::spec::property::Settings;

fn run(check: &InputDependence, seen: Response) -> Outcome {
    outcome(check, &subject(), &Settings::default(), &[seen.into()])
}

fn lost(variation: f64, dead: bool) -> Response {
    let layer = LayerSeen { name: "hidden.relu".to_owned(), operator: "relu".to_owned() };
    Response { variation, lost: Some(layer), dead, ..Response::default() }
}

fn two_inputs(mask: Option<f64>) -> Response {
    let inputs = vec![("ids".to_owned(), Some(1.0)), ("mask".to_owned(), mask)];
    Response { variation: 0.5, inputs, ..Response::default() }
}

#[test]
fn outputs_that_vary_pass() {
    let seen = run(&InputDependence::default(), Response { variation: 0.5, ..Response::default() });
    assert_eq!(seen.judged.verdict, Verdict::Pass);
}

#[test]
fn dead_units_and_lost_inputs_are_told_apart() {
    assert_eq!(run(&InputDependence::default(), lost(0.0, true)).causes, ["dead_units"]);
    let seen = run(&InputDependence::default(), lost(0.0, false));
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["input_unused"]));
    assert!(seen.help.contains("hidden.relu"), "{}", seen.help);
    let fading = Response { variation: 1e-8, ..Response::default() };
    assert_eq!(run(&InputDependence::default(), fading).causes, ["vanishing"]);
}

#[test]
fn single_inputs_are_judged_on_demand_alone() {
    assert_eq!(run(&InputDependence::default(), two_inputs(Some(0.0))).judged.verdict, Verdict::Pass);
    let every = InputDependence { every: true, ..InputDependence::default() };
    let seen = run(&every, two_inputs(Some(0.0)));
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["input_unused"]));
    assert_eq!(seen.judged.at.as_deref(), Some("mask"));
    assert_eq!(run(&every, two_inputs(None)).judged.verdict, Verdict::Pass, "it is the same for all rows");
}

#[test]
fn outputs_that_vary_without_the_inputs_are_noise() {
    let noise = || Response { variation: 0.9, inputs: vec![("x".to_owned(), Some(0.0))], ..Response::default() };
    let seen = run(&InputDependence::default(), noise());
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["input_unused"]));
    let mut generator = subject();
    let path = crate::diagnostic::Located::new("gan::Gan".to_owned(), 0..0);
    generator.model.source = ModelSource::Subject { path, hyper: "null".to_owned() };
    let seen = outcome(&InputDependence::default(), &generator, &Settings::default(), &[noise().into()]);
    assert_eq!(seen.judged.verdict, Verdict::Skipped);
}
