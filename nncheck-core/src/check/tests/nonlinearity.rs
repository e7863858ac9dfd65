use super::super::fixture::{Outcome, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement::trace::LayerSeen;
use crate::spec::property::Settings;

fn seen(bend: Option<f64>, operators: &[&str]) -> Response {
    let layer = |operator: &&str| LayerSeen { name: format!("the_{operator}"), operator: (*operator).to_owned() };
    Response {
        precise: true,
        variation: 0.5,
        bend,
        depth: 2,
        layers: operators.iter().map(layer).collect(),
        ..Response::default()
    }
}

fn run(seen: Response) -> Outcome {
    outcome(&Nonlinearity::default(), &subject(), &Settings::default(), &[seen.into()])
}

#[test]
fn a_bent_model_passes() {
    assert_eq!(run(seen(Some(0.014), &["linear", "relu", "linear"])).judged.verdict, Verdict::Pass);
}

#[test]
fn a_straight_model_lacks_its_activation() {
    let outcome = run(seen(Some(1e-16), &["linear", "linear"]));
    assert_eq!((outcome.judged.verdict, outcome.causes), (Verdict::Fail, vec!["no_activation"]));
    let outcome = run(seen(Some(1e-16), &["linear", "relu", "linear"]));
    assert_eq!(outcome.causes, ["straight_activation", "no_activation"]);
    assert!(outcome.help.contains("relu in the_relu"), "{}", outcome.help);
}

#[test]
fn single_precision_is_given_its_rounding() {
    let rounded = || Response { precise: false, ..seen(Some(1e-6), &["linear", "linear"]) };
    assert_eq!(run(rounded()).judged.verdict, Verdict::Fail);
}

#[test]
fn one_layer_tokens_and_constant_outputs_are_nothing_to_see() {
    assert_eq!(run(Response { depth: 1, ..seen(Some(0.0), &[]) }).judged.verdict, Verdict::Skipped);
    assert_eq!(run(seen(None, &[])).judged.verdict, Verdict::Skipped);
}
