use super::super::fixture::{Outcome, allow, each_step, outcome, parameter, subject, trace as sound};
use super::*;
use crate::judge::Verdict;
use crate::spec::property::{Allowance, Settings};

fn run_with(check: &UpdateRatio, settings: &Settings, trace: Trace) -> Outcome {
    outcome(check, &subject(), settings, &[Measurement::Trace(trace)])
}

fn run(trace: Trace) -> Outcome {
    run_with(&UpdateRatio::default(), &Settings::default(), trace)
}

fn value(seen: &Outcome, name: &str) -> Option<f64> {
    seen.judged.by.iter().find(|(n, _)| n == name).and_then(|(_, v)| *v)
}

#[test]
fn a_sound_training_passes_and_lists_every_parameter_in_order() {
    let seen = run(sound(50, 2e-3));
    assert_eq!(seen.judged.verdict, Verdict::Pass);
    let names: Vec<&str> = seen.judged.by.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["head.bias", "head.weight", "hidden.bias", "hidden.weight", "(largest step)"]);
}

#[test]
fn the_median_is_taken_over_the_window_alone() {
    // Step i has the ratio (i + 1) / 10,000; the middle of steps 10 to 49 lies between 0.0030 and 0.0031.
    let seen = run(each_step(sound(60, 1e-3), |i, _, w| {
        w.update_ratio = vec![Some(f64::from(u32::try_from(i).unwrap() + 1) * 1e-4); 4];
    }));
    assert!((value(&seen, "hidden.weight").unwrap() - 3.05e-3).abs() < 1e-15);
}

#[test]
fn one_step_is_its_own_value_bit_for_bit_and_has_no_largest_step() {
    let ratio = 0.1 + 0.2;
    let check = UpdateRatio { after: 0, steps: super::super::parameter::count(1), spike: 0.3 };
    let seen = run_with(&check, &Settings::default(), sound(1, ratio));
    assert_eq!(value(&seen, "hidden.weight").map(f64::to_bits), Some(ratio.to_bits()));
    assert!(seen.judged.by.iter().all(|(name, _)| name != LARGEST_STEP));
}

#[test]
fn steps_in_which_the_optimizer_did_not_step_do_not_count() {
    let accumulated = each_step(sound(50, 2e-3), |i, _, w| {
        if i % 4 != 3 {
            w.update_ratio = vec![Some(0.0); 4];
            w.update_norm = vec![0.0; 4];
            w.whole_update_ratio = Some(0.0);
        }
    });
    let seen = run(accumulated);
    assert_eq!((seen.judged.verdict, value(&seen, "head.weight")), (Verdict::Pass, Some(2e-3)));
}

#[test]
fn biases_and_all_zero_parameters_are_listed_and_not_judged() {
    let seen = run(each_step(sound(50, 2e-3), |_, _, w| {
        w.update_ratio[0] = Some(0.9);
        w.update_ratio[1] = None;
    }));
    assert_eq!(seen.judged.verdict, Verdict::Pass);
    assert_eq!((value(&seen, "head.bias"), value(&seen, "head.weight")), (Some(0.9), None));
}

#[test]
fn a_rate_that_is_too_high_comes_with_the_one_to_try() {
    let seen = run(sound(50, 0.31));
    assert_eq!((seen.judged.verdict, seen.causes[0]), (Verdict::Fail, "learning_rate_high"));
    assert!(seen.help.contains("is 0.31, 310 times the expected 0.001: try lr = 3e-4 instead of 0.1"), "{}", seen.help);
}

#[test]
fn a_rate_that_is_too_low_comes_with_the_one_to_try() {
    let seen = run(sound(50, 1e-6));
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["learning_rate_low"]));
    assert!(seen.help.contains("a 1000th of the expected 0.001: try lr = 100 instead of 0.1"), "{}", seen.help);
}

#[test]
fn a_layer_that_never_moves_is_named() {
    let seen = run(each_step(sound(50, 2e-3), |_, _, w| {
        w.update_ratio[3] = Some(0.0);
        w.update_norm[3] = 0.0;
    }));
    assert_eq!((seen.judged.verdict, seen.judged.at.as_deref()), (Verdict::Fail, Some("hidden.weight")));
    assert_eq!(seen.causes, ["dead"]);
    assert_eq!(seen.judged.value, Some(0.0));
}

#[test]
fn an_optimizer_that_never_steps_fails_instead_of_being_skipped() {
    let seen = run(sound(50, 0.0));
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["no_update"]));
}

#[test]
fn a_single_large_step_fails_though_the_median_is_fine() {
    let seen = run(each_step(sound(50, 2e-3), |i, _, w| {
        if i == 4 {
            w.whole_update_ratio = Some(2.4);
        }
    }));
    assert_eq!((seen.judged.verdict, seen.judged.at.as_deref()), (Verdict::Fail, Some("(largest step)")));
    assert_eq!(seen.causes, ["spike"]);
    assert!(seen.help.contains("by 2.4 of their size, and 0.3 is the most"), "{}", seen.help);
}

#[test]
fn the_first_two_steps_are_no_spike() {
    let seen = run(each_step(sound(50, 2e-3), |i, _, w| {
        if i < 2 {
            w.whole_update_ratio = Some(0.9);
        }
    }));
    assert_eq!(seen.judged.verdict, Verdict::Pass);
}

#[test]
fn a_summed_loss_is_recognised() {
    let seen = run(each_step(sound(50, 0.3), |_, step, _| step.loss *= 64.0));
    assert_eq!(seen.causes.first(), Some(&"loss_sum"));
}

#[test]
fn one_layer_out_of_step_is_not_blamed_on_the_rate() {
    let mut uneven = each_step(sound(50, 2e-3), |_, _, w| {
        w.update_ratio[3] = Some(0.4);
        w.update_ratio.push(Some(2e-3));
        w.update_norm.push(0.02);
    });
    uneven.parameters.push(parameter("middle.weight", &[32, 32]));
    let seen = run(uneven);
    assert_eq!(seen.causes, ["uneven_layers"]);
    assert!(seen.help.contains("hidden.weight is 0.4, 200 times"), "{}", seen.help);
}

#[test]
fn an_allowed_parameter_is_listed_and_not_judged() {
    let slow = each_step(sound(50, 2e-3), |_, _, w| w.update_ratio[3] = Some(1e-7));
    let settings = allow(&[Allowance::Parameter("hidden.*".into())]);
    assert_eq!(run_with(&UpdateRatio::default(), &settings, slow).judged.verdict, Verdict::Pass);
}

#[test]
fn a_ratio_that_is_not_finite_fails() {
    let seen = run(each_step(sound(50, 2e-3), |i, _, w| {
        if i > 30 {
            w.update_ratio = vec![Some(f64::NAN); 4];
        }
    }));
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["learning_rate_high"]));
}

#[test]
fn a_model_without_weights_is_skipped() {
    let bare = Trace { parameters: vec![], ..each_step(sound(50, 1e-3), |_, _, w| w.whole_update_ratio = None) };
    assert_eq!(run(bare).judged.verdict, Verdict::Skipped);
}

#[test]
fn a_large_step_that_leaves_nothing_moving_is_blamed_on_the_rate() {
    let seen = run(each_step(sound(50, 0.0), |i, _, w| {
        if i == 3 {
            w.whole_update_ratio = Some(2.4);
        }
    }));
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["learning_rate_high", "no_update"]));
}
