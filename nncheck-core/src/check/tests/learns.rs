use super::super::fixture::{Outcome, initial as before, losses, outcome, subject};
use super::*;
use crate::diagnostic::{Located, Span};
use crate::judge::Verdict;
use crate::measurement::Initial;
use crate::measurement::Trace;
use crate::measurement::trace::Step;
use crate::spec::property::Settings;

fn curve(of: impl Fn(f64) -> f64) -> Trace {
    losses(&(0..200).map(|i| of(f64::from(i) / 200.0)).collect::<Vec<_>>())
}

fn run_from(initial: f64, real: Trace, blank: Trace) -> Outcome {
    let before = Initial { loss: initial, ..before() };
    let taken = [Measurement::Trace(real), Measurement::Trace(blank), Measurement::Initial(before)];
    outcome(&Learns::default(), &subject(), &Settings::default(), &taken)
}

fn run(real: Trace, blank: Trace) -> Outcome {
    run_from(2.3, real, blank)
}

/// What blank inputs teach: nothing.
fn level() -> Trace {
    curve(|_| 2.3)
}

fn falling() -> Trace {
    curve(|t| 0.3 + 2.0 * (-6.0 * t).exp())
}

#[test]
fn a_loss_that_falls_below_both_lines_passes() {
    let seen = run(falling(), level());
    assert_eq!(seen.judged.verdict, Verdict::Pass);
    assert!(seen.remark.unwrap().starts_with("loss █"));
}

#[test]
fn the_last_tenth_counts() {
    // The last 20 of 200 steps at 1.15, which is half of 2.3.
    let seen = run(curve(|t| if t < 0.9 { 2.3 } else { 1.15 }), level());
    assert!((seen.judged.by[0].1.unwrap() - 0.5).abs() < 1e-12);
    assert!((seen.judged.by[1].1.unwrap() - 0.5).abs() < 1e-12);
}

#[test]
fn a_level_loss_names_that_nothing_learns() {
    assert_eq!(run(level(), level()).causes, ["no_learning", "labels_do_not_belong"]);
}

#[test]
fn a_slow_fall_names_a_rate_that_is_too_low() {
    let seen = run(curve(|t| 2.3 - 0.05 * t), level());
    assert_eq!(seen.judged.verdict, Verdict::Fail);
    assert_eq!(seen.causes.first(), Some(&"learning_rate_low"));
    assert!(seen.help.contains("try lr = 1 instead of 0.1"));
}

#[test]
fn a_fall_within_the_noise_of_the_batches_may_be_none() {
    let seen = run(curve(|t| 2.3 - 0.005 * t), level());
    assert_eq!(seen.causes, ["learning_rate_low", "no_learning", "labels_do_not_belong"]);
}

#[test]
fn a_fall_like_that_of_blank_inputs_names_the_labels() {
    let seen = run(falling(), falling());
    assert_eq!((seen.judged.verdict, seen.judged.at.as_deref()), (Verdict::Fail, Some("of blank inputs")));
    assert_eq!(seen.causes.first(), Some(&"labels_do_not_belong"));
}

#[test]
fn a_steady_climb_names_a_flipped_sign_first() {
    assert_eq!(run(curve(|t| 2.3 * (3.0 * t).exp()), level()).causes, ["flipped_sign", "learning_rate_high"]);
}

#[test]
fn a_jumpy_climb_names_the_rate_first() {
    let jumpy = curve(|t| 5.0 + 4.0 * (40.0 * t).sin());
    assert_eq!(run(jumpy, level()).causes, ["learning_rate_high", "flipped_sign"]);
}

#[test]
fn a_loss_that_is_not_finite_fails_and_names_the_rate() {
    let seen = run(curve(|t| if t < 0.5 { 2.3 } else { f64::NAN }), level());
    assert_eq!((seen.judged.verdict, seen.causes[0]), (Verdict::Fail, "learning_rate_high"));
}

#[test]
fn losses_below_zero_are_compared_by_their_fall() {
    // From -1 to -3: a fall by two units of its size.
    let seen = run_from(-1.0, curve(|_| -3.0), curve(|_| -1.0));
    assert_eq!((seen.judged.verdict, seen.judged.by[0].1), (Verdict::Pass, Some(-1.0)));
    // Through zero: from 1 to -1.
    assert_eq!(run_from(1.0, curve(|_| -1.0), curve(|_| 1.0)).judged.verdict, Verdict::Pass);
    assert_eq!(run_from(-1.0, curve(|_| -0.5), curve(|_| -1.0)).judged.verdict, Verdict::Fail);
}

#[test]
fn no_step_at_all_is_skipped() {
    assert_eq!(run(losses(&[]), losses(&[])).judged.verdict, Verdict::Skipped);
}

#[test]
fn a_loss_that_jumps_before_it_settles_names_the_rate_first() {
    let seen = run(curve(|t| if t < 0.05 { 40.0 } else { 2.29 }), level());
    assert_eq!((seen.judged.verdict, seen.causes[0]), (Verdict::Fail, "learning_rate_high"));
    assert!(seen.help.contains("jumps from 2.3 to 40"), "{}", seen.help);
}

#[test]
fn a_loss_that_is_not_finite_before_training_is_not_blamed_on_the_rate() {
    let seen = run_from(f64::NAN, curve(|_| f64::NAN), level());
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["not_finite"]));
}

#[test]
fn a_term_is_judged_by_its_own_curve() {
    let with_terms = |trace: Trace, other: &dyn Fn(usize) -> f64| {
        let steps = trace.steps.iter().enumerate();
        let steps = steps.map(|(i, step)| Step { terms: vec![step.loss, other(i)], ..step.clone() }).collect();
        Trace { terms: vec!["class".into(), "box".into()], steps, ..trace }
    };
    let judged = |term: &str| {
        // The whole loss falls, and the second term does not.
        let real = with_terms(falling(), &|_| 4.0);
        let blank = with_terms(level(), &|_| 4.0);
        let terms = vec![("class".to_owned(), real.steps[0].loss), ("box".to_owned(), 4.0)];
        let before = Initial { terms, loss: real.steps[0].loss, ..before() };
        let settings = Settings { term: Some(Located::new(term.to_owned(), Span::default())), ..Settings::default() };
        let taken = [Measurement::Trace(real), Measurement::Trace(blank), Measurement::Initial(before)];
        outcome(&Learns::default(), &subject(), &settings, &taken)
    };
    assert_eq!(judged("class").judged.verdict, Verdict::Pass);
    let flat = judged("box");
    assert_eq!((flat.judged.verdict, flat.causes[0]), (Verdict::Fail, "no_learning"));
    let none = judged("kl").judged;
    assert_eq!(none.verdict, Verdict::Error);
    assert_eq!(none.reason.as_deref(), Some("the loss has no term `kl`; there are `class`, `box`"));
}

#[test]
fn a_softmax_before_cross_entropy_is_named_before_the_labels() {
    // It falls well below what blank inputs teach, slowly.
    let softmax = Initial { last_operator: Some("softmax".into()), ..before() };
    let taken =
        [Measurement::Trace(curve(|t| 2.3 - 0.25 * t)), Measurement::Trace(level()), Measurement::Initial(softmax)];
    let seen = outcome(&Learns { of_blank: 0.8, ..Learns::default() }, &subject(), &Settings::default(), &taken);
    assert_eq!((seen.judged.verdict, seen.causes[0]), (Verdict::Fail, "output_activation"));
    assert!(seen.help.contains("ends with softmax"), "{}", seen.help);
}

#[test]
fn a_model_still_above_what_blank_inputs_reach_is_told_to_go_faster_not_that_its_labels_are_wrong() {
    // A wide start: 3 before training, where blank inputs begin and end at 1.
    let seen = run_from(3.0, curve(|t| 3.0 - 1.5 * t), curve(|_| 1.0));
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["learning_rate_low"][..]));
}

#[test]
fn a_fall_that_needs_the_inputs_does_not_blame_the_labels_first() {
    let check = Learns { of_blank: 0.8, ..Learns::default() };
    let taken = [Measurement::Trace(curve(|t| 2.3 - 0.3 * t)), Measurement::Trace(level()), before().into()];
    let seen = outcome(&check, &subject(), &Settings::default(), &taken);
    assert_eq!(seen.causes, ["learning_rate_low", "labels_do_not_belong"]);
}

#[test]
fn raw_targets_of_a_regression_point_to_their_normalisation() {
    let facts = crate::measurement::DataFacts {
        classes: None,
        priors: vec![],
        target_mean: Some(152.0),
        target_variance: Some(5929.0),
        ..before().facts
    };
    let raw = Initial { facts, loss: 29_000.0, ..before() };
    let slow = curve(|t| 29_000.0 - 500.0 * t);
    let taken = [Measurement::Trace(slow), Measurement::Trace(curve(|_| 29_000.0)), Measurement::Initial(raw)];
    let mse = super::super::fixture::subject_with(crate::spec::loss::LossKind::Mse);
    let seen = outcome(&Learns::default(), &mse, &Settings::default(), &taken);
    assert_eq!((seen.judged.verdict, seen.causes[0]), (Verdict::Fail, "unnormalised_targets"));
    assert!(seen.help.contains("mean 152") && seen.help.contains("normalize_target = \"standard\""), "{}", seen.help);
}
