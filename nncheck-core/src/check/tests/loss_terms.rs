use super::super::fixture::{Outcome, facts, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement::DataFacts;
use crate::spec::loss::{LossKind, Term};
use crate::spec::property::Settings;

fn term(name: &str, norm: f64) -> TermGradient {
    TermGradient { name: name.to_owned(), weight: 1.0, reaches: norm != 0.0, norm }
}

fn seen(norms: &[(&str, f64)]) -> TermGradients {
    let terms = norms.iter().map(|(name, norm)| term(name, *norm)).collect();
    TermGradients { facts: facts(), terms, shared: vec!["hidden.weight".to_owned()] }
}

fn judge(seen: TermGradients) -> Outcome {
    let mut two = subject();
    two.loss.terms = vec![Term::of(Some(LossKind::Mse)), Term::of(Some(LossKind::CrossEntropy))];
    outcome(&LossTerms::default(), &two, &Settings::default(), &[seen.into()])
}

#[test]
fn terms_within_the_factor_pass() {
    assert_eq!(judge(seen(&[("mse", 1.0), ("cross_entropy", 0.02)])).judged.verdict, Verdict::Pass);
}

#[test]
fn a_term_that_is_drowned_fails_with_the_weight_to_set() {
    let uneven = judge(seen(&[("mse", 500.0), ("cross_entropy", 0.5)]));
    assert_eq!((uneven.judged.verdict, uneven.judged.at.as_deref()), (Verdict::Fail, Some("cross_entropy")));
    assert_eq!(uneven.causes, ["uneven_terms"]);
    assert!(uneven.help.contains("1000 times") && uneven.help.contains("weight = 0.001 for `mse`"), "{}", uneven.help);
}

#[test]
fn raw_targets_are_named_before_the_weights() {
    let facts = DataFacts { target_mean: Some(152.0), target_variance: Some(5929.0), classes: None, ..facts() };
    let raw = TermGradients { facts, ..seen(&[("mse", 500.0), ("cross_entropy", 0.5)]) };
    assert_eq!(judge(raw).causes, ["unnormalised_targets", "uneven_terms"]);
}

#[test]
fn a_gradient_that_is_not_finite_with_some_seeds_is_named() {
    let sound = seen(&[("mse", 1.0), ("cross_entropy", 1.0)]);
    let wild = seen(&[("mse", f64::NAN), ("cross_entropy", 1.0)]);
    let (subject, settings) = (subject(), Settings::default());
    let context = Context { subject: &subject, settings: &settings };
    let judged = judge(wild.clone()).judged;
    let causes = LossTerms::default().diagnose(&context, &judged, &[vec![sound.into()], vec![wild.into()]]);
    assert_eq!(causes.iter().map(|cause| cause.id).collect::<Vec<_>>(), ["not_finite"]);
}

#[test]
fn a_term_without_a_gradient_fails_by_name() {
    let dead = judge(seen(&[("mse", 1.0), ("cross_entropy", 0.0)]));
    assert_eq!((dead.judged.verdict, dead.causes), (Verdict::Fail, vec!["no_gradient"]));
    let wild = judge(seen(&[("mse", f64::NAN), ("cross_entropy", 1.0)]));
    assert_eq!((wild.judged.verdict, wild.causes), (Verdict::Fail, vec!["not_finite"]));
}

#[test]
fn terms_of_parameters_of_their_own_are_skipped() {
    let apart = TermGradients { shared: vec![], ..seen(&[("mse", 0.0), ("cross_entropy", 0.0)]) };
    let terms = apart.terms.iter().map(|term| TermGradient { reaches: true, ..term.clone() }).collect();
    assert_eq!(judge(TermGradients { terms, ..apart }).judged.verdict, Verdict::Skipped);
    let context = Context { subject: &subject(), settings: &Settings::default() };
    assert!(LossTerms::default().moot(&context).is_some());
}
