use super::super::fixture::{Outcome, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement::accumulation::{Against, Gradient};
use crate::spec::property::Settings;

fn run(changes: [f64; 2], against: Option<Against>) -> Outcome {
    let gradients = ["body.weight", "head.weight"].iter().zip(changes);
    let seen = Accumulation {
        micro_batches: 4,
        steps: 1,
        clears: 0,
        gradients: gradients.map(|(name, change)| Gradient { parameter: (*name).into(), norm: 1.0, change }).collect(),
        against_one_batch: against,
    };
    let check = GradientAccumulation::default();
    outcome(&check, &subject(), &Settings::default(), &[Measurement::Accumulation(seen)])
}

#[test]
fn cleared_gradients_pass() {
    assert_eq!(run([0.0, 0.0], None).judged.verdict, Verdict::Pass);
}

#[test]
fn doubled_gradients_are_not_cleared() {
    let seen = run([1.0, 1.0], None);
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["not_cleared"]));
}

#[test]
fn one_doubled_gradient_is_named() {
    let seen = run([0.0, 1.0], None);
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["cleared_in_part"]));
    assert!(seen.help.contains("head.weight"), "{}", seen.help);
}

#[test]
fn another_gradient_altogether_is_random() {
    assert_eq!(run([0.3, 0.0], None).causes, ["not_repeatable"]);
}

#[test]
fn summed_micro_batches_are_told_with_their_factor() {
    let seen = run([0.0, 0.0], Some(Against { difference: 3.0, ratio: 4.0 }));
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["not_averaged"]));
    assert_eq!(run([0.0, 0.0], Some(Against { difference: 1e-6, ratio: 1.0 })).judged.verdict, Verdict::Pass);
}
