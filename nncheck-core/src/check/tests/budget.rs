use super::super::fixture::{Outcome, facts, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::spec::property::Settings;

fn seen() -> Seen {
    Seen {
        facts: facts(),
        parameters: 2410,
        trainable: 2000,
        step_time: Some(1.2),
        memory: Some(10.0 * f64::from(1 << 20)),
    }
}

fn run(check: &Budget, seen: Seen) -> Outcome {
    outcome(check, &subject(), &Settings::default(), &[seen.into()])
}

#[test]
fn within_every_limit_it_passes_and_lists_what_has_none() {
    let check = Budget { parameters: Some(2410), step_time: Some(1.5), ..Budget::default() };
    let judged = run(&check, seen()).judged;
    assert_eq!((judged.verdict, judged.by.len()), (Verdict::Pass, 3));
}

#[test]
fn each_limit_has_its_cause() {
    let check = Budget { parameters: Some(2409), step_time: Some(1.1), memory: Some(9.0), ..Budget::default() };
    let seen = run(&check, seen());
    assert_eq!(seen.causes, ["too_many_parameters", "slow_step", "memory"]);
    assert!(seen.help.contains("2410 parameters, 2000 of which train"), "{}", seen.help);
}

#[test]
fn without_limits_it_says_the_size_and_is_skipped() {
    let judged = run(&Budget::default(), seen()).judged;
    assert_eq!(judged.verdict, Verdict::Skipped);
    assert!(judged.reason.unwrap().contains("2410 parameters"));
}

#[test]
fn a_limit_of_what_is_not_told_is_skipped() {
    let check = Budget { memory: Some(9.0), ..Budget::default() };
    assert_eq!(run(&check, Seen { memory: None, ..seen() }).judged.verdict, Verdict::Skipped);
}

#[test]
fn time_is_taken_only_where_it_is_asked_for() {
    let steps = |check: &Budget| match &check.needs(&subject())[..] {
        [Request::Budget(ask)] => ask.steps,
        other => panic!("{other:?}"),
    };
    assert_eq!(steps(&Budget { parameters: Some(1), ..Budget::default() }), 0);
    assert_eq!(steps(&Budget { step_time: Some(1.0), ..Budget::default() }), 20);
}
