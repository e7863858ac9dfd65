use super::super::event::Progress;
use super::super::fixture::{error, failing, inconclusive, passing, skipped, warning};
use super::*;

const PLAIN: Style = Style { colour: false, verbosity: Verbosity::Normal, width: 100 };

fn report(style: Style, events: Vec<PropertyEvent>) -> String {
    let mut human = Human::new(style);
    let mut summary = Summary { ignored: 1, duration_ms: 1432.0, ..Summary::default() };
    let started = RunStarted {
        package: "digits".into(),
        nncheck: "0.1.0".into(),
        tch: Some("0.24.0".into()),
        libtorch: Some("2.11.0".into()),
        device: "cpu".into(),
        properties: events.len(),
    };
    let mut text = human.event(&Event::RunStarted(started));
    for event in events {
        summary.record(&event);
        text += &human.event(&Event::Property(Box::new(event)));
    }
    text + &human.event(&Event::Summary(summary))
}

#[test]
fn a_run_that_holds_is_a_line_a_property_and_a_summary() {
    insta::assert_snapshot!(report(PLAIN, vec![passing(), skipped()]));
}

#[test]
fn what_passes_outside_its_band_says_that_it_is_allowed_or_chance() {
    let line = |rule, causes: &[&str]| {
        let mut event = passing();
        (event.value, event.rule) = (Some(99.0), Some(rule));
        event.causes = causes.iter().map(|&cause| cause.to_owned()).collect();
        report(PLAIN, vec![event])
    };
    for rule in [Rule::Mean, Rule::Change] {
        assert!(line(rule, &["improved"]).contains("99, allowed, not within"), "{rule:?}");
    }
    assert!(line(Rule::Change, &[]).contains("99, not told from chance"));
}

#[test]
fn a_suggestion_stands_behind_the_number_of_what_holds_too() {
    let mut event = passing();
    event.evidence.suggestion = Some("lr = 0.03".to_owned());
    let text = report(PLAIN, vec![event]);
    assert!(text.lines().any(|line| line.contains(" ok ") && line.ends_with("; suggests lr = 0.03")), "{text}");
}

#[test]
fn a_failure_is_told_at_the_end_with_its_numbers_and_cures() {
    insta::assert_snapshot!(report(PLAIN, vec![failing(), passing()]));
}

#[test]
fn an_undecided_property_says_how_many_seeds_would_do() {
    insta::assert_snapshot!(report(PLAIN, vec![inconclusive(), passing()]));
}

#[test]
fn one_cause_of_errors_is_told_once_with_the_properties_that_it_hit() {
    insta::assert_snapshot!(report(PLAIN, vec![error("initial_loss"), error("overfit"), passing()]));
}

#[test]
fn a_warning_is_shown_and_does_not_fail_the_run() {
    insta::assert_snapshot!(report(PLAIN, vec![warning(), passing()]));
}

#[test]
fn a_run_in_which_nothing_was_judged_fails() {
    insta::assert_snapshot!(report(PLAIN, vec![skipped()]));
}

#[test]
fn quiet_shows_only_what_does_not_hold() {
    insta::assert_snapshot!(report(Style { verbosity: Verbosity::Quiet, ..PLAIN }, vec![passing(), failing()]));
}

#[test]
fn verbose_shows_the_numbers_of_what_holds() {
    insta::assert_snapshot!(report(Style { verbosity: Verbosity::Verbose, ..PLAIN }, vec![passing()]));
}

#[test]
fn colour_adds_nothing_but_escapes() {
    let events = || vec![passing(), failing(), inconclusive(), error("a"), warning(), skipped()];
    let coloured = report(Style { colour: true, ..PLAIN }, events());
    let mut bare = String::new();
    let mut rest = coloured.as_str();
    while let Some(start) = rest.find('\u{1b}') {
        bare += &rest[..start];
        rest = &rest[start + rest[start..].find('m').unwrap() + 1..];
    }
    assert_eq!(bare + rest, report(PLAIN, events()));
}

#[test]
fn a_long_table_is_cut_after_the_rows_outside() {
    let mut event = failing();
    for i in 0..40 {
        event.by.insert(format!("layer.{i}.weight"), 0.001.into());
    }
    event.evidence.outside.push("layer.39.weight".into());
    let text = detail(&event, &PLAIN);
    assert!(text.contains("> layer.39.weight"), "{text}");
    assert!(text.contains("... and 33 more"), "{text}");
}

#[test]
fn progress_is_no_part_of_the_report() {
    let progress = Progress { done: 1, total: 2, now: None };
    assert_eq!(Human::new(PLAIN).event(&Event::Progress(progress)), "");
}

#[test]
fn the_summary_counts_levels_apart_and_holds_only_if_something_was_judged() {
    let count = |events: &[PropertyEvent]| {
        let mut summary = Summary::default();
        events.iter().for_each(|e| summary.record(e));
        summary
    };
    let mixed = count(&[passing(), warning(), skipped()]);
    assert_eq!((mixed.passed, mixed.warned, mixed.skipped, mixed.held()), (1, 1, 1, true));
    for bad in [failing(), inconclusive(), error("a")] {
        assert!(!count(&[passing(), bad]).held());
    }
    assert!(!count(&[skipped()]).held() && !count(&[]).held());
    let blocked = PropertyEvent { blocked_by: Some("one-layer".into()), ..skipped() };
    assert_eq!((count(std::slice::from_ref(&blocked)).blocked, count(&[blocked]).skipped), (1, 0));
}

#[test]
fn what_does_not_run_is_listed_with_the_reason() {
    let ignored =
        |off: Option<&str>| Event::Ignored(Ignored { name: "mlp::overfit".into(), off: off.map(str::to_owned) });
    let mut human = Human::new(PLAIN);
    let line = human.event(&ignored(Some("leaky by design")));
    assert!(line.starts_with("     ignored  mlp::overfit ") && line.ends_with("  off: leaky by design\n"), "{line}");
    assert!(human.event(&ignored(None)).ends_with("slow: runs with --include-ignored\n"));
    let quiet = Style { verbosity: Verbosity::Quiet, ..PLAIN };
    assert_eq!(Human::new(quiet).event(&ignored(None)), "");
}
