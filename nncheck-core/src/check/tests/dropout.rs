use super::*;
use crate::check::fixture::{Outcome, outcome, subject};
use crate::judge::Verdict;
use crate::spec::property::Settings;

/// Dropout of share `rate` on entries of which half are zero, whose survivors are multiplied by `factor`.
fn dropped(rate: f64, factor: f64) -> Dropped {
    Dropped {
        layer: "hidden.dropout".into(),
        entries: 8192,
        zero_in: 0.5,
        zero_out: 0.5 + 0.5 * rate,
        square_in: 2.0,
        square_out: 2.0 * (1.0 - rate) * factor * factor,
    }
}

fn seen(layers: Vec<Dropped>) -> Dropouts {
    Dropouts { cannot: None, layers, in_eval: Vec::new(), shifts: Vec::new() }
}

fn judged(p: Option<f64>, seen: Dropouts) -> Outcome {
    outcome(&Dropout { p }, &subject(), &Settings::default(), &[seen.into()])
}

#[test]
fn the_declared_rate_with_survivors_scaled_passes() {
    assert_eq!(judged(Some(0.2), seen(vec![dropped(0.2, 1.25)])).judged.verdict, Verdict::Pass);
    assert_eq!(judged(None, seen(vec![dropped(0.2, 1.25)])).judged.verdict, Verdict::Pass, "nobody declares a rate");
}

#[test]
fn another_rate_and_exchanged_shares_are_told_apart() {
    assert_eq!(judged(Some(0.2), seen(vec![dropped(0.5, 2.0)])).causes, ["rate"]);
    assert_eq!(judged(Some(0.1), seen(vec![dropped(0.9, 10.0)])).causes, ["exchanged"]);
}

#[test]
fn survivors_that_are_not_scaled_are_told() {
    let found = judged(Some(0.5), seen(vec![dropped(0.5, 1.0)]));
    assert_eq!(found.causes, ["not_scaled"]);
    assert!(found.help.contains("multiplied by 1, where 1/(1 - 0.5) = 2"), "{}", found.help);
}

#[test]
fn dropping_in_eval_mode_fails() {
    let active = Dropouts { in_eval: vec!["hidden.dropout".into()], ..seen(vec![dropped(0.5, 2.0)]) };
    assert_eq!(judged(None, active).causes, ["active_in_eval"]);
}

#[test]
fn what_is_declared_and_not_seen_fails_and_what_is_neither_is_skipped() {
    assert_eq!(judged(Some(0.5), seen(Vec::new())).causes, ["inactive"]);
    assert_eq!(judged(None, seen(Vec::new())).judged.verdict, Verdict::Skipped);
}
