use super::super::fixture::{Outcome, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::spec::property::Settings;

fn sound() -> Run {
    let tensors = |x| vec![("body.weight".to_owned(), x), ("head.weight".to_owned(), x + 1)];
    Run { data: 7, before: tensors(1), losses: vec![2.3, 2.1], after: tensors(5) }
}

fn run(other: Run) -> Outcome {
    outcome(&Determinism::default(), &subject(), &Settings::default(), &[sound().into(), other.into()])
}

#[test]
fn equal_runs_pass() {
    assert_eq!(run(sound()).judged.verdict, Verdict::Pass);
}

#[test]
fn a_nan_equals_itself() {
    let broken = || Run { losses: vec![2.3, f64::NAN], ..sound() };
    let seen = outcome(&Determinism::default(), &subject(), &Settings::default(), &[broken().into(), broken().into()]);
    assert_eq!(seen.judged.verdict, Verdict::Pass);
}

#[test]
fn the_first_difference_is_the_cause() {
    let mut other = Run { losses: vec![2.4, 2.1], ..sound() };
    other.before[1].1 = 9;
    let seen = run(other);
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["unseeded_initialisation"]));
    assert!(seen.help.contains("head.weight"), "{}", seen.help);
    assert_eq!(run(Run { data: 8, ..sound() }).causes, ["data_differs"]);
    let seen = run(Run { losses: vec![2.3, 2.2], ..sound() });
    assert!(seen.causes == ["unseeded_training"] && seen.help.contains("step 1"), "{}", seen.help);
}
