use super::super::fixture::{Outcome, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::spec::property::Settings;

fn run(changed: f64, left: f64, unmasked: f64) -> Outcome {
    let changed = vec![("ids".to_owned(), changed)];
    let seen = Padding { mask: "mask".to_owned(), masked: (3, 10), changed, left, unmasked, ..Padding::default() };
    outcome(&PaddingInvariance::default(), &subject(), &Settings::default(), &[seen.into()])
}

#[test]
fn padding_that_changes_nothing_passes() {
    assert_eq!(run(0.0, 1.0, 1.0).judged.verdict, Verdict::Pass);
}

#[test]
fn inverted_ignored_and_forgotten_masks_are_told_apart() {
    let inverted = run(0.5, 0.0, 1.0);
    assert_eq!((inverted.judged.verdict, inverted.causes), (Verdict::Fail, vec!["mask_inverted"]));
    assert!(inverted.help.contains("`masked = 1`"), "{}", inverted.help);
    assert_eq!(run(0.5, 1.0, 0.0).causes, ["mask_ignored"]);
    assert_eq!(run(0.5, 1.0, 1.0).causes, ["mask_in_part"]);
}

#[test]
fn a_model_without_a_mask_is_skipped_with_the_reason() {
    let seen = Padding { cannot: Some("no mask".into()), ..Padding::default() };
    let seen = outcome(&PaddingInvariance::default(), &subject(), &Settings::default(), &[seen.into()]);
    assert_eq!((seen.judged.verdict, seen.judged.reason.as_deref()), (Verdict::Skipped, Some("no mask")));
}
