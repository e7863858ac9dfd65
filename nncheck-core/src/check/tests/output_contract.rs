use super::super::fixture::{Outcome, outcome, subject_with};
use super::*;
use crate::judge::Verdict;
use crate::measurement::contract::Sums;
use crate::spec::property::Settings;

fn batch(rows: usize, shape: &[usize]) -> OfBatch {
    let sums = Some(Sums { of_entries: 1.0, of_exponentials: 1e-7 });
    let name = "output".to_owned();
    let output = Output { name, shape: shape.to_vec(), finite: 1.0, min: -2.0, max: -0.1, sums };
    OfBatch { rows, outputs: Ok(vec![output]) }
}

fn run(check: &OutputContract, kind: LossKind, batches: Vec<OfBatch>) -> Outcome {
    outcome(check, &subject_with(kind), &Settings::default(), &[Contract { cannot: None, batches }.into()])
}

fn sound() -> Vec<OfBatch> {
    vec![batch(64, &[64, 10]), batch(1, &[1, 10]), batch(7, &[7, 10])]
}

#[test]
fn rows_for_rows_pass() {
    assert_eq!(run(&OutputContract::default(), LossKind::CrossEntropy, sound()).judged.verdict, Verdict::Pass);
    assert_eq!(run(&OutputContract::default(), LossKind::Nll, sound()).judged.verdict, Verdict::Pass);
}

#[test]
fn a_lost_axis_and_a_fixed_size_are_told_apart() {
    let squeezed = vec![batch(64, &[64]), batch(1, &[]), batch(7, &[7])];
    let seen = run(&OutputContract::default(), LossKind::Mse, squeezed);
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["squeezed"]));
    assert_eq!(seen.judged.at.as_deref(), Some("batch of 1"));
    let panicked = OfBatch { rows: 7, outputs: Err("shape '[64, 10]' is invalid".to_owned()) };
    let seen = run(&OutputContract::default(), LossKind::Mse, vec![batch(64, &[64]), panicked]);
    assert_eq!(seen.causes, ["fixed_batch"]);
    assert!(seen.help.contains("is invalid"), "{}", seen.help);
}

#[test]
fn ranges_and_sums_are_those_of_the_loss_or_the_property() {
    assert_eq!(run(&OutputContract::default(), LossKind::Bce, sound()).causes, ["range"]);
    let probabilities = OutputContract { probabilities: true, ..OutputContract::default() };
    assert_eq!(run(&probabilities, LossKind::CrossEntropy, sound()).causes, ["range", "not_normalised"]);
    let shape = OutputContract { shape: Some(vec![9]), ..OutputContract::default() };
    let seen = run(&shape, LossKind::CrossEntropy, sound());
    assert!(seen.causes == ["shape"] && seen.help.contains("[10], not [9]"), "{}", seen.help);
}

#[test]
fn an_output_without_rows_is_nothing_to_see() {
    let seen = run(&OutputContract::default(), LossKind::Mse, vec![batch(64, &[]), batch(1, &[])]);
    assert_eq!(seen.judged.verdict, Verdict::Skipped);
}
