use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::check::fixture::{initial, overfit, subject, trace};
use crate::check::{Check, find};
use crate::diagnostic::{Located, SourceFile, Span};
use crate::measurement::{Initial, Overfit};
use crate::spec::property::{Allowance, Level, Settings};
use crate::spec::run::Run;

const TEXT: &str = "version = 1\n\n[property.start]\ncheck = \"initial_loss\"\n";

fn check(id: &str) -> Arc<dyn Check> {
    (find(id).unwrap().deserialize)(toml::de::DeTable::parse("").unwrap()).unwrap()
}

fn spec() -> BoundSpec {
    BoundSpec {
        file: Arc::new(SourceFile::new(PathBuf::from("/p/specs/digits.toml"), "specs/digits.toml", TEXT)),
        name: "digits".into(),
        subject: Arc::new(subject()),
        rung: None,
        variants: Vec::new(),
        settled: Vec::new(),
        run: Run::default(),
        properties: Vec::new(),
    }
}

fn property(id: &str, settings: Settings) -> Property {
    let start = TEXT.find("[property").unwrap();
    Property { name: "start".into(), span: Span { start, end: start + 5 }, check: check(id), settings, variant: 0 }
}

fn losses(losses: &[f64]) -> Vec<Vec<Measurement>> {
    losses.iter().map(|&loss| vec![Measurement::Initial(Initial { loss, ..initial() })]).collect()
}

fn decided(evaluation: Evaluation) -> PropertyEvent {
    match evaluation {
        Evaluation::Decided(event) => *event,
        Evaluation::More(n) => panic!("wants {n} seeds"),
    }
}

fn judge(settings: Settings, values: &[f64]) -> PropertyEvent {
    decided(evaluate("digits", &spec(), &property("initial_loss", settings), &losses(values), 1.5))
}

#[test]
fn a_pass_has_the_number_the_band_and_the_seeds_in_one_line() {
    let event = judge(Settings::default(), &[2.35, 2.36, 2.34, 2.35, 2.355]);
    assert_eq!(event.verdict, Verdict::Pass);
    assert_eq!(
        event.message,
        "loss at initialisation: 2.351, within 2.0723 to 4.3749 (expected 2.3026; mean of 5 seeds)"
    );
    assert_eq!(event.seeds[4], SeedValue { seed: 4, value: Some(2.355) });
    assert_eq!(event.span, Location { file: "specs/digits.toml".into(), line: 3 });
    assert_eq!(event.evidence.line.as_deref(), Some("[property.start]"));
    assert!(event.help.is_empty() && event.causes.is_empty());
}

#[test]
fn a_failure_names_the_edge_and_brings_cause_and_cure() {
    let event = judge(Settings::default(), &[0.1, 0.11, 0.09, 0.1, 0.1]);
    assert_eq!(event.verdict, Verdict::Fail);
    assert!(event.message.starts_with("loss at initialisation: 0.099799 is below 2.0723"), "{}", event.message);
    assert_eq!((event.causes, event.help.len()), (vec!["label_leak".to_owned()], 1));
}

#[test]
fn an_undecided_property_asks_for_more_and_in_the_end_says_how_many() {
    let near: Vec<f64> = (0..40).map(|i| if i % 2 == 0 { 1.6 } else { 2.7 }).collect();
    let property = property("initial_loss", Settings::default());
    for n in [5, 10, 20] {
        assert_eq!(
            evaluate("p", &spec(), &property, &losses(&near[..n]), 0.0),
            Evaluation::More(2 * u32::try_from(n).unwrap())
        );
    }
    let event = decided(evaluate("p", &spec(), &property, &losses(&near), 0.0));
    assert_eq!(event.verdict, Verdict::Inconclusive);
    assert!(event.message.contains("seeds would settle it"), "{}", event.message);
    assert!(
        // More than a thousand are no advice.
        event.help[0].starts_with("no sensible number of seeds") && event.help[0].contains("[property.start]"),
        "{:?}",
        event.help
    );
    assert!(event.causes.is_empty());
    let clearer: Vec<f64> = near.iter().map(|loss| loss + 0.05).collect();
    let event = decided(evaluate("p", &spec(), &property, &losses(&clearer), 0.0));
    assert!(event.help[0].starts_with("set `seeds = "), "{:?}", event.help);
}

#[test]
fn an_undecided_value_beyond_its_edge_names_its_cause_too() {
    // A geometric mean of 2.01 where 2.07 is the least.
    let near: Vec<f64> = (0..40).map(|i| if i % 5 < 3 { 1.7 } else { 2.6 }).collect();
    let event = decided(evaluate("p", &spec(), &property("initial_loss", Settings::default()), &losses(&near), 0.0));
    assert_eq!(event.verdict, Verdict::Inconclusive);
    assert_eq!(event.causes, ["label_leak"]);
    assert_eq!(event.help.len(), 2);
    assert!(event.help[1].starts_with("set `seeds = "), "{:?}", event.help);
    // What is allowed as a cause of failing does not decide what is undecided.
    let settings =
        Settings { allow: vec![Located::new(Allowance::Cause("label_leak".into()), 0..0)], ..Settings::default() };
    let event = decided(evaluate("p", &spec(), &property("initial_loss", settings), &losses(&near), 0.0));
    assert_eq!(event.verdict, Verdict::Inconclusive);
}

#[test]
fn in_how_many_seeds_it_holds_is_said_once() {
    let seed = |right: bool| {
        let loss = if right { 0.01 } else { 1.0 };
        vec![Measurement::Overfit(Overfit { train_loss: loss, eval_loss: loss, ..overfit() })]
    };
    let taken: Vec<_> = [true, false, true, false, false].map(seed).into();
    let event = decided(evaluate("p", &spec(), &property("overfit", Settings::default()), &taken, 0.0));
    assert_eq!(event.verdict, Verdict::Fail);
    assert_eq!(event.message.matches("holds in 2 of 5 seeds").count(), 1, "{}", event.message);
}

#[test]
fn an_allowed_cause_passes_and_says_so() {
    let settings = Settings {
        allow: vec![Located::new(Allowance::Cause("label_leak".into()), 0..0)],
        reason: Some("fine-tuning".into()),
        ..Settings::default()
    };
    let event = judge(settings.clone(), &[0.1; 5]);
    assert_eq!((event.verdict, event.reason.as_deref()), (Verdict::Pass, Some("fine-tuning")));
    assert!(event.message.starts_with("allowed (cause:label_leak, fine-tuning): loss at"), "{}", event.message);
    // Another cause is not covered by it.
    assert_eq!(judge(settings, &[200.0; 5]).verdict, Verdict::Fail);
}

#[test]
fn a_value_that_is_not_finite_is_null() {
    let event = judge(Settings::default(), &[2.3, f64::NAN, 2.3, 2.3, 2.3]);
    assert_eq!((event.verdict, event.value, event.seeds[1].value), (Verdict::Fail, None, None));
    assert!(event.message.contains("not finite in 1 of 5 seeds"), "{}", event.message);
}

#[test]
fn the_seeds_of_a_property_override_those_of_the_run() {
    let property = property("initial_loss", Settings { seeds: Some(60), ..Settings::default() });
    assert_eq!(effort(&spec(), &property), Effort { seeds: 60, max_seeds: 60, confidence: 0.99 });
    assert_eq!(first_look(&spec(), &property), 60);
    let mut late = spec();
    late.run.seed = 100;
    let single = Settings { seeds: Some(1), ..Settings::default() };
    let event = decided(evaluate("p", &late, &self::property("initial_loss", single), &losses(&[2.4]), 0.0));
    assert_eq!((event.value, event.seeds[0].seed), (Some(2.4), 100));
}

#[test]
fn seeds_that_are_there_already_change_nothing() {
    let values: Vec<f64> = (0..40).map(|i| 2.35 + f64::from(i) * 1e-3).collect();
    assert_eq!(judge(Settings::default(), &values), judge(Settings::default(), &values[..5]));
}

#[test]
fn parameters_are_listed_with_those_that_are_not_judged() {
    let taken = vec![vec![Measurement::Trace(trace(50, 0.31))]; 5];
    let event = decided(evaluate("p", &spec(), &property("update_ratio", Settings::default()), &taken, 0.0));
    assert_eq!(event.evidence.unjudged, ["head.bias", "hidden.bias"]);
    assert_eq!(event.evidence.outside, ["head.weight", "hidden.weight", "(largest step)"]);
    assert_eq!(event.by["hidden.weight"], 0.31);
    assert!(event.message.starts_with("update ratio, head.weight: 0.31 is above 0.1"), "{}", event.message);
}

#[test]
fn a_measurement_of_another_kind_is_an_error() {
    let taken = vec![vec![Measurement::Trace(trace(1, 0.1))]; 5];
    let event = decided(evaluate("p", &spec(), &property("initial_loss", Settings::default()), &taken, 0.0));
    assert_eq!((event.verdict, event.rule), (Verdict::Error, None));
    assert!(event.message.contains("another kind"));
}

#[test]
fn what_could_not_be_measured_is_an_error_with_its_cause() {
    let failure = Failure {
        cause: "the builder panicked: no room\nat src/model.rs:12:5\n".into(),
        what: "initial loss, seed 0".into(),
        help: vec!["look there".into()],
    };
    let settings = Settings { level: Some(Level::Warn), ..Settings::default() };
    let event = failed("digits", &spec(), &property("initial_loss", settings), &failure, 3.0);
    assert_eq!((event.verdict, event.level, event.rule), (Verdict::Error, Level::Warn, None));
    assert_eq!(event.message, "the builder panicked: no room (initial loss, seed 0)");
    assert_eq!(event.help, ["at src/model.rs:12:5", "look there"]);
}
