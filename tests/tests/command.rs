//! What is decided before anything is measured: filters, lists, packages without specs or without a library.

use nncheck_tests::{Outcome, Scratch, command, manifest, nncheck, program, repository, run_project};

#[test]
fn a_filter_that_matches_nothing_is_an_error() {
    for more in [&["no_such_property"][..], &["--exact", "initial_loss"], &["--spec", "no_such_spec"]] {
        let outcome = run_project("digits", more).exits_with(2);
        assert!(outcome.properties().is_empty(), "{outcome}");
        assert!(outcome.stderr.contains("no propert") || outcome.stderr.contains("no spec"), "{outcome}");
    }
}

#[test]
fn a_filter_chooses_by_part_of_the_name() {
    let outcome = run_project("digits", &["mlp::", "--skip", "learns", "--stage", "start"]).exits_with(0);
    let names: Vec<_> = outcome.properties().into_iter().map(|e| e["property"].clone()).collect();
    assert_eq!(names, ["overfit"], "{outcome}");
}

/// A command without any libtorch in its environment, and with an empty cache.
fn bare(arguments: &[&str]) -> Outcome {
    let cache = Scratch::new();
    let mut command = command(program(), repository());
    for name in ["LIBTORCH", "LIBTORCH_USE_PYTORCH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX"] {
        command.env_remove(name);
    }
    Outcome::of(command.env("NNCHECK_CACHE_DIR", cache.path()).arg("nncheck").args(arguments))
}

#[test]
fn a_list_needs_no_libtorch() {
    let listed = bare(&["list", "--manifest-path", &manifest("digits")]).exits_with(0);
    let listed = listed.says(&["mlp::initial_loss", "convnet::learns"]);
    assert_eq!(listed.stdout.matches("mlp::").count(), 6, "{listed}");
    let some = bare(&["list", "--manifest-path", &manifest("digits"), "mlp::overfit"]).exits_with(0);
    assert!(!some.stdout.contains("learns"), "{some}");
    let names =
        bare(&["list", "-q", "--manifest-path", &manifest("digits"), "mlp::overfit", "mlp::learns"]).exits_with(0);
    assert_eq!(names.stdout, "mlp::overfit\nmlp::learns\n", "{names}");
    let json = ["list", "-q", "--message-format", "json", "--manifest-path", &manifest("digits"), "mlp::overfit"];
    let _same = bare(&json).exits_with(0).says(&["\"event\":\"listed\""]);
    let refused = bare(&["list", "--manifest-path", &manifest("digits"), "--spec", "mlpp"]).exits_with(2);
    let _refused = refused.complains_of(&["there is no spec `mlpp`", "did you mean `mlp`?", "`convnet`"]);
}

#[test]
fn a_check_is_explained_without_libtorch() {
    let _told = bare(&["explain", "initial_loss"]).exits_with(0).says(&["ln k", "Usual causes", "What to try"]);
    let _refused = bare(&["explain", "initial_los"]).exits_with(2).complains_of(&["initial_los", "initial_loss"]);
}

#[test]
fn the_schema_is_json() {
    let schema = bare(&["schema"]).exits_with(0);
    let value: serde_json::Value = serde_json::from_str(&schema.stdout).unwrap_or_else(|e| panic!("{e}\n{schema}"));
    assert_eq!(value["title"], "nncheck spec");
}

const PACKAGE: &str = "[package]\nname = \"bare\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n";

#[test]
fn a_package_without_specs_is_told_how_to_begin() {
    let package = Scratch::new().with("Cargo.toml", PACKAGE).with("src/lib.rs", "");
    let path = package.join("Cargo.toml").display().to_string();
    let _told =
        nncheck(&["run", "--manifest-path", &path]).exits_with(2).complains_of(&["specs", "cargo nncheck init"]);
}

#[test]
fn a_package_without_a_library_is_told_why_its_builder_cannot_be_had() {
    let spec = "version = 1\n[model]\nbuilder = \"bare::mlp\"\n[data]\nsynthetic = { inputs = [4], classes = 3, examples = 32 }\n\
                [loss]\nkind = \"cross_entropy\"\n[property.initial_loss]\n";
    let package =
        Scratch::new().with("Cargo.toml", PACKAGE).with("src/main.rs", "fn main() {}").with("specs/spec.toml", spec);
    let path = package.join("Cargo.toml").display().to_string();
    let _told = nncheck(&["run", "--manifest-path", &path]).exits_with(2).complains_of(&["library", "bare"]);
}

#[test]
fn no_project_at_all_is_said() {
    let nowhere = Scratch::new();
    let outcome = Outcome::of(command(program(), nowhere.path()).arg("nncheck")).exits_with(2);
    let _told = outcome.complains_of(&["Cargo.toml", "--specs"]);
}
