use super::super::fixture::{Outcome, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::spec::property::Settings;

fn run(seen: Seen) -> Outcome {
    outcome(&Checkpoint::default(), &subject(), &Settings::default(), &[seen.into()])
}

#[test]
fn a_model_that_comes_back_passes() {
    let seen = Seen { outputs: vec![("output".to_owned(), 0.0)], ..Seen::default() };
    assert_eq!(run(seen).judged.verdict, Verdict::Pass);
}

#[test]
fn what_is_not_saved_is_told_from_names_that_change() {
    let outputs = vec![("output".to_owned(), 0.7)];
    let seen = run(Seen { outputs, first: Some("matmul in hidden".to_owned()), ..Seen::default() });
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["unsaved_state"]));
    assert!(seen.help.contains("matmul in hidden"), "{}", seen.help);
    let seen = run(Seen { refused: Some("missing in the file: `layer2.weight`".to_owned()), ..Seen::default() });
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["names_change"]));
}

#[test]
fn nothing_to_compare_is_skipped() {
    let seen = run(Seen { cannot: Some("no outputs".to_owned()), ..Seen::default() });
    assert_eq!(seen.judged.verdict, Verdict::Skipped);
}
