use super::super::fixture::{Outcome, facts, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement::optimizer_steps::Moment;
use crate::spec::optimizer::OptimizerSource;
use crate::spec::property::Settings;
use crate::spec::schedule::{Exponential, Schedule};

/// The fixture's SGD at 0.1, whose rate falls by `gamma` each step.
fn falling(gamma: f64) -> Subject {
    let mut subject = subject();
    if let Some(OptimizerSource::Groups(groups)) = subject.optimizer.as_mut().map(|o| &mut o.source) {
        groups[0].schedule = Some(Schedule { kind: ScheduleKind::Exponential(Exponential { gamma }), warmup: 0 });
    }
    subject
}

fn seen(count: usize, rate: impl Fn(i32) -> f64) -> OptimizerSteps {
    let step = |i| Moment { loss: 1.0, count, rate: Some(rate(i)), ..Moment::default() };
    OptimizerSteps { facts: facts(), cannot: None, steps: (0..50).map(step).collect() }
}

fn run(subject: &Subject, seen: OptimizerSteps) -> Outcome {
    outcome(&LrSchedule::default(), subject, &Settings::default(), &[seen.into()])
}

#[test]
fn the_declared_rates_pass() {
    assert_eq!(run(&falling(0.99), seen(1, |i| 0.1 * 0.99_f64.powi(i))).judged.verdict, Verdict::Pass);
}

#[test]
fn another_rate_is_named_with_its_step() {
    let seen = run(&falling(0.99), seen(1, |_| 0.1));
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["set_by_step"][..]));
    assert!(seen.help.contains("in step 2 the rate is 0.1 where 0.099 is declared"), "{}", seen.help);
}

#[test]
fn an_optimizer_that_steps_twice_is_named() {
    let seen = run(&falling(0.99), seen(2, |i| 0.1 * 0.99_f64.powi(2 * i)));
    assert_eq!(seen.causes, ["steps_twice", "set_by_step"]);
}

#[test]
fn a_rate_that_falls_to_nothing_is_named() {
    let seen = run(&falling(0.5), seen(1, |i| 0.1 * 0.5_f64.powi(i)));
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["decays_too_fast"][..]));
}

#[test]
fn without_a_schedule_it_is_moot() {
    let (subject, settings) = (subject(), Settings::default());
    assert!(LrSchedule::default().moot(&Context { subject: &subject, settings: &settings }).is_some());
    let unseen = OptimizerSteps { cannot: Some("own".into()), ..seen(1, |_| 0.1) };
    assert_eq!(run(&falling(0.9), unseen).judged.verdict, Verdict::Skipped);
}
