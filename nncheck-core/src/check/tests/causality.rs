use super::super::fixture::{Outcome, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement::sequence::Ahead;
use crate::spec::property::Settings;

fn seen(difference: f64, reach: usize, whole: bool) -> Sequence {
    Sequence {
        length: 8,
        per_position: true,
        next: true,
        ahead: vec![Ahead { position: 1, difference: 0.0 }, Ahead { position: 4, difference }],
        reach,
        whole,
        ..Sequence::default()
    }
}

fn run(check: &Causality, seen: Sequence) -> Outcome {
    outcome(check, &subject(), &Settings::default(), &[seen.into()])
}

#[test]
fn outputs_that_do_not_change_pass() {
    assert_eq!(run(&Causality::default(), seen(1e-16, 0, false)).judged.verdict, Verdict::Pass);
}

#[test]
fn what_sees_everything_has_no_mask() {
    let outcome = run(&Causality::default(), seen(0.5, 7, true));
    assert_eq!((outcome.judged.verdict, outcome.causes), (Verdict::Fail, vec!["no_mask"]));
    assert_eq!(outcome.judged.at.as_deref(), Some("from position 4 on"));
}

#[test]
fn what_sees_a_step_ahead_is_off_by_one() {
    let outcome = run(&Causality::default(), seen(0.5, 1, false));
    assert_eq!(outcome.causes, ["looks_ahead"]);
    assert!(outcome.help.contains("1 position later"), "{}", outcome.help);
}

#[test]
fn a_model_that_may_see_everything_is_asked_on_demand_alone() {
    let tagger = || Sequence { next: false, ..seen(0.5, 7, true) };
    assert_eq!(run(&Causality::default(), tagger()).judged.verdict, Verdict::Skipped);
    assert_eq!(run(&Causality { any_target: true, ..Causality::default() }, tagger()).judged.verdict, Verdict::Fail);
}

#[test]
fn one_output_for_a_whole_sequence_is_nothing_to_see() {
    let seen = Sequence { per_position: false, ..seen(0.5, 7, true) };
    assert_eq!(run(&Causality { any_target: true, ..Causality::default() }, seen).judged.verdict, Verdict::Skipped);
}
