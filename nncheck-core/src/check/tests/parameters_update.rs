use super::super::fixture::{Outcome, allow, each_step, outcome, subject, trace as sound};
use super::*;
use crate::judge::Verdict;
use crate::measurement::trace::{LayerSeen, Unregistered};
use crate::spec::property::{Allowance, Settings};

fn run_with(settings: &Settings, trace: Trace) -> Outcome {
    outcome(&ParametersUpdate::default(), &subject(), settings, &[Measurement::Trace(trace)])
}

fn run(trace: Trace) -> Outcome {
    run_with(&Settings::default(), trace)
}

/// hidden.weight with this gradient in every step, and still.
fn still(gradient: Option<f64>) -> Trace {
    each_step(sound(20, 1e-3), |_, _, w| {
        w.gradient_norm[3] = gradient;
        w.update_ratio[3] = Some(0.0);
        w.update_norm[3] = 0.0;
    })
}

#[test]
fn a_training_that_moves_everything_passes() {
    let seen = run(sound(20, 1e-3));
    assert_eq!((seen.judged.verdict, seen.judged.by.len()), (Verdict::Pass, 4));
}

#[test]
fn a_parameter_outside_the_optimizer_is_named_with_its_gradient() {
    let seen = run(still(Some(0.25)));
    assert_eq!((seen.judged.verdict, seen.judged.at.as_deref()), (Verdict::Fail, Some("hidden.weight")));
    assert_eq!((seen.judged.value, seen.causes), (Some(0.0), vec!["not_in_optimizer"]));
    assert!(seen.help.contains("a gradient reaches hidden.weight (norm 0.25)"), "{}", seen.help);
}

#[test]
fn detached_unused_and_dead_are_told_apart() {
    let detached = run(still(None));
    assert_eq!(detached.causes, ["no_gradient"]);
    assert!(detached.help.contains("no gradient comes back to"), "{}", detached.help);
    let mut unused = still(None);
    unused.parameters[3].used = false;
    assert!(run(unused).help.contains("no operator of the forward pass reads"));
    assert_eq!(run(still(Some(0.0))).causes, ["dead_units"]);
}

#[test]
fn weight_decay_is_no_gradient() {
    // It moves, but by decay alone.
    let decayed = each_step(sound(20, 1e-3), |_, _, w| w.gradient_norm[3] = None);
    assert_eq!(run(decayed).judged.verdict, Verdict::Fail);
}

#[test]
fn one_step_that_moves_is_enough() {
    let rare = each_step(sound(20, 1e-3), |i, _, w| {
        if i != 19 {
            w.gradient_norm[3] = Some(0.0);
            w.update_ratio[3] = Some(0.0);
            w.update_norm[3] = 0.0;
        }
    });
    assert_eq!(run(rare).judged.verdict, Verdict::Pass);
}

#[test]
fn a_parameter_that_starts_at_zero_is_judged_by_its_norm() {
    let zeros = each_step(sound(20, 1e-3), |_, _, w| w.update_ratio[3] = None);
    let seen = run(zeros);
    assert_eq!((seen.judged.verdict, seen.judged.by[3].1), (Verdict::Pass, Some(0.01)));
}

#[test]
fn a_frozen_parameter_that_stays_passes_and_one_that_moves_fails() {
    let mut frozen = still(None);
    frozen.parameters[3].frozen = true;
    frozen.parameters[3].trainable = false;
    assert_eq!(run(frozen).judged.verdict, Verdict::Pass);
    let mut moving = sound(20, 1e-3);
    moving.parameters[3].frozen = true;
    let seen = run(moving);
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["frozen_moves"]));
    assert!(seen.help.contains("hidden.weight must not move and does, by a norm of 0.01"), "{}", seen.help);
}

#[test]
fn an_unregistered_tensor_fails_by_its_layer() {
    let mut trace = sound(20, 1e-3);
    trace.unregistered = vec![Unregistered { layer: "mixer".into(), shape: vec![4, 4] }; 2];
    let seen = run(trace);
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["unregistered"]));
    assert_eq!(seen.judged.outside, ["mixer (unregistered)", "mixer (unregistered #2)"]);
}

/// hidden with batch norm behind it; the bias has a gradient of rounding noise.
fn before_batch_norm(gradient: Option<f64>) -> Trace {
    let mut trace = each_step(sound(20, 1e-3), |_, _, w| {
        w.gradient_norm[2] = gradient;
        w.update_ratio[2] = Some(0.0);
        w.update_norm[2] = 0.0;
    });
    trace.layers.insert(1, LayerSeen { name: "norm".into(), operator: "batch_norm".into() });
    trace
}

#[test]
fn a_bias_before_batch_norm_is_listed_and_not_judged() {
    let seen = run(before_batch_norm(Some(1e-16)));
    assert_eq!((seen.judged.verdict, seen.judged.by.len()), (Verdict::Pass, 4));
}

#[test]
fn a_bias_before_batch_norm_without_any_gradient_is_not_excused() {
    assert_eq!(run(before_batch_norm(None)).judged.verdict, Verdict::Fail);
}

#[test]
fn a_bias_with_a_vanishing_gradient_is_redundant_wherever_batch_norm_is() {
    let mut far = before_batch_norm(Some(1e-16));
    far.layers.remove(1);
    assert_eq!(run(far).judged.verdict, Verdict::Pass);
}

#[test]
fn allowed_parameters_are_listed_and_not_judged() {
    let settings = allow(&[Allowance::Parameter("hidden.*".into())]);
    assert_eq!(run_with(&settings, still(None)).judged.verdict, Verdict::Pass);
    let layer = allow(&[Allowance::Layer("hidden".into())]);
    assert_eq!(run_with(&layer, still(None)).judged.verdict, Verdict::Pass);
}

#[test]
fn no_parameters_or_no_watched_step_are_skipped() {
    assert_eq!(run(sound(0, 1e-3)).judged.verdict, Verdict::Skipped);
    assert_eq!(run(Trace { parameters: vec![], ..sound(20, 1e-3) }).judged.verdict, Verdict::Skipped);
}

#[test]
fn a_parameter_that_is_frozen_without_being_declared_fails_unless_it_is_allowed() {
    let mut mistaken = still(None);
    mistaken.parameters[3].trainable = false;
    let seen = run(mistaken.clone());
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["not_declared_frozen"]));
    assert!(seen.help.contains("frozen = [\"hidden.weight\"]"), "{}", seen.help);
    let allowed = allow(&[Allowance::Parameter("hidden.weight".into())]);
    assert_eq!(run_with(&allowed, mistaken).judged.verdict, Verdict::Pass);
}

#[test]
fn what_is_not_finite_is_no_movement() {
    let wild = each_step(sound(20, 1e-3), |_, _, w| {
        w.gradient_norm[3] = Some(f64::NAN);
        w.update_ratio[3] = Some(f64::NAN);
        w.update_norm[3] = f64::NAN;
    });
    let seen = run(wild);
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["not_finite"]));
}
