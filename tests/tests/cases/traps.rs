//! What fooled the tools before this one, a test each. The programs that are unusual and not wrong, and the sound ones on
//! which every check has to hold, are in `tests/programs.rs`.

use std::collections::BTreeSet;

use super::{cases, wrong};

#[track_caller]
fn judged_rightly(specs: &[&str]) {
    let known: BTreeSet<String> = cases().iter().map(nncheck_tests::cases::Case::spec).collect();
    for spec in specs {
        assert!(known.contains(*spec), "there is no case {spec}");
    }
    let wrong = wrong(|case| specs.contains(&case.spec().as_str()));
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_bias_in_front_of_batch_norm_is_redundant_and_not_broken() {
    judged_rightly(&["parameters_update.sound-2", "gradient_flow.sound-2", "gradient_check.sound-2"]);
}

#[test]
fn what_starts_at_zero_has_no_update_ratio() {
    judged_rightly(&["update_ratio.sound-2"]);
}

#[test]
fn a_rectifier_has_no_derivative_at_zero_and_autograd_is_not_wrong_there() {
    judged_rightly(&["gradient_check.sound", "gradient_check.sound-2", "gradient_check.sound-4"]);
}

#[test]
fn a_converged_model_has_vanishing_gradients_and_that_is_sound() {
    judged_rightly(&["gradient_flow.sound-5"]);
}

#[test]
fn layers_of_tch_start_wider_than_those_of_pytorch_and_are_sound() {
    judged_rightly(&["initial_loss.sound-3", "initial_loss.sound-4"]);
}

#[test]
fn the_first_step_of_adam_is_no_spike() {
    judged_rightly(&["update_ratio.sound-3"]);
}

#[test]
fn a_rectifier_in_place_overwrites_what_was_seen_before_it() {
    judged_rightly(&["gradient_flow.sound-2", "activation_scale.sound-3"]);
}

#[test]
fn a_parameter_that_few_rows_reach_is_not_dead() {
    judged_rightly(&["parameters_update.sound-3", "parameters_update.dead_units"]);
}

#[test]
fn a_softmax_before_cross_entropy_is_seen_though_it_trains() {
    judged_rightly(&["loss_function.softmax_twice", "layer_order.output_activation"]);
}

#[test]
fn a_loss_over_the_wrong_axis_is_seen_though_it_falls() {
    judged_rightly(&["loss_function.wrong_axis", "initial_loss.loss_axis"]);
}

#[test]
fn a_column_against_a_row_is_seen_though_it_broadcasts() {
    judged_rightly(&["loss_function.broadcast", "loss_function.broadcast-2"]);
}

#[test]
fn a_fit_of_a_few_examples_ends_well_above_a_loss_of_zero() {
    judged_rightly(&["overfit.sound"]);
}

#[test]
fn faults_that_cost_no_accuracy_are_seen_in_the_structure() {
    judged_rightly(&[
        "layer_order.output_activation",
        "parameters_update.no_gradient",
        "batch_independence.rows_mixed",
        "layer_order.variance_shift",
        "nonlinearity.no_activation",
        "modes.trained_in_eval_mode",
    ]);
}

#[test]
fn an_update_ratio_is_held_to_a_band_that_refuses_something() {
    judged_rightly(&["update_ratio.learning_rate_high", "update_ratio.learning_rate_low", "update_ratio.sound"]);
}

#[test]
fn a_single_entry_that_is_not_finite_is_enough() {
    judged_rightly(&["finite.operator", "finite.gradient", "gradient_flow.not_finite"]);
}
