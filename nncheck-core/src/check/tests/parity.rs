use super::super::device_parity::DeviceParity;
use super::super::fixture::{Outcome, outcome, subject};
use super::super::precision_parity::PrecisionParity;
use super::*;
use crate::judge::Verdict;
use crate::spec::property::Settings;

/// The verdicts of both checks.
fn run(by: f64, finite: (bool, bool)) -> [Outcome; 2] {
    let seen = |one: &str, two: &str| Parity {
        between: (one.to_owned(), two.to_owned()),
        outputs: vec![("output".to_owned(), by)],
        finite,
        first: Some(("sub".to_owned(), "norm.sub".to_owned(), 0.2)),
        ..Parity::default()
    };
    let settings = Settings::default();
    [
        outcome(&DeviceParity::default(), &subject(), &settings, &[seen("cpu", "cuda:0").into()]),
        outcome(&PrecisionParity::default(), &subject(), &settings, &[seen("float32", "float64").into()]),
    ]
}

#[test]
fn equal_outputs_pass() {
    assert!(run(1e-6, (true, true)).iter().all(|seen| seen.judged.verdict == Verdict::Pass));
}

#[test]
fn reduced_precision_of_a_device_is_no_drift_and_that_of_a_format_is() {
    let [device, precision] = run(1e-3, (true, true));
    assert_eq!((device.judged.verdict, precision.judged.verdict), (Verdict::Pass, Verdict::Fail));
}

#[test]
fn what_overflows_is_told_from_what_drifts() {
    for seen in run(0.5, (true, true)) {
        assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec![DRIFTS]));
        assert!(seen.help.contains("norm.sub"), "{}", seen.help);
    }
    for (seen, wild) in run(f64::NAN, (false, true)).into_iter().zip(["cpu", "float32"]) {
        assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec![OVERFLOWS.id]));
        assert!(seen.help.contains(wild), "{}", seen.help);
    }
}

#[test]
fn numbers_that_are_finite_nowhere_are_for_another_check() {
    assert!(run(f64::NAN, (false, false)).iter().all(|seen| seen.judged.verdict == Verdict::Skipped));
}
