use super::*;
use crate::check::fixture::{Outcome, each_step, outcome, subject, trace as fixture_trace};
use crate::judge::Verdict;
use crate::measurement::Trace;
use crate::spec::property::Settings;

fn tensor(norm: f64) -> WeightTensor {
    WeightTensor {
        parameter: "hidden.weight".into(),
        shape: vec![32, 64],
        trainable: true,
        norm,
        mean: 0.0,
        std: norm / 45.0,
        sampled: 0,
        ordered: Vec::new(),
        twins: 0,
    }
}

fn judged(before: WeightTensor, after: f64, trace: Trace) -> Outcome {
    let after = WeightTensor { norm: after, ..before.clone() };
    let weights = |tensor| Weights { tensors: vec![tensor] }.into();
    let taken = [weights(before), weights(after), trace.into()];
    outcome(&WeightScale::default(), &subject(), &Settings::default(), &taken)
}

/// 200 steps of which the first are watched.
fn steady(ratio: f64) -> Trace {
    fixture_trace(200, ratio)
}

#[test]
fn weights_that_stay_of_their_size_pass() {
    assert_eq!(judged(tensor(4.0), 6.0, steady(1e-3)).judged.verdict, Verdict::Pass);
}

#[test]
fn a_large_early_step_is_a_learning_rate() {
    let found = judged(tensor(4.0), 400.0, steady(3.0));
    assert_eq!(found.causes, ["learning_rate_high"]);
    assert!(found.help.contains("100 times") && found.help.contains("try lr = 3e-4 instead of 0.1"), "{}", found.help);
}

#[test]
fn a_loss_that_climbs_from_the_first_step_on_is_ascent() {
    let up = each_step(steady(1e-2), |i, step, _| step.loss = 2.3 + 0.1 * f64::from(u32::try_from(i).unwrap()));
    assert_eq!(judged(tensor(4.0), 400.0, up).causes, ["ascent"]);
}

#[test]
fn tiny_weights_and_drifting_ones_are_told_apart() {
    assert_eq!(judged(tensor(0.1), 4.0, steady(1e-2)).causes, ["small_start"]);
    assert_eq!(judged(tensor(4.0), 80.0, steady(1e-2)).causes, ["drift"]);
}

#[test]
fn what_begins_at_zero_has_no_ratio() {
    assert_eq!(judged(tensor(0.0), 4.0, steady(1e-3)).judged.verdict, Verdict::Skipped);
}
