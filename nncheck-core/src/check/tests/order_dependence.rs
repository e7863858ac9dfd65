use super::super::fixture::{Outcome, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement::trace::LayerSeen;
use crate::spec::property::Settings;

fn run(check: &OrderDependence, reversed: Option<f64>, mixers: &[&str]) -> Outcome {
    let mixers = mixers.iter().map(|m| LayerSeen { name: (*m).to_owned(), operator: "softmax".to_owned() }).collect();
    let seen = Sequence { length: 8, reversed, mixers, ..Sequence::default() };
    outcome(check, &subject(), &Settings::default(), &[seen.into()])
}

#[test]
fn a_model_that_tells_the_order_passes() {
    let check = OrderDependence::default();
    assert_eq!(run(&check, Some(0.09), &["attention"]).judged.verdict, Verdict::Pass);
    assert_eq!(run(&check, Some(1e-5), &["attention"]).judged.verdict, Verdict::Pass);
}

#[test]
fn attention_without_positions_is_named() {
    let seen = run(&OrderDependence::default(), Some(5e-7), &["body.self_attn"]);
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["no_positions"]));
    assert!(seen.help.contains("body.self_attn"), "{}", seen.help);
}

#[test]
fn a_bag_of_words_is_asked_on_demand_alone() {
    assert_eq!(run(&OrderDependence::default(), Some(0.0), &[]).judged.verdict, Verdict::Skipped);
    let seen = run(&OrderDependence { any_model: true, ..OrderDependence::default() }, Some(0.0), &[]);
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["pooled"]));
}

#[test]
fn sequences_of_one_token_are_nothing_to_see() {
    assert_eq!(run(&OrderDependence::default(), None, &["lstm"]).judged.verdict, Verdict::Skipped);
}
