use ndarray::{ArrayD, IxDyn};

use super::super::fixture::{Outcome, outcome, subject_with};
use super::side::explained;
use super::*;
use crate::judge::Verdict;
use crate::measurement::{LossCase, Tried, TriedTerm};
use crate::reference::{Fault, Reference, Target, faulty, try_out};
use crate::spec::loss::LossKind;
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
    try_out(&reference, &shape, &target)
        .into_iter()
        .map(|(outputs, array)| {
            let right = reference.loss(&array, &target).unwrap();
            let faulty = faulty(&reference, &array, &target);
            LossCase { outputs, value: own(right, &faulty), reference: right, faulty }
        })
        .collect()
}

fn term(kind: LossKind, cases: Vec<LossCase>) -> TriedTerm {
    TriedTerm {
        name: None,
        cannot: None,
        declared: true,
        output_shape: vec![6, 3],
        tried: vec![Tried { kind, cases }],
        reshaped: None,
        doubled: None,
        shifted: None,
        logarithms: None,
    }
}

fn of_terms(terms: Vec<TriedTerm>) -> Seen {
    Seen { cannot: None, rows: 6, terms, of_step: Vec::new() }
}

fn seen(kind: LossKind, declared: Vec<LossCase>, of_step: Vec<LossCase>) -> Seen {
    Seen { of_step, ..of_terms(vec![term(kind, declared)]) }
}

fn judge(kind: LossKind, seen: Seen) -> Outcome {
    outcome(&LossFunction::default(), &subject_with(kind), &Settings::default(), &[Measurement::LossFunction(seen)])
}

fn run(kind: LossKind, own: impl Fn(f64, &[(Fault, f64)]) -> f64) -> Outcome {
    judge(kind, seen(kind, cases(kind, own), Vec::new()))
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
            let (id, _) = explained(fault, &[6, 3], 6);
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
    assert_eq!(
        judge(LossKind::CrossEntropy, seen(LossKind::CrossEntropy, right(), right())).judged.verdict,
        Verdict::Pass
    );
    let seen = judge(LossKind::CrossEntropy, seen(LossKind::CrossEntropy, right(), flipped));
    assert_eq!(seen.causes, ["sign"]);
    assert!(seen.judged.outside.iter().all(|name| name.ends_with("in the step")));
}

#[test]
fn a_regularisation_inside_a_step_is_no_mistake() {
    let right = cases(LossKind::CrossEntropy, |right, _| right);
    let regularised = cases(LossKind::CrossEntropy, |right, _| right + 0.3);
    assert_eq!(
        judge(LossKind::CrossEntropy, seen(LossKind::CrossEntropy, right, regularised)).judged.verdict,
        Verdict::Pass
    );
}

#[test]
fn without_a_reference_it_is_skipped() {
    let seen = Seen { cannot: Some("a program of its own".to_owned()), ..of_terms(Vec::new()) };
    assert_eq!(judge(LossKind::Mse, seen).judged.verdict, Verdict::Skipped);
}

#[test]
fn each_term_of_a_sum_is_judged_by_itself() {
    let named = |name: &str, term: TriedTerm| TriedTerm { name: Some(name.to_owned()), ..term };
    let class = || named("class", term(LossKind::CrossEntropy, cases(LossKind::CrossEntropy, |right, _| right)));
    let mse = |own: fn(f64) -> f64| named("box", term(LossKind::Mse, cases(LossKind::Mse, |right, _| own(right))));
    let sound = judge(LossKind::CrossEntropy, of_terms(vec![class(), mse(|right| right)]));
    assert_eq!(sound.judged.verdict, Verdict::Pass);
    let halved = judge(LossKind::CrossEntropy, of_terms(vec![class(), mse(|right| right / 2.0)]));
    assert_eq!((halved.judged.verdict, halved.causes), (Verdict::Fail, vec!["scaled"]));
    assert!(halved.judged.at.unwrap().starts_with("box, "), "{}", halved.help);
    // A term that cannot be tried leaves the others to judge, and is told of.
    let weightless = TriedTerm { cannot: Some("it has the weight zero".to_owned()), ..mse(|right| right) };
    let one = judge(LossKind::CrossEntropy, of_terms(vec![class(), weightless]));
    assert_eq!(one.judged.verdict, Verdict::Pass);
    assert!(one.remark.unwrap().contains("`box` was not tried: it has the weight zero"));
}

/// A term of which the spec says no kind, from what its function makes of outputs.
fn kindless(kinds: &[LossKind], own: impl Fn(f64, &[(Fault, f64)]) -> f64) -> TriedTerm {
    let tried = kinds.iter().map(|&kind| Tried { kind, cases: cases(kind, &own) }).collect();
    TriedTerm { declared: false, tried, ..term(LossKind::Mse, Vec::new()) }
}

#[test]
fn a_function_without_a_kind_is_recognised() {
    let sound = judge(LossKind::Mse, of_terms(vec![kindless(&[LossKind::CrossEntropy], |right, _| right)]));
    assert_eq!(sound.judged.verdict, Verdict::Pass);
    let twice = kindless(&[LossKind::CrossEntropy], |_, all| {
        all.iter().find(|(fault, _)| *fault == Fault::SquashedTwice).unwrap().1
    });
    assert_eq!(judge(LossKind::Mse, of_terms(vec![twice])).causes, ["softmax_twice"]);
}

#[test]
fn a_function_of_no_known_kind_has_to_fall_and_not_to_grow_with_the_batch() {
    let focal = || kindless(&[LossKind::CrossEntropy], |right, _| right.powf(1.7));
    let sound = TriedTerm { doubled: Some([1.3, 1.3]), ..focal() };
    assert_eq!(judge(LossKind::Mse, of_terms(vec![sound])).judged.verdict, Verdict::Pass);
    let summed = TriedTerm { doubled: Some([1.3, 2.6]), ..focal() };
    assert_eq!(judge(LossKind::Mse, of_terms(vec![summed])).causes, ["reduction"]);
    // Rows that are compared with one another.
    let contrasted = TriedTerm { doubled: Some([1.3, 1.99]), ..focal() };
    assert_eq!(judge(LossKind::Mse, of_terms(vec![contrasted])).judged.verdict, Verdict::Pass);
    let broadcast = TriedTerm { reshaped: Some([1.3, 0.4]), ..focal() };
    assert_eq!(judge(LossKind::Mse, of_terms(vec![broadcast])).causes, ["broadcast"]);
    let shared = TriedTerm { shifted: Some([1.3, 1.3]), ..focal() };
    assert_eq!(judge(LossKind::Mse, of_terms(vec![shared])).causes, ["broadcast"]);
    let uphill = kindless(&[LossKind::CrossEntropy], |right, _| -right.powf(1.7));
    assert_eq!(judge(LossKind::Mse, of_terms(vec![uphill])).causes, ["rises_with_better_outputs"]);
    let constant = kindless(&[LossKind::CrossEntropy], |_, _| 0.7);
    assert_eq!(judge(LossKind::Mse, of_terms(vec![constant])).causes, ["constant"]);
}

#[test]
fn a_loss_of_rates_falls_towards_the_logarithms_of_its_targets() {
    let rates = kindless(&[LossKind::Mse], |right, _| 5.0 - right);
    assert_eq!(judge(LossKind::Mse, of_terms(vec![rates.clone()])).judged.verdict, Verdict::Fail);
    let poisson = TriedTerm { logarithms: Some([1.0, 0.3]), ..rates };
    assert_eq!(judge(LossKind::Mse, of_terms(vec![poisson])).judged.verdict, Verdict::Pass);
}
