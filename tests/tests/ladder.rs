//! Specs that say one thing in several places: ladders, `with`, `layers`, `extends`, defaults in a manifest. All but the last
//! are run from a folder of specs without any Rust.

use std::fs;

use nncheck_tests::{Outcome, Scratch, nncheck, project, run_specs};

const BASE: &str = r#"[model]
layers = [{ linear = { out = 8 }, name = "body" }, "relu", { linear = { out = 2 }, name = "head" }]

[data]
synthetic = { inputs = [3], classes = 2, examples = 64 }
batch = 16

[loss]
kind = "cross_entropy"

[optimizer]
kind = "sgd"
lr = 0.1

[run]
seeds = 1
"#;

fn folder(spec: &str) -> Scratch {
    Scratch::new().with("specs/spec.toml", &format!("extends = [\"../base.toml\"]\n{spec}")).with("base.toml", BASE)
}

fn run(spec: &str, more: &[&str]) -> Outcome {
    run_specs(&folder(spec).join("specs"), more)
}

/// The lower rung's steps are too small to move a float.
const LADDER: &str = r#"
[property.finite]
[property.parameters_update]
[[ladder]]
name = "still"
title = "hardly a step"
optimizer = { lr = 1e-30 }
[[ladder]]
name = "moving"
"#;

#[test]
fn a_rung_that_fails_blocks_those_above_it() {
    let outcome = run(LADDER, &[]).exits_with(1);
    let told: Vec<_> = outcome
        .properties()
        .iter()
        .map(|e| ["rung", "property", "verdict", "blocked_by"].map(|key| e[key].as_str().unwrap_or("none").to_owned()))
        .collect();
    let expected = [
        ["still", "finite", "pass", "none"],
        ["still", "parameters_update", "fail", "none"],
        ["moving", "finite", "skipped", "still"],
        ["moving", "parameters_update", "skipped", "still"],
    ];
    assert_eq!(told, expected, "{outcome}");
    assert_eq!(outcome.summary()["blocked"], 2, "{outcome}");
}

#[test]
fn a_rung_alone_is_judged_whatever_is_below_it() {
    let outcome = run(LADDER, &["spec::moving"]).exits_with(0);
    assert_eq!(outcome.summary()["passed"], 2, "{outcome}");
}

#[test]
fn people_are_told_what_is_blocked_what_does_not_run_and_where_values_come_from() {
    let more = "[property.learns]\nslow = true\n[property.update_ratio]\noff = \"too small a model\"\n";
    let folder = folder(&LADDER.replacen("[[ladder]]", &format!("{more}[[ladder]]"), 1));
    let specs = folder.join("specs").display().to_string();
    let outcome = nncheck(&["run", "--specs", &specs, "-v"]).exits_with(1);
    let _told = outcome.says(&[
        "blocked by rung `still`",
        "spec::still::learns",
        "slow: runs with --include-ignored",
        "off: too small a model",
        "values of spec::still:",
        "base.toml:16",
        "4 ignored",
    ]);
    let explained = nncheck(&["explain", "spec::still::finite", "--specs", &specs]).exits_with(0);
    let _told =
        explained.says(&["the check `finite`", "optimizer.lr = 1e-30", "optimizer.kind = \"sgd\"", "base.toml:12"]);
    let unknown = nncheck(&["explain", "spec::stil::finite", "--specs", &specs]).exits_with(2);
    let _told = unknown.complains_of(&["did you mean `spec::still::finite`?"]);
}

#[test]
fn a_property_changes_the_training_program_for_itself_alone() {
    let outcome = run(
        "[property.moves]\ncheck = \"parameters_update\"\n[property.stays]\ncheck = \"parameters_update\"\nwith = { lr = 1e-30 }\n",
        &[],
    )
    .exits_with(1);
    assert_eq!(outcome.property("spec", "moves")["verdict"], "pass", "{outcome}");
    assert_eq!(outcome.property("spec", "stays")["verdict"], "fail", "{outcome}");
}

#[test]
fn only_the_layers_that_a_property_names_are_judged() {
    let spec = "[property.head]\ncheck = \"parameters_update\"\nlayers = \"head\"\n\
                [property.nowhere]\ncheck = \"parameters_update\"\nlayers = \"decoder.*\"\n";
    let outcome = run(spec, &[]).exits_with(1);
    let head = outcome.property("spec", "head");
    assert_eq!(head["verdict"], "pass", "{outcome}");
    let judged: Vec<&String> = head["by"].as_object().into_iter().flat_map(|by| by.keys()).collect();
    assert_eq!(judged, ["head.bias", "head.weight"], "{outcome}");
    let nowhere = outcome.property("spec", "nowhere");
    assert_eq!(nowhere["verdict"], "error", "{outcome}");
    assert!(nowhere["message"].as_str().unwrap_or_default().contains("`head.weight`"), "{nowhere}");
}

#[test]
fn terms_and_the_validation_share_are_measured() {
    // One seed's start may lean towards the labels by chance; the mean of several does not.
    let spec = "[data]\nsynthetic = { examples = 1024 }\n[run]\nseeds = 5\n\
                [[loss]]\nkind = \"cross_entropy\"\n[[loss]]\nname = \"smooth\"\nkind = \"cross_entropy\"\n\
                label_smoothing = 0.5\nweight = 3.0\n\
                [property.initial_loss]\n[property.one]\ncheck = \"initial_loss\"\nterm = \"smooth\"\n\
                [property.kept-aside]\ncheck = \"initial_loss\"\nterm = \"cross_entropy\"\nsplit = \"validation\"\n";
    let outcome = run(spec, &[]).exits_with(0);
    let expected = |property: &str| outcome.property("spec", property)["band"]["expect"].as_f64().unwrap_or(f64::NAN);
    // Of zero outputs, each term is ln 2 before weighting, smoothed or not.
    let ln2 = std::f64::consts::LN_2;
    assert!((expected("initial_loss") - 4.0 * ln2).abs() < 1e-5, "{outcome}");
    assert!((expected("one") - ln2).abs() < 1e-5 && (expected("kept-aside") - ln2).abs() < 1e-5, "{outcome}");
    let value = |property: &str| outcome.property("spec", property)["value"].as_f64();
    assert_ne!(value("kept-aside"), value("one"), "{outcome}");
}

#[test]
fn a_manifest_holds_defaults_of_a_run() {
    let read = |name: &str| {
        let path = project("unruly").join(name);
        fs::read_to_string(&path)
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
            .replace("\"unruly\"", "\"defaults\"")
    };
    let manifest =
        read("Cargo.toml") + "\n[package.metadata.nncheck]\nspecs = [\"checks\"]\nrun = { seeds = 3, seed = 7 }\n";
    let package = Scratch::new()
        .with("Cargo.toml", &manifest)
        .with("Cargo.lock", &read("Cargo.lock"))
        .with("src/lib.rs", "//! Nothing.\n")
        .with("checks/spec.toml", &format!("{}[property.finite]\n", BASE.replace("[run]\nseeds = 1\n", "")));
    let manifest = package.join("Cargo.toml").display().to_string();
    let run = |more: &[&str]| {
        let outcome = nncheck(&[&["run", "--manifest-path", &manifest, "--message-format", "json"], more].concat());
        let event = outcome.exits_with(0).property("spec", "finite");
        let seeds = event["seeds"].as_array().cloned().unwrap_or_default();
        (seeds.len(), seeds[0]["seed"].as_u64())
    };
    assert_eq!(run(&[]), (3, Some(7)));
    assert_eq!(run(&["--seeds", "2"]), (2, Some(7)));
}
