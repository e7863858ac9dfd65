//! Whole training programs on real data, declared as layers: sound ones and unusual ones hold the whole checklist, and
//! faulty ones are found.

use std::collections::BTreeSet;
use std::fs;

use nncheck_tests::{Outcome, project, run_specs};

fn run(kind: &str, more: &[&str]) -> Outcome {
    run_specs(&project("programs").join(kind), more)
}

/// Programs that raise an alarm, with what was said.
fn alarms(outcome: &Outcome) -> Vec<String> {
    let events = outcome.properties();
    assert!(!events.is_empty(), "{outcome}");
    let wrong = events.iter().filter(|event| event["verdict"] != "pass" && event["verdict"] != "skipped");
    wrong.map(|event| format!("{}::{}: {}", event["spec"], event["property"], event["message"])).collect()
}

#[test]
fn sound_programs_hold_the_whole_checklist() {
    let alarms = alarms(&run("sound", &["--seed", "4000"]));
    assert!(alarms.is_empty(), "{}", alarms.join("\n"));
}

#[test]
fn what_is_unusual_is_not_wrong() {
    let alarms = alarms(&run("unusual", &["--seed", "4000"]));
    assert!(alarms.is_empty(), "{}", alarms.join("\n"));
}

/// What finds each fault, and the cause that it names first or second.
const FOUND: &[(&str, &str, &str)] = &[
    ("adam_eps_1", "update_ratio", "learning_rate_low"),
    ("bn_momentum0", "modes", "statistics_stand_still"),
    ("bottleneck_1", "overfit", "learning_rate_low"),
    ("const_init_half", "overfit", "same_answer"),
    ("dead_relu_bias", "parameters_update", "dead_units"),
    ("double_sigmoid_bce", "overfit", "output_activation"),
    ("dropout_.95", "initial_loss", "large_initial_weights"),
    ("dropout_before_bn", "layer_order", "variance_shift"),
    ("explode_relu20", "initial_loss", "large_initial_weights"),
    ("grad_clip_1e-5", "update_ratio", "learning_rate_low"),
    ("loss_sum", "update_ratio", "loss_sum"),
    ("lr1e-7_adam", "update_ratio", "learning_rate_low"),
    ("lr5_sgd", "learns", "learning_rate_high"),
    ("lr_decay_per_step", "overfit", "rate_decayed"),
    ("lr_half_adam", "overfit", "learning_rate_high"),
    ("no_activation", "nonlinearity", "no_activation"),
    ("normal_std1_init", "initial_loss", "large_initial_weights"),
    ("relu_on_logits", "overfit", "output_activation"),
    ("sigmoid_out_regr", "overfit", "output_activation"),
    ("sigmoid_stack10", "overfit", "same_answer"),
    ("softmax_before_ce", "overfit", "output_activation"),
    ("softmax_hidden", "learns", "no_learning"),
    ("unscaled_x_adam", "initial_loss", "unnormalised_data"),
    ("unscaled_x_tanh", "data", "not_normalized"),
    ("weight_decay_10", "overfit", "weight_decay"),
    ("zero_init", "parameters_update", "dead_units"),
];

#[test]
fn faulty_programs_are_found_for_the_right_reason() {
    let names: Vec<String> = FOUND.iter().map(|(program, property, _)| format!("{program}::{property}")).collect();
    let outcome = run("faulty", &names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for (program, property, cause) in FOUND {
        let event = outcome.property(program, property);
        let named = event["causes"].as_array().into_iter().flatten().take(2).any(|named| named == *cause);
        if event["verdict"] != "fail" || !named {
            wrong
                .push(format!("{program}::{property}: {} {}: {}", event["verdict"], event["causes"], event["message"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_faulty_program_is_accounted_for() {
    let folder = project("programs").join("faulty");
    let files: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{} cannot be read: {e}", folder.display()))
        .map(|file| {
            file.unwrap_or_else(|e| panic!("{e}")).path().file_stem().unwrap_or_default().to_string_lossy().into()
        })
        .collect();
    let known = FOUND.iter().map(|(program, ..)| (*program).to_owned()).collect();
    assert_eq!(files, known);
}
