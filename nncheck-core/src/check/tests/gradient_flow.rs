use super::super::fixture::{Outcome, each_step, outcome, parameter, subject, trace as trained};
use super::*;
use crate::judge::Verdict;
use crate::measurement::trace::LayerSeen;
use crate::spec::property::Settings;

/// Square layers in a row, with gradients of these sizes.
fn seen(sizes: &[Option<f64>]) -> Trace {
    let mut seen = trained(20, 1e-3);
    let named = |at: usize| format!("{at}.weight");
    seen.parameters = (0..sizes.len()).map(|at| parameter(&named(at), &[4, 4])).collect();
    seen.layers =
        (0..sizes.len()).map(|at| LayerSeen { name: format!("{at}"), operator: "linear".to_owned() }).collect();
    let norms: Vec<Option<f64>> = sizes.iter().map(|size| size.map(|size| 4.0 * size)).collect();
    each_step(seen, |_, _, watched| watched.gradient_norm.clone_from(&norms))
}

fn run(seen: Trace) -> Outcome {
    outcome(&GradientFlow::default(), &subject(), &Settings::default(), &[seen.into()])
}

#[test]
fn gradients_of_about_one_size_pass() {
    let even = run(seen(&[Some(1.0), Some(0.1), Some(0.5)]));
    assert_eq!(even.judged.verdict, Verdict::Pass);
    assert_eq!(
        (even.judged.at.as_deref(), even.judged.value.map(|v| (v * 1e6).round())),
        (Some("1.weight"), Some(1e5))
    );
}

#[test]
fn gradients_that_shrink_towards_the_input_vanish_and_the_other_way_round_explode() {
    let vanishing = run(seen(&[1e-8, 1e-6, 1e-4, 1e-2, 1.0].map(Some)));
    assert_eq!((vanishing.judged.verdict, &vanishing.causes[..]), (Verdict::Fail, &["vanishing"][..]));
    assert!(vanishing.help.contains("it shrinks 100 times a layer"), "{}", vanishing.help);
    assert_eq!(run(seen(&[1.0, 1e-2, 1e-4, 1e-6, 1e-8].map(Some))).causes, ["exploding"]);
}

#[test]
fn one_small_gradient_is_its_layers_own() {
    assert_eq!(run(seen(&[1.0, 1.0, 1e-5, 1.0, 1.0].map(Some))).causes, ["uneven_layer"]);
}

#[test]
fn a_gradient_of_zero_or_none_fails_by_itself() {
    for none in [None, Some(0.0)] {
        let cut = run(seen(&[none, Some(1.0)]));
        assert_eq!((cut.judged.verdict, &cut.causes[..]), (Verdict::Fail, &["no_gradient"][..]));
    }
    assert_eq!(run(seen(&[None, None])).judged.verdict, Verdict::Fail);
}

#[test]
fn what_is_not_finite_fails_by_itself() {
    let wild = run(seen(&[Some(f64::INFINITY), Some(1.0)]));
    assert_eq!((wild.judged.verdict, &wild.causes[..]), (Verdict::Fail, &["not_finite"][..]));
}

#[test]
fn a_model_that_has_converged_or_has_one_layer_has_nothing_to_see() {
    let mut converged = seen(&[Some(1e-9), Some(1.0)]);
    converged.steps.iter_mut().skip(3).for_each(|step| step.loss = 1e-3);
    assert_eq!(run(converged).judged.verdict, Verdict::Skipped);
    assert_eq!(run(seen(&[Some(1.0)])).judged.verdict, Verdict::Skipped);
}
