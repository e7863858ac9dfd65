use super::super::fixture::{Outcome, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement::parity::Parity;
use crate::spec::property::Settings;

fn run(by: f64, finite: (bool, bool)) -> Outcome {
    let seen = Parity {
        between: ("cpu".to_owned(), "cuda:0".to_owned()),
        outputs: vec![("output".to_owned(), by)],
        finite,
        first: Some(("sub".to_owned(), "norm.sub".to_owned(), 0.2)),
        ..Parity::default()
    };
    outcome(&DeviceParity::default(), &subject(), &Settings::default(), &[seen.into()])
}

#[test]
fn equal_outputs_pass() {
    assert_eq!(run(1e-6, (true, true)).judged.verdict, Verdict::Pass);
}

#[test]
fn what_overflows_is_told_from_what_drifts() {
    let seen = run(0.5, (true, true));
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec![parity::DRIFTS]));
    assert!(seen.help.contains("norm.sub"), "{}", seen.help);
    let seen = run(f64::NAN, (false, true));
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec![parity::OVERFLOWS]));
    assert!(seen.help.contains("cpu"), "{}", seen.help);
}

#[test]
fn numbers_that_are_finite_nowhere_are_for_another_check() {
    assert_eq!(run(f64::NAN, (false, false)).judged.verdict, Verdict::Skipped);
}
