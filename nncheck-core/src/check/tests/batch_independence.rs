use super::super::fixture::{Outcome, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement::rows::Swapped;
use crate::spec::property::Settings;

fn run(difference: f64, reordered: f64, influence: impl Fn(usize, usize) -> f64) -> Outcome {
    let seen = Rows {
        rows: 4,
        swapped: [0, 2, 3].iter().map(|&row| Swapped { row, difference }).collect(),
        reordered: Some(reordered),
        influence: (0..4).map(|from| (0..4).map(|to| influence(from, to)).collect()).collect(),
        ..Rows::default()
    };
    outcome(&BatchIndependence::default(), &subject(), &Settings::default(), &[seen.into()])
}

#[test]
fn rows_that_do_not_change_pass() {
    assert_eq!(run(0.0, 0.0, |_, _| 0.0).judged.verdict, Verdict::Pass);
    assert_eq!(run(1e-5, 0.0, |_, _| 0.0).judged.verdict, Verdict::Pass);
}

#[test]
fn what_does_not_depend_on_the_order_is_a_statistic() {
    let seen = run(0.3, 1e-16, |_, _| 0.1);
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["batch_statistics"]));
}

#[test]
fn what_depends_on_earlier_rows_alone_is_time() {
    let seen = run(0.3, 0.2, |from, to| if from <= to { 0.1 } else { 0.0 });
    assert_eq!(seen.causes, ["batch_as_time"]);
    assert!(seen.help.contains("those before it"), "{}", seen.help);
}

#[test]
fn mixed_rows_are_named() {
    let seen = run(0.3, 0.2, |from, to| if from == to || from ^ to == 1 { 1.0 } else { 0.0 });
    assert_eq!(seen.causes, ["rows_mixed"]);
    assert!(seen.help.contains("row 1"), "{}", seen.help);
}

#[test]
fn nothing_to_see_is_skipped_with_the_reason() {
    let seen = Rows { cannot: Some("one row".into()), ..Rows::default() };
    let seen = outcome(&BatchIndependence::default(), &subject(), &Settings::default(), &[seen.into()]);
    assert_eq!((seen.judged.verdict, seen.judged.reason.as_deref()), (Verdict::Skipped, Some("one row")));
}
