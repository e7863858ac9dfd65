use super::super::fixture::{Outcome, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::spec::property::Settings;

fn regularised(l2: f64) -> Subject {
    let mut subject = subject();
    subject.loss.l2 = l2;
    subject
}

/// A penalty of 1e-3 on weights of norm 8, with SGD at 0.1.
fn sound() -> Seen {
    Seen {
        data_loss: 2.3,
        added: 0.032,
        declared: 0.032,
        data_gradient: 0.6,
        penalty_gradient: 0.008,
        decoupled: 0.0,
        norm: 8.0,
        norm_after: 8.0 * 0.9995,
        lr: Some(0.1),
    }
}

fn judge(seen: Seen) -> Outcome {
    outcome(&Regularization::default(), &regularised(1e-3), &Settings::default(), &[seen.into()])
}

#[test]
fn what_acts_as_it_is_declared_passes() {
    assert_eq!(judge(sound()).judged.verdict, Verdict::Pass);
    // Too little for single precision in five steps, and meant all the same.
    let slow = outcome(
        &Regularization::default(),
        &regularised(1e-6),
        &Settings::default(),
        &[Seen { norm_after: 8.0, ..sound() }.into()],
    );
    assert_eq!(slow.judged.verdict, Verdict::Pass);
}

#[test]
fn a_penalty_that_the_step_forgets_is_named() {
    let seen = judge(Seen { added: 0.0, ..sound() });
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["not_added"]));
}

#[test]
fn one_that_swamps_or_vanishes_is_named_with_a_factor() {
    let swamps = judge(Seen { penalty_gradient: 80.0, ..sound() });
    assert_eq!((swamps.judged.verdict, swamps.causes), (Verdict::Fail, vec!["swamps"]));
    assert!(swamps.help.contains("133"), "{}", swamps.help);
    let vanishes = judge(Seen { penalty_gradient: 1e-9, ..sound() });
    assert_eq!((vanishes.judged.verdict, vanishes.causes), (Verdict::Fail, vec!["vanishes"]));
}

#[test]
fn weights_that_grow_under_it_are_named() {
    let seen = judge(Seen { norm_after: 8.1, ..sound() });
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["grows"]));
    let still = judge(Seen { norm_after: 8.0, ..sound() });
    assert_eq!((still.judged.verdict, still.causes), (Verdict::Fail, vec!["grows"]));
}

#[test]
fn nothing_declared_is_nothing_to_see() {
    let settings = Settings::default();
    let moot = |l2| Regularization::default().moot(&Context { subject: &regularised(l2), settings: &settings });
    assert!(moot(0.0).is_some_and(|why| why.contains("weight_decay")));
    assert_eq!(moot(1e-4), None);
}
