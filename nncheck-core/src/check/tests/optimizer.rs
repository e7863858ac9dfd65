use super::super::fixture::{Outcome, facts, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::spec::property::Settings;

/// The own one and each peer reach these losses at their best rates, and 2 at all others.
fn seen(own: f64, peers: [f64; 4]) -> Vec<Trials> {
    let at_best = |loss: f64| vec![2.0, f64::NAN, loss, 2.0, 2.0];
    let trials = |loss| Trials { facts: facts(), cannot: None, start: 2.0, losses: at_best(loss) };
    std::iter::once(own).chain(peers).map(trials).collect()
}

fn taken(seen: Vec<Trials>) -> Vec<Measurement> {
    seen.into_iter().map(Measurement::from).collect()
}

fn run(seen: Vec<Trials>) -> Outcome {
    outcome(&Optimizer::default(), &subject(), &Settings::default(), &taken(seen))
}

#[test]
fn one_that_keeps_up_passes() {
    let seen = run(seen(1.0, [1.0, 0.9, 0.5, 0.6]));
    assert_eq!(seen.judged.verdict, Verdict::Pass);
    assert!((seen.judged.value.unwrap() - 2.0 / 3.0).abs() < 1e-12);
}

#[test]
fn one_that_is_left_behind_is_told_by_whom() {
    let seen = run(seen(1.8, [1.0, 0.9, 0.5, 0.6]));
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["outdone"][..]));
    assert!(seen.help.contains("adam at 0.001 takes the loss from 2 to 0.5, and sgd reaches 1.8"), "{}", seen.help);
}

#[test]
fn one_that_diverges_at_every_rate_falls_by_nothing() {
    let mut trials = seen(1.0, [1.0, 0.9, 0.5, 0.6]);
    trials[0].losses.fill(f64::NAN);
    assert_eq!(run(trials).judged.value, Some(0.0));
}

#[test]
fn where_nothing_falls_it_is_skipped() {
    assert_eq!(run(seen(1.99, [1.98; 4])).judged.verdict, Verdict::Skipped);
    let mut refused = seen(1.0, [1.0; 4]);
    for trials in &mut refused {
        (trials.cannot, trials.losses) = (Some("own".into()), Vec::new());
    }
    assert_eq!(run(refused).judged.verdict, Verdict::Skipped);
}

#[test]
fn five_rates_of_five_optimizers_are_tried() {
    let asks = Optimizer::default().needs(&subject());
    let trials = asks.iter().map(|ask| if let Request::Trials(ask) = ask { ask.trials.len() } else { 0 });
    assert_eq!(trials.collect::<Vec<_>>(), [5; 5]);
}

#[test]
fn the_table_marks_the_own_one_where_it_is_outdone() {
    let (subject, settings) = (subject(), Settings::default());
    let context = Context { subject: &subject, settings: &settings };
    let trials = seen(1.8, [1.0, 0.9, 0.5, 0.6]);
    let judged = run(trials.clone()).judged;
    let shown = Optimizer::default().exhibits(&context, &judged, &[taken(trials)]);
    let [Exhibit::Table(table)] = &shown[..] else { panic!() };
    assert_eq!(table.rows.len(), 5);
    assert!(table.rows[0].marked && table.rows[0].cells == [Some(0.1), Some(1.8)]);
}
