use super::super::fixture::{Outcome, facts, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::spec::property::Settings;

/// Gradients of so much noise that an endless mean would have a scale of this.
fn seen(scale: f64) -> NoiseScale {
    NoiseScale { facts: facts(), cannot: None, rows: 128, trace: scale, mean_square: 1.0 + scale / 128.0 }
}

/// With batches of 64.
fn run(seen: NoiseScale) -> Outcome {
    outcome(&BatchSize::default(), &subject(), &Settings::default(), &[seen.into()])
}

#[test]
fn a_batch_near_the_noise_scale_passes() {
    let seen = run(seen(32.0));
    assert_eq!(seen.judged.verdict, Verdict::Pass);
    assert!((seen.judged.value.unwrap() - 2.0).abs() < 1e-9);
    assert_eq!(seen.remark.as_deref(), Some("the noise scale after 50 steps suggests a batch near 32; it is 64"));
}

#[test]
fn a_batch_far_off_is_named() {
    let small = run(seen(64_000.0));
    assert_eq!((small.judged.verdict, &small.causes[..]), (Verdict::Fail, &["batch_small"][..]));
    assert!(small.help.contains("1000 times smaller"), "{}", small.help);
    let large = run(seen(0.1));
    assert_eq!((large.judged.verdict, &large.causes[..]), (Verdict::Fail, &["batch_large"][..]));
}

#[test]
fn a_mean_that_is_all_noise_has_a_scale_beyond_the_rows() {
    let seen = run(NoiseScale { mean_square: 0.5, ..seen(128.0) });
    assert_eq!((seen.judged.verdict, seen.judged.value), (Verdict::Pass, Some(0.5)));
}

#[test]
fn micro_batches_of_one_step_are_one_batch() {
    let mut subject = subject();
    subject.train.accumulate = 4;
    let seen = outcome(&BatchSize::default(), &subject, &Settings::default(), &[seen(32.0).into()]);
    assert!((seen.judged.value.unwrap() - 8.0).abs() < 1e-9);
}

#[test]
fn without_gradients_there_is_nothing_to_see() {
    let none = NoiseScale { trace: 0.0, mean_square: 0.0, ..seen(1.0) };
    assert_eq!(run(none).judged.verdict, Verdict::Skipped);
    assert_eq!(run(NoiseScale { cannot: Some("x".into()), ..seen(1.0) }).judged.verdict, Verdict::Skipped);
    assert_eq!(run(NoiseScale { trace: f64::NAN, ..seen(1.0) }).judged.verdict, Verdict::Skipped);
}
