use ndarray::{ArrayD, IxDyn};

use super::super::fixture::{Outcome, outcome, subject_with};
use super::*;
use crate::judge::Verdict;
use crate::reference::{Reference, Target, faulty, try_out};
use crate::spec::property::Settings;

fn target(kind: LossKind) -> (Vec<usize>, Target) {
    if kind == LossKind::CrossEntropy {
        let ids = ArrayD::from_shape_vec(IxDyn(&[6]), vec![0, 2, 1, 1, 0, 2]).unwrap();
        return (vec![6, 3], Target::Ids(ids));
    }
    let values = vec![0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    (vec![6, 1], Target::Values(ArrayD::from_shape_vec(IxDyn(&[6]), values).unwrap()))
}

/// What a loss of the user's own makes of the outputs, from the right value and the mistakes' values.
fn cases(kind: LossKind, own: impl Fn(f64, &[(Fault, f64)]) -> f64) -> Vec<LossCase> {
    let (shape, target) = target(kind);
    let reference = Reference::new(kind);
    try_out(kind, &shape, &target)
        .into_iter()
        .map(|(outputs, array)| {
            let right = reference.loss(&array, &target).unwrap();
            let faulty = faulty(&reference, &array, &target);
            LossCase { outputs, value: own(right, &faulty), reference: right, faulty }
        })
        .collect()
}

fn seen(declared: Vec<LossCase>, of_step: Vec<LossCase>) -> Seen {
    Seen { cannot: None, rows: 6, output_shape: vec![6, 3], declared, of_step }
}

fn judge(kind: LossKind, seen: Seen) -> Outcome {
    outcome(&LossFunction::default(), &subject_with(kind), &Settings::default(), &[Measurement::LossFunction(seen)])
}

fn run(kind: LossKind, own: impl Fn(f64, &[(Fault, f64)]) -> f64) -> Outcome {
    judge(kind, seen(cases(kind, own), Vec::new()))
}

#[test]
fn the_loss_itself_passes_up_to_rounding() {
    for kind in [LossKind::CrossEntropy, LossKind::BceWithLogits, LossKind::Bce, LossKind::Mse, LossKind::Huber] {
        assert_eq!(run(kind, |right, _| right * (1.0 + 1e-6)).judged.verdict, Verdict::Pass, "{kind:?}");
    }
}

#[test]
fn every_mistake_that_is_looked_for_is_named_first() {
    for kind in [LossKind::CrossEntropy, LossKind::BceWithLogits, LossKind::Mse, LossKind::L1, LossKind::Huber] {
        let faults: Vec<Fault> = cases(kind, |right, _| right)[0].faulty.iter().map(|(fault, _)| *fault).collect();
        assert!(faults.len() >= 3, "{kind:?}");
        for fault in faults {
            let seen = run(kind, |_, all| all.iter().find(|(f, _)| *f == fault).unwrap().1);
            let (id, _) = explained(fault, &super::seen(&[]).cloned().unwrap_or(self::seen(Vec::new(), Vec::new())));
            assert_eq!((seen.judged.verdict, seen.causes.first()), (Verdict::Fail, Some(&id)), "{kind:?} {fault:?}");
        }
    }
}

#[test]
fn a_loss_that_ignores_the_outputs_is_called_constant() {
    assert_eq!(run(LossKind::CrossEntropy, |_, _| 1.1).causes, ["constant"]);
}

#[test]
fn a_factor_and_an_offset_are_told_apart() {
    let seen = run(LossKind::Mse, |right, _| 0.5 * right);
    assert_eq!(seen.causes, ["scaled"]);
    assert!(seen.help.contains("0.5 times"), "{}", seen.help);
    assert_eq!(run(LossKind::CrossEntropy, |right, _| right + 0.2).causes, ["offset"]);
}

#[test]
fn a_loss_that_is_not_finite_is_said_with_the_outputs() {
    let seen = run(LossKind::CrossEntropy, |right, _| if right < 0.01 { f64::NAN } else { right });
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["not_finite"]));
    assert!(seen.help.contains("right outputs"), "{}", seen.help);
}

#[test]
fn what_is_like_no_usual_mistake_is_shown_with_its_numbers() {
    let seen = run(LossKind::Mse, |right, _| right.powf(0.7) + 0.1 * right);
    assert_eq!(seen.causes, ["other_loss"]);
    assert!(seen.help.contains("`mse`") && seen.help.contains("should be"), "{}", seen.help);
}

#[test]
fn the_loss_of_a_step_is_judged_beside_the_declared_one() {
    let right = || cases(LossKind::CrossEntropy, |right, _| right);
    let flipped = cases(LossKind::CrossEntropy, |right, _| -right);
    assert_eq!(judge(LossKind::CrossEntropy, seen(right(), right())).judged.verdict, Verdict::Pass);
    let seen = judge(LossKind::CrossEntropy, seen(right(), flipped));
    assert_eq!(seen.causes, ["sign"]);
    assert!(seen.judged.outside.iter().all(|name| name.ends_with("in the step")));
}

#[test]
fn a_regularisation_inside_a_step_is_no_mistake() {
    let right = cases(LossKind::CrossEntropy, |right, _| right);
    let regularised = cases(LossKind::CrossEntropy, |right, _| right + 0.3);
    assert_eq!(judge(LossKind::CrossEntropy, seen(right, regularised)).judged.verdict, Verdict::Pass);
}

#[test]
fn without_a_reference_it_is_skipped() {
    let seen = Seen { cannot: Some("a program of its own".to_owned()), ..seen(Vec::new(), Vec::new()) };
    assert_eq!(judge(LossKind::Mse, seen).judged.verdict, Verdict::Skipped);
}
