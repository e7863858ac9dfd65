use super::super::fixture::{Outcome, facts, outcome, overfit as sound, subject, subject_with};
use super::*;
use crate::judge::Verdict;
use crate::measurement::DataFacts;
use crate::spec::property::Settings;

type Seen = measurement::Overfit;

fn run(subject: &Subject, seen: Seen) -> Outcome {
    outcome(&Overfit::default(), subject, &Settings::default(), &[Measurement::Overfit(seen)])
}

fn stuck(first: f64, curve: &[f64]) -> Seen {
    let last = curve[curve.len() - 1];
    Seen {
        steps: 1024,
        train_accuracy: Some(0.5),
        eval_accuracy: Some(0.5),
        train_loss: last,
        eval_loss: last,
        first_loss: first,
        curve: curve.to_vec(),
        ..sound()
    }
}

#[test]
fn examples_that_are_learnt_pass_and_the_curve_is_shown() {
    let seen = run(&subject(), sound());
    assert_eq!((seen.judged.verdict, seen.judged.at.as_deref()), (Verdict::Pass, Some("train accuracy")));
    assert_eq!(seen.judged.by.len(), 3);
    assert_eq!(seen.remark.as_deref(), Some("after 60 steps; loss █▆▃▁▁"));
}

#[test]
fn accuracy_without_a_low_loss_fails() {
    let seen = run(&subject(), Seen { train_loss: 0.5, ..sound() });
    assert_eq!((seen.judged.verdict, seen.judged.at.as_deref()), (Verdict::Fail, Some("loss")));
}

#[test]
fn softmax_before_cross_entropy_is_known_by_its_floor() {
    let softmax = Seen {
        train_accuracy: Some(1.0),
        eval_accuracy: Some(1.0),
        last_operator: Some("softmax".into()),
        ..stuck(2.3, &[2.3, 1.6, 1.47, 1.462, 1.462])
    };
    let seen = run(&subject(), softmax);
    assert_eq!(seen.causes.first(), Some(&"output_activation"));
    // ln(e + 9) - 1 = 1.4612
    assert!(seen.help.contains("cannot fall below 1.4612") && seen.help.contains("stopped at 1.462"), "{}", seen.help);
}

#[test]
fn a_loss_that_rises_names_a_rate_that_is_too_high() {
    let seen = run(&subject(), stuck(2.3, &[2.3, 9.0, 40.0, 31.0, 55.0]));
    assert_eq!(seen.causes, ["learning_rate_high"]);
    assert!(seen.help.contains("try lr = 0.01 instead of 0.1"), "{}", seen.help);
    assert_eq!(run(&subject(), stuck(2.3, &[2.3, f64::NAN])).causes, ["learning_rate_high"]);
}

#[test]
fn a_level_loss_names_that_nothing_learns() {
    assert_eq!(run(&subject(), stuck(2.3, &[2.3; 8])).causes, ["no_learning"]);
}

#[test]
fn a_loss_that_still_falls_names_a_rate_that_is_too_low() {
    let seen = run(&subject(), stuck(2.3, &[2.3, 2.1, 1.9, 1.7, 1.5, 1.3]));
    assert_eq!(seen.causes, ["learning_rate_low"]);
    assert!(seen.help.contains("try lr = 1 instead of 0.1"), "{}", seen.help);
}

#[test]
fn a_loss_that_fell_and_stays_names_the_capacity() {
    assert_eq!(run(&subject(), stuck(2.3, &[2.3, 0.5, 0.494, 0.4935, 0.493, 0.493])).causes, ["capacity"]);
}

#[test]
fn the_loss_of_the_same_answer_for_every_example_is_recognised() {
    // ln 2, for two examples of two classes.
    assert_eq!(run(&subject(), stuck(2.3, &[2.3, 0.7, 0.694, 0.6935, 0.693, 0.693])).causes, ["same_answer"]);
}

#[test]
fn a_slow_but_steady_fall_is_no_lack_of_capacity() {
    let seen = run(&subject(), stuck(2.3, &[2.3, 2.2995, 2.299, 2.2985, 2.298, 2.2975]));
    assert_eq!(seen.causes, ["learning_rate_low"]);
}

#[test]
fn a_single_step_that_leaps_names_a_rate_that_is_too_high() {
    let leapt = Seen { peak: 40.0, ..stuck(2.3, &[2.3, 0.7, 0.694, 0.6935, 0.693, 0.693]) };
    assert_eq!(run(&subject(), leapt).causes, ["learning_rate_high"]);
}

#[test]
fn weight_decay_that_holds_the_weights_down_is_named_first() {
    let mut subject = subject();
    assert!(subject.optimizer.as_mut().unwrap().set_weight_decay(1.0));
    assert_eq!(run(&subject, stuck(2.3, &[2.3, 2.29, 2.28, 2.28, 2.28, 2.28])).causes, ["weight_decay"]);
}

#[test]
fn an_eval_mode_that_is_another_model_is_named() {
    let seen = run(&subject(), Seen { eval_accuracy: Some(0.5), eval_loss: 1.9, ..sound() });
    assert_eq!((seen.judged.at.as_deref(), seen.causes), (Some("eval accuracy"), vec!["eval_differs"]));
}

#[test]
fn a_regression_is_measured_by_the_best_constant() {
    let regression = Seen {
        facts: DataFacts { classes: None, ..facts() },
        train_accuracy: None,
        eval_accuracy: None,
        train_loss: 2.0,
        constant_loss: Some(25.0),
        ..sound()
    };
    let seen = run(&subject_with(LossKind::Mse), regression.clone());
    assert_eq!((seen.judged.verdict, seen.judged.band.max), (Verdict::Pass, Some(2.5)));
    assert_eq!(run(&subject_with(LossKind::Mse), Seen { train_loss: 2.6, ..regression }).judged.verdict, Verdict::Fail);
}

#[test]
fn what_cannot_be_tried_is_skipped_with_the_reason() {
    let seen = run(&subject(), Seen { cannot: Some("batch norm needs 4 examples".into()), ..sound() });
    assert_eq!(seen.judged.verdict, Verdict::Skipped);
    assert_eq!(seen.judged.reason.as_deref(), Some("batch norm needs 4 examples"));
}

#[test]
fn equal_targets_are_skipped() {
    let seen = run(&subject(), Seen { distinct: 1, ..sound() });
    assert_eq!(seen.judged.verdict, Verdict::Skipped);
}
