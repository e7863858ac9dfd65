use super::super::fixture::{Outcome, facts, outcome, subject, subject_with};
use super::*;
use crate::judge::Verdict;
use crate::measurement::DataFacts;
use crate::measurement::loss_task::Given;
use crate::spec::loss::LossKind;
use crate::spec::property::Settings;

fn even(k: u8) -> Vec<(f64, f64)> {
    (0..k).map(|id| (f64::from(id), 1.0 / f64::from(k))).collect()
}

/// Logits of ten classes.
fn classes() -> Given {
    Given {
        output_shape: vec![64, 10],
        output_min: -0.4,
        output_max: 0.5,
        sums_to_one: false,
        logarithms_of_ones: false,
        target_shape: vec![64],
        ids: true,
        values: even(10),
        target_min: 0.0,
        target_max: 9.0,
    }
}

/// Normalised numbers.
fn numbers() -> Given {
    Given {
        output_shape: vec![64, 1],
        target_shape: vec![64, 1],
        ids: false,
        values: Vec::new(),
        target_min: -2.1,
        target_max: 2.4,
        ..classes()
    }
}

fn judge(subject: &Subject, given: Given, operator: &str) -> Outcome {
    let seen = Seen { facts: facts(), terms: vec![given], last_operator: Some(operator.to_owned()) };
    outcome(&LossTask::default(), subject, &Settings::default(), &[seen.into()])
}

fn fails(subject: &Subject, given: Given, operator: &str, cause: &str) {
    let seen = judge(subject, given, operator);
    assert_eq!((seen.judged.verdict, seen.causes.first()), (Verdict::Fail, Some(&cause)), "{}", seen.help);
}

#[test]
fn what_suits_passes() {
    assert_eq!(judge(&subject(), classes(), "linear").judged.verdict, Verdict::Pass);
    assert_eq!(judge(&subject_with(LossKind::Mse), numbers(), "linear").judged.verdict, Verdict::Pass);
    let binary = Given { values: even(2), target_min: 0.0, target_max: 1.0, ..numbers() };
    assert_eq!(judge(&subject_with(LossKind::BceWithLogits), binary.clone(), "linear").judged.verdict, Verdict::Pass);
    let probabilities = Given { output_min: 0.2, output_max: 0.7, ..binary };
    assert_eq!(judge(&subject_with(LossKind::Bce), probabilities, "sigmoid").judged.verdict, Verdict::Pass);
    let logs = Given { output_min: -3.0, output_max: -1.5, logarithms_of_ones: true, ..classes() };
    assert_eq!(judge(&subject_with(LossKind::Nll), logs, "log_softmax").judged.verdict, Verdict::Pass);
}

#[test]
fn a_sigmoid_before_targets_that_it_reaches_is_fine() {
    let shares = Given { output_min: 0.3, output_max: 0.6, target_min: 0.0, target_max: 1.0, ..numbers() };
    assert_eq!(judge(&subject_with(LossKind::Mse), shares, "sigmoid").judged.verdict, Verdict::Pass);
    fails(&subject_with(LossKind::Mse), numbers(), "sigmoid", "unreachable_targets");
}

#[test]
fn activations_too_many_or_too_few_are_named() {
    let softmax = Given { output_min: 0.05, output_max: 0.2, sums_to_one: true, ..classes() };
    fails(&subject(), softmax, "mul", "output_activation");
    fails(&subject(), classes(), "relu", "output_activation");
    fails(&subject_with(LossKind::Nll), classes(), "linear", "output_activation");
    let binary = Given { values: even(2), target_min: 0.0, target_max: 1.0, ..numbers() };
    fails(&subject_with(LossKind::BceWithLogits), binary.clone(), "sigmoid", "output_activation");
    fails(&subject_with(LossKind::Bce), binary.clone(), "linear", "output_activation");
    let one = Given { output_min: 1.0, output_max: 1.0, ..binary };
    fails(&subject_with(LossKind::Bce), one, "softmax", "one_unit_softmax");
}

#[test]
fn another_width_or_shape_is_named() {
    fails(&subject(), Given { output_shape: vec![64, 12], ..classes() }, "linear", "output_width");
    fails(
        &subject(),
        Given { output_shape: vec![64, 1], target_max: 0.0, values: even(1), ..classes() },
        "linear",
        "output_width",
    );
    fails(&subject_with(LossKind::Mse), Given { output_shape: vec![64, 2], ..numbers() }, "linear", "output_shape");
}

#[test]
fn targets_that_the_loss_is_not_made_for_are_named() {
    fails(
        &subject_with(LossKind::Mse),
        Given { values: even(7), target_min: 0.0, target_max: 6.0, ..numbers() },
        "linear",
        "class_ids_as_numbers",
    );
    fails(&subject(), Given { values: vec![(3.0, 1.0)], ..classes() }, "linear", "constant_targets");
    fails(&subject(), Given { ids: false, ..classes() }, "linear", "target_type");
    let out = Given { values: vec![(0.0, 0.5), (2.0, 0.5)], target_max: 2.0, target_min: 0.0, ..numbers() };
    fails(&subject_with(LossKind::BceWithLogits), out, "linear", "target_range");
}

#[test]
fn counts_and_ratings_are_no_class_ids() {
    // Poisson counts: rare above.
    let counts = vec![(0.0, 0.37), (1.0, 0.37), (2.0, 0.18), (3.0, 0.06), (4.0, 0.02)];
    let mse = subject_with(LossKind::Mse);
    assert_eq!(judge(&mse, Given { values: counts, ..numbers() }, "linear").judged.verdict, Verdict::Pass);
    let ratings = (1..=5).map(|stars| (f64::from(stars), 0.2)).collect();
    assert_eq!(judge(&mse, Given { values: ratings, ..numbers() }, "linear").judged.verdict, Verdict::Pass);
}

#[test]
fn a_loss_of_the_users_own_alone_is_skipped() {
    let mut own = subject();
    own.loss.terms = vec![crate::spec::loss::Term::of(None)];
    let settings = Settings::default();
    assert!(LossTask::default().moot(&Context { subject: &own, settings: &settings }).is_some());
    assert!(LossTask::default().moot(&Context { subject: &subject(), settings: &settings }).is_none());
    let seen = Seen { facts: DataFacts::default(), terms: vec![], last_operator: None };
    assert_eq!(outcome(&LossTask::default(), &own, &settings, &[seen.into()]).judged.verdict, Verdict::Skipped);
}
