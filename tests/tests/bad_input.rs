//! Wrong specs, wrong data, wrong Rust: each gets a message that says what is wrong and where. Nothing of it passes, and
//! nothing panics (which every [`Outcome`] is held to).

use nncheck_tests::{Outcome, Scratch, manifest, nncheck, project, run_specs};

/// A sound spec over `data.csv`, with a mark that a test replaces by a mistake.
const SOUND: &str = r#"version = 1

[model]
layers = [{ linear = { out = 8 }, name = "hidden" }, "relu", { linear = { out = 3 }, name = "head" }]

[data]
csv = "data.csv"
target = "label"
batch = 4

[loss]
kind = "cross_entropy"

[optimizer]
kind = "sgd"
lr = 0.1

[run]
seeds = 1

[property.finite]
[property.initial_loss]
max = 10.0
"#;

fn csv(more: &str) -> String {
    let rows: String = (0..18).map(|i| format!("{}.5,{},{}\n", i % 5, i % 7, i % 3)).collect();
    format!("width,height,label\n{rows}{more}")
}

fn run(spec: &str, data: &str) -> Outcome {
    let folder = Scratch::new().with("spec.toml", spec).with("data.csv", data);
    run_specs(folder.path(), &[])
}

/// Runs the sound spec with `old` replaced.
fn with(old: &str, new: &str) -> Outcome {
    assert!(SOUND.contains(old), "`{old}` is in the spec");
    run(&SOUND.replace(old, new), &csv(""))
}

/// Nothing was run: no event says otherwise.
fn refused(outcome: Outcome, words: &[&str]) {
    let outcome = outcome.exits_with(2).complains_of(words);
    assert!(outcome.properties().is_empty(), "nothing is judged\n{outcome}");
}

/// The spec is sound by its looks, and what is wrong comes out when it is run, or just before.
fn does_not_pass(outcome: &Outcome, words: &[&str]) {
    assert!(matches!(outcome.code, Some(1 | 2)), "{outcome}");
    let all = format!("{}{}", outcome.stdout, outcome.stderr);
    for word in words {
        assert!(all.contains(word), "`{word}` is not told\n{outcome}");
    }
    assert!(outcome.properties().iter().all(|e| e["verdict"] == "error"), "{outcome}");
}

#[test]
fn the_spec_that_the_mistakes_are_made_in_is_sound() {
    let outcome = run(SOUND, &csv("")).exits_with(0);
    assert_eq!(outcome.summary()["passed"], 2, "{outcome}");
}

#[test]
fn no_specs() {
    let folder = Scratch::new();
    refused(run_specs(folder.path(), &[]), &["no specs"]);
    refused(run_specs(&folder.join("nowhere"), &[]), &["there is no folder", "nowhere"]);
}

#[test]
fn an_empty_spec() {
    refused(run("", &csv("")), &["spec.toml", "empty"]);
}

#[test]
fn an_unknown_check() {
    refused(with("[property.finite]", "[property.finnite]"), &["spec.toml:21", "finnite", "finite"]);
}

#[test]
fn an_unknown_layer() {
    refused(with("\"relu\"", "\"relo\""), &["spec.toml:4", "relo", "relu"]);
}

#[test]
fn several_mistakes_are_told_at_once() {
    let spec =
        SOUND.replace("lr = 0.1", "lr = \"fast\"").replace("batch = 4", "bach = 4").replace("[run]", "[running]");
    refused(run(&spec, &csv("")), &["lr", "bach", "batch", "running"]);
}

#[test]
fn layers_that_the_data_does_not_fit() {
    does_not_pass(&with("{ out = 8 }", "{ in = 5, out = 8 }"), &["spec.toml:4", "hidden", "5", "2"]);
}

#[test]
fn a_shape_that_the_columns_do_not_fill() {
    does_not_pass(&with("batch = 4", "batch = 4\nshape = [1, 2, 2]"), &["shape", "4", "2"]);
}

#[test]
fn a_missing_csv() {
    does_not_pass(&with("data.csv", "date.csv"), &["date.csv"]);
}

#[test]
fn missing_weights_and_frozen_parameters_that_are_not_there_are_found_before_anything_is_built() {
    refused(with("[model]\n", "[model]\nweights = \"init.pt\"\n"), &["there is no file `init.pt`", "spec.toml:4:11"]);
    refused(with("[model]\n", "[model]\nfrozen = [\"hiden.*\"]\n"), &["spec.toml:4:11", "did you mean `hidden.*`?"]);
    refused(with("lr = 0.1", "lr = 0.1\nparams = \"body.*\""), &["`body.*` in `params`", "`hidden.weight`"]);
}

#[test]
fn a_missing_target() {
    does_not_pass(&with("\"label\"", "\"lable\""), &["lable", "label"]);
}

#[test]
fn a_ragged_csv() {
    does_not_pass(&run(SOUND, &csv("1.0,2.0\n")), &["data.csv", "20"]);
}

#[test]
fn text_in_a_column_of_numbers() {
    does_not_pass(&run(SOUND, &csv("1.0,tall,2\n")), &["data.csv", "height", "tall"]);
}

#[test]
fn nan_in_the_data() {
    for nan in ["NaN", "inf", ""] {
        does_not_pass(&run(SOUND, &csv(&format!("1.0,{nan},2\n"))), &["data.csv", "height", "20"]);
    }
}

#[test]
fn a_label_out_of_range() {
    does_not_pass(&run(&SOUND.replace("batch = 4", "batch = 4\nclasses = 3"), &csv("1.0,2.0,3\n")), &["label", "3"]);
    does_not_pass(&run(SOUND, &csv("1.0,2.0,-1\n")), &["label", "-1"]);
    does_not_pass(&run(SOUND, &csv("1.0,2.0,0.5\n")), &["label", "0.5"]);
}

/// A model on the wrong number of classes is a finding or an error, never a pass.
#[test]
fn a_model_on_too_few_classes() {
    let outcome = with("out = 3", "out = 2");
    assert!(matches!(outcome.code, Some(1 | 2)), "{outcome}");
    let all = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(all.contains("2 outputs") || all.contains("classes"), "{outcome}");
    assert!(outcome.properties().iter().all(|e| e["verdict"] != "pass"), "{outcome}");
}

#[test]
fn a_model_on_too_many_classes() {
    let outcome = with("out = 3", "out = 4").exits_with(1);
    let event = outcome.property("spec", "initial_loss");
    assert_eq!(event["verdict"], "fail", "{event}");
    assert_eq!(event["causes"][0], "output_width", "{event}");
}

/// A spec in a package's folder that names `builder`; the package is the digits project.
fn with_builder(builder: &str) -> Outcome {
    let digits = project("digits");
    let spec = format!(
        "version = 1\n\n[model]\nbuilder = \"{builder}\"\n\n[data]\nsynthetic = {{ inputs = [4], classes = 3, examples = 32 }}\n\n\
         [loss]\nkind = \"cross_entropy\"\n\n[property.initial_loss]\nmax = 10.0\n"
    );
    let package = Scratch::new()
        .with("Cargo.toml", &read(&digits.join("../unruly/Cargo.toml")).replace("\"unruly\"", "\"mistaken\""))
        .with("Cargo.lock", &read(&digits.join("../unruly/Cargo.lock")).replace("\"unruly\"", "\"mistaken\""))
        .with("src/lib.rs", MISTAKEN)
        .with("specs/spec.toml", &spec);
    let manifest = package.join("Cargo.toml").display().to_string();
    nncheck(&["run", "--manifest-path", &manifest, "--message-format", "json"])
}

fn read(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

const MISTAKEN: &str = r#"//! Functions that specs of the tests name.
use tch::nn::{self, Linear};

/// A builder as it should be.
pub fn sound(path: &nn::Path) -> Linear {
    nn::linear(path / "head", 4, 3, Default::default())
}

/// No builder.
pub fn wrong(width: i64) -> i64 {
    width
}

fn shy(path: &nn::Path) -> Linear {
    sound(path)
}

mod inner {
    pub fn deep(path: &tch::nn::Path) -> tch::nn::Linear {
        super::shy(path)
    }
}

/// A builder of a type.
pub struct Net(pub Linear);

impl Net {
    /// With a word too many.
    pub fn new(path: &nn::Path, width: i64) -> Net {
        let _ = (inner::deep(path), width);
        Net(sound(path))
    }
}
"#;

#[test]
fn the_package_that_the_mistakes_are_made_in_is_sound() {
    let outcome = with_builder("mistaken::sound").exits_with(0);
    assert_eq!(outcome.summary()["passed"], 1, "{outcome}");
}

#[test]
fn a_builder_that_does_not_exist() {
    let near = ["did you mean `mistaken::sound`?", "src/lib.rs:5"];
    refused(with_builder("mistaken::sund"), &[&["mistaken::sund", "specs/spec.toml:4"], &near[..]].concat());
    refused(with_builder("mistaken::models::sound"), &near);
}

#[test]
fn a_builder_of_another_crate() {
    let near = "did you mean `mistaken::sound`?";
    refused(with_builder("nowhere::sound"), &["nowhere", "specs/spec.toml:4", near]);
}

#[test]
fn a_builder_with_the_wrong_signature() {
    let there = "it is `fn wrong(width: i64) -> i64` (src/lib.rs:10)";
    refused(with_builder("mistaken::wrong"), &["mistaken::wrong", "specs/spec.toml:4", "fn(&nn::Path)", there]);
    let there = "it is `fn new(path: &nn::Path, width: i64) -> Net` (src/lib.rs:29)";
    refused(with_builder("mistaken::Net::new"), &["mistaken::Net::new", "specs/spec.toml:4", there]);
}

#[test]
fn a_builder_that_is_not_public() {
    refused(with_builder("mistaken::shy"), &["specs/spec.toml:4", "is not `pub`", "src/lib.rs:14"]);
    refused(with_builder("mistaken::inner::deep"), &["specs/spec.toml:4", "in a module that is not", "src/lib.rs:19"]);
}

#[test]
fn rust_in_a_folder_of_specs_without_rust() {
    let model =
        "layers = [{ linear = { out = 8 }, name = \"hidden\" }, \"relu\", { linear = { out = 3 }, name = \"head\" }]";
    let words = ["spec.toml:4", "mistaken::sound", "there is no Rust package", "--manifest-path", "layers"];
    refused(with(model, "builder = \"mistaken::sound\""), &words);
    let words = ["spec.toml:12", "mistaken::loss", "there is no Rust package"];
    refused(
        with("kind = \"cross_entropy\"", "kind = \"cross_entropy\"\nfunction = \"mistaken::loss\"").exits_with(2),
        &words[1..],
    );
}

#[test]
fn an_unknown_option_and_a_bad_value() {
    let manifest = manifest("digits");
    for (arguments, words) in [
        (vec!["run", "--manifest-path", &manifest, "--seedz", "3"], "'--seedz' found"),
        (vec!["run", "--manifest-path", &manifest, "--seeds", "0"], "0"),
        (vec!["run", "--manifest-path", &manifest, "--timeout", "soon"], "soon"),
        (vec!["run", "--manifest-path", &manifest, "--device", "abacus"], "--device"),
    ] {
        let outcome = nncheck(&arguments).exits_with(2).complains_of(&[words]);
        assert_eq!(outcome.stdout, "", "{outcome}");
    }
}
