use super::super::fixture::{Outcome, facts, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement::data::{Agreement, Feature};
use crate::spec::property::Settings;

fn sound() -> Seen {
    Seen {
        facts: facts(),
        cannot: None,
        features: 64,
        constant: vec!["x[0]".into()],
        largest: Some(Feature { name: "x[3]".into(), size: 1.0 }),
        normalised_by_model: false,
        classes: Some(Classes { training: vec![140; 10], validation: vec![36; 10] }),
        in_both: 0,
        distinct: 1797,
        repeated_batches: Some(0.0),
        centre: None,
        agreement: Some(Agreement { seen: 0.95, chance: 0.1, z: 200.0 }),
    }
}

fn run(seen: Seen) -> Outcome {
    outcome(&Data::default(), &subject(), &Settings::default(), &[seen.into()])
}

#[test]
fn sound_data_passes_and_constant_features_are_told() {
    let seen = run(sound());
    assert_eq!(seen.judged.verdict, Verdict::Pass);
    assert_eq!(seen.remark.as_deref(), Some("1437 training rows, 360 to validate, constant: x[0]"));
}

#[test]
fn each_fault_is_named() {
    let classes = |training: Vec<usize>, validation: Vec<usize>| Some(Classes { training, validation });
    let faults = [
        ("not_normalized", Seen { largest: Some(Feature { name: "x[3]".into(), size: 190.0 }), ..sound() }),
        ("not_normalized", Seen { largest: Some(Feature { name: "x[3]".into(), size: 1e-4 }), ..sound() }),
        ("constant_inputs", Seen { constant: vec!["x[1]".into(); 40], ..sound() }),
        ("class_missing", Seen { classes: classes(vec![0, 140, 140], vec![0, 40, 40]), ..sound() }),
        ("imbalance", Seen { classes: classes(vec![1390, 10], vec![300, 2]), ..sound() }),
        ("in_both_shares", Seen { in_both: 100, ..sound() }),
        ("shares_differ", Seen { classes: classes(vec![700, 737], vec![0, 360]), ..sound() }),
        ("not_shuffled", Seen { repeated_batches: Some(1.0), ..sound() }),
        ("all_rows_normalized", Seen { centre: Some(1e-6), ..sound() }),
        ("labels_do_not_belong", Seen { agreement: Some(Agreement { seen: 0.1, chance: 0.1, z: 0.3 }), ..sound() }),
    ];
    for (cause, seen) in faults {
        let seen = run(seen);
        assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &[cause][..]), "{:?}", seen.judged.outside);
    }
}

#[test]
fn the_size_of_inputs_does_not_matter_to_a_model_that_normalises_them() {
    let raw = Seen { largest: Some(Feature { name: "x[3]".into(), size: 128.0 }), ..sound() };
    assert_eq!(run(raw.clone()).judged.verdict, Verdict::Fail);
    assert_eq!(run(Seen { normalised_by_model: true, ..raw }).judged.verdict, Verdict::Pass);
}

#[test]
fn what_only_warns_is_advice() {
    let check = Data::default();
    assert!(check.advises(LABELS) && check.advises(EVENNESS) && check.advises(MISSING));
    assert!(!check.advises(SCALE) && !check.advises(IN_BOTH));
}

#[test]
fn a_vocabulary_need_not_occur_whole_and_few_inputs_may_come_back() {
    let vocabulary = Classes { training: (0..200).map(|i| usize::from(i < 150) * 10).collect(), validation: vec![] };
    assert_eq!(run(Seen { classes: Some(vocabulary), ..sound() }).judged.verdict, Verdict::Pass);
    assert_eq!(run(Seen { in_both: 360, distinct: 16, ..sound() }).judged.verdict, Verdict::Pass);
}

#[test]
fn class_shares_of_few_rows_are_not_compared() {
    let few = Classes { training: vec![140; 10], validation: vec![9, 0, 0, 0, 0, 0, 0, 0, 0, 0] };
    assert_eq!(run(Seen { classes: Some(few), ..sound() }).judged.verdict, Verdict::Pass);
}

#[test]
fn a_program_without_data_of_its_own_is_skipped() {
    assert_eq!(run(Seen { cannot: Some("none".into()), ..sound() }).judged.verdict, Verdict::Skipped);
}
