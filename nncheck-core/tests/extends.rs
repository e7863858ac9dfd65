//! Specs that build upon others: what comes of them, and what is said where that goes wrong.

use std::fs;

use nncheck_core::diagnostic::{Style, render_all};
use nncheck_core::spec::data::DataSource;
use nncheck_core::suite::{Manifest, ManifestKind, Overrides, Sources, Suite, load};

/// A folder with these files, read as a suite.
fn suite_of(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Suite, String>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut sources = Sources::one(folder.path().join("specs"), "specs");
    for (name, kind) in [("ws.toml", ManifestKind::Workspace), ("Cargo.toml", ManifestKind::Package)] {
        let path = folder.path().join(name);
        if path.exists() {
            sources.manifests.push(Manifest { path, shown: name.to_owned(), kind });
        }
    }
    let suite = load(&sources, &Overrides::default());
    let shown = suite.map_err(|errors| {
        let root = folder.path().to_string_lossy().into_owned();
        render_all(&errors, Style::Plain).replace(&root, "ROOT")
    });
    (folder, shown)
}

fn said(files: &[(&str, &str)]) -> String {
    suite_of(files).1.map_or_else(|errors| errors, |_| "nothing".to_owned())
}

fn names(suite: &Suite) -> Vec<String> {
    suite.ids().map(|id| suite.test_name(id)).collect()
}

const BASE: &str = r#"
[data]
csv = "digits.csv"
target = "label"
[loss]
kind = "cross_entropy"
[optimizer]
kind = "adam"
lr = 0.1
[run]
seeds = 3
[property.overfit]
points = 2
"#;
const CHILD: &str = r#"
extends = ["../base/base.toml"]
[model]
layers = [{ linear = { out = 10 } }]
[optimizer]
lr = 0.2
[property.overfit]
slow = true
[property.finite]
"#;

#[test]
fn tables_merge_and_paths_are_seen_from_the_file_that_says_them() {
    let (folder, suite) = suite_of(&[("base/base.toml", BASE), ("specs/a.toml", CHILD)]);
    let suite = suite.unwrap();
    let spec = &suite.specs[0];
    let DataSource::Csv { path, .. } = &spec.subject.data.source else { panic!("no csv") };
    assert_eq!(path.value, folder.path().join("specs/../base/digits.csv"));
    assert_eq!(spec.run.seeds, 3);
    assert_eq!(names(&suite), ["a::overfit", "a::finite"]);
    assert!(spec.properties[0].settings.slow);
    let origin = |key: &str| {
        let setting = spec.settled.iter().find(|s| s.key == key).unwrap();
        (setting.value.clone(), setting.origin.clone())
    };
    assert_eq!(origin("optimizer.lr"), ("0.2".into(), "specs/a.toml:6".into()));
    assert_eq!(origin("optimizer.kind"), ("\"adam\"".into(), "base/base.toml:8".into()));
}

#[test]
fn a_file_of_the_folder_that_others_build_upon_is_no_spec_itself() {
    let child = CHILD.replace("../base/base.toml", "base.toml");
    let (_folder, suite) = suite_of(&[("specs/base.toml", BASE), ("specs/a.toml", &child)]);
    assert_eq!(names(&suite.unwrap()), ["a::overfit", "a::finite"]);
}

#[test]
fn the_later_one_of_two_wins_and_a_shared_base_is_read_once() {
    let (_folder, suite) = suite_of(&[
        ("base/base.toml", BASE),
        ("base/x.toml", "extends = \"base.toml\"\noptimizer = { lr = 0.3 }\nrun = { seed = 7 }"),
        ("base/y.toml", "extends = \"base.toml\"\noptimizer = { kind = \"sgd\", lr = 0.4 }"),
        (
            "specs/a.toml",
            "extends = [\"../base/x.toml\", \"../base/y.toml\"]\nmodel = { layers = [{ linear = { out = 10 } }] }",
        ),
    ]);
    let suite = suite.unwrap();
    let spec = &suite.specs[0];
    assert_eq!(spec.file.inherited.len(), 3);
    assert_eq!(spec.run.seed, 7);
    let lr = spec.settled.iter().find(|s| s.key == "optimizer.lr").unwrap();
    assert_eq!(lr.value, "0.4");
}

#[test]
fn manifests_lie_below_everything_and_the_package_over_the_workspace() {
    let own = CHILD.to_owned() + "[run]\ntimeout = \"9s\"\n";
    let (_folder, suite) = suite_of(&[
        ("ws.toml", "[workspace.metadata.nncheck.run]\nseeds = 9\nseed = 1\nthreads = 2\ntimeout = \"1s\""),
        (
            "Cargo.toml",
            "[package]\nname = \"p\"\n[package.metadata.nncheck]\nspecs = [\"specs\"]\nrun = { seed = 5, seeds = 8 }",
        ),
        ("base/base.toml", BASE),
        ("specs/a.toml", &own),
    ]);
    let suite = suite.unwrap();
    let spec = &suite.specs[0];
    assert_eq!((spec.run.seeds, spec.run.seed), (3, 5));
    assert_eq!((spec.subject.threads, spec.subject.timeout_ms), (2, 9000));
    let origin = |key: &str| spec.settled.iter().find(|s| s.key == key).unwrap().origin.clone();
    assert_eq!(origin("run.seed"), "Cargo.toml:5");
    assert_eq!(origin("run.threads"), "ws.toml:4");
}

const LADDER: &str = r#"
[data]
synthetic = { inputs = [4], classes = 2 }
[loss]
kind = "cross_entropy"
[optimizer]
kind = "sgd"
lr = 0.1
[property.finite]
[property.initial_loss]
[[ladder]]
name = "linear"
title = "no hidden layer"
model = { layers = [{ linear = { out = 2 } }] }
[[ladder]]
name = "two"
model = { layers = [{ linear = { out = 8 } }, "relu", { linear = { out = 2 } }] }
[ladder.data]
batch = 7
"#;

#[test]
fn a_ladder_is_a_spec_a_rung_with_every_property_on_each() {
    let (_folder, suite) = suite_of(&[("specs/a.toml", LADDER)]);
    let suite = suite.unwrap();
    assert_eq!(
        names(&suite),
        ["a::linear::finite", "a::linear::initial_loss", "a::two::finite", "a::two::initial_loss"]
    );
    assert_eq!(suite.specs.iter().map(|s| s.subject.data.batch).collect::<Vec<_>>(), [64, 7]);
    assert_eq!(suite.specs[0].rung.as_ref().unwrap().title.as_deref(), Some("no hidden layer"));
}

const WITH: &str = r#"
[model]
layers = [{ linear = { out = 8 } }, { dropout = { p = 0.5 } }, { linear = { out = 2 } }]
[data]
synthetic = { inputs = [4], classes = 2 }
[loss]
kind = "cross_entropy"
[optimizer]
kind = "sgd"
lr = 0.1
[property.finite]
[property.a]
check = "overfit"
with = { lr = 0.5, dropout = 0.0, steps = 77 }
[property.b]
check = "learns"
with = { dropout = 0.0, lr = 0.5 }
[property.c]
check = "finite"
with = { lr = 0.1 }
[property.d]
check = "update_ratio"
layers = "0"
with = { batch = 3 }
"#;

#[test]
fn properties_with_changes_share_the_subjects_that_are_equal() {
    let (_folder, suite) = suite_of(&[("specs/a.toml", WITH)]);
    let suite = suite.unwrap();
    let spec = &suite.specs[0];
    // A change to what is so already is none.
    assert_eq!(spec.properties.iter().map(|p| p.variant).collect::<Vec<_>>(), [0, 1, 1, 0, 2]);
    assert_eq!((spec.subject(0).data.batch, spec.subject(2).data.batch), (64, 3));
    assert!(format!("{:?}", spec.properties[1].check).contains("77"), "{:?}", spec.properties[1].check);
}

macro_rules! snapshots {
    ($($name:ident: $said:expr;)*) => {
        $(#[test]
        fn $name() {
            insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "extends" }, {
                insta::assert_snapshot!(stringify!($name), $said);
            });
        })*
    };
}

snapshots! {
    an_error_is_shown_in_the_file_that_wrote_the_value: said(&[
        ("base/base.toml", &BASE.replace("lr = 0.1", "lrr = 0.1\nbetas = 3")),
        ("specs/a.toml", &CHILD.replace("slow = true", "slow = 1")),
        ("specs/b.toml", CHILD),
    ]);
    a_contradiction_between_two_files_shows_both: said(&[
        ("base/base.toml", &BASE.replace("[loss]", "classes = 10\n[loss]")),
        ("specs/a.toml", &CHILD.replace("[optimizer]", "[loss]\nkind = \"mse\"\n[optimizer]")),
    ]);
    a_circle_is_shown_link_by_link: said(&[
        ("specs/a.toml", "extends = [\"../base/b.toml\"]"),
        ("base/b.toml", "# b\nextends = [\"c.toml\"]"),
        ("base/c.toml", "extends = [\"../specs/a.toml\"]"),
    ]);
    what_cannot_be_extended_is_said: said(&[
        ("specs/a.toml", &CHILD.replace(
            "[\"../base/base.toml\"]",
            "[\"nncheck:clasification\", \"nowhere.toml\", 3, \"binary\", \"nncheck:classification\", \"../d.toml\"]",
        ).replace("[model]", "[data]\ncsv = \"d.csv\"\ntarget = \"y\"\n[model]")),
        ("d.toml", "lr = \n"),
    ]);
    wrong_defaults_are_shown_in_the_manifest: said(&[
        ("Cargo.toml", "[package]\nname = \"p\"\n[package.metadata.nncheck]\nrun = { seed = \"x\", sed = 5 }"),
        ("base/base.toml", BASE),
        ("specs/a.toml", CHILD),
        ("specs/b.toml", CHILD),
    ]);
    wrong_rungs_are_said: said(&[("specs/a.toml", &format!(
        "{LADDER}[[ladder]]\nname = \"two\"\n[[ladder]]\ntitle = \"no name\"\n[[ladder]]\nname = \"a b\"\nmodle = 3\nmodel = {{ layer = [] }}\n"
    ))]);
    changes_that_would_change_nothing_are_said: said(&[("specs/a.toml", &WITH
        .replace("{ dropout = { p = 0.5 } }, ", "")
        .replace("[property.finite]", "[property.initial_loss]\nlayers = \"*\"\nwith = { lr = 1.0, steps = 3 }")
        .replace("batch = 3", "batch = 0, lr = -1.0, l2 = nan, momentum = 0.9"))]);
    a_ladder_that_is_none_is_said: said(&[("specs/a.toml", "model = { layers = [\"relu\"] }\nladder = { name = \"a\" }")]);
    a_table_with_a_slip_in_its_name_is_read_all_the_same: said(&[("specs/a.toml", &LADDER.replacen("[data]", "[dat]", 1).replace("inputs", "input").replace("[ladder.data]\nbatch = 7\n", ""))]);
}

#[test]
fn what_metadata_cannot_hold_is_refused_once() {
    let manifest = "[package]\nname = \"p\"\n[package.metadata.nncheck]\nspec = [\"specs\"]\nseeds = 3\n";
    let child = CHILD.replace("../base/base.toml", "base.toml");
    let told = said(&[
        ("Cargo.toml", manifest),
        ("specs/base.toml", BASE),
        ("specs/a.toml", &child),
        ("specs/b.toml", &child),
    ]);
    for words in [
        "unknown key `spec` in [package.metadata.nncheck]",
        "did you mean `specs`?",
        "Cargo.toml:4",
        "unknown key `seeds`",
    ] {
        assert_eq!(told.matches(words).count(), 1, "{words}\n{told}");
    }
    let told = said(&[
        ("ws.toml", "[workspace.metadata.nncheck]\nspecs = [3]"),
        ("Cargo.toml", "[package.metadata]\nnncheck = \"specs\""),
        ("base/base.toml", BASE),
        ("specs/a.toml", CHILD),
    ]);
    assert!(told.contains("wrong value of `specs` in [workspace.metadata.nncheck]"), "{told}");
    assert!(told.contains("wrong type of [package.metadata.nncheck]"), "{told}");
}

/// A sound spec of two terms, with a property in it.
fn two_terms(property: &str) -> Vec<(&'static str, String)> {
    let spec = format!(
        "[model]\nlayers = [{{ linear = {{ out = 3 }} }}]\n[data]\ncsv = \"a.csv\"\ntarget = \"y\"\n\
         [[loss]]\nkind = \"cross_entropy\"\n[[loss]]\nname = \"smooth\"\nkind = \"nll\"\n\
         [optimizer]\nkind = \"sgd\"\nlr = 0.1\n{property}"
    );
    vec![("specs/a.toml", spec)]
}

#[test]
fn a_property_of_a_term_or_of_a_share_is_for_checks_of_losses() {
    let told = |property: &str| {
        let files = two_terms(property);
        said(&files.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>())
    };
    assert_eq!(told("[property.learns]\nterm = \"cross_entropy\""), "nothing");
    assert_eq!(told("[property.initial_loss]\nterm = \"smooth\"\nsplit = \"validation\""), "nothing");
    for (property, words) in [
        ("[property.learns]\nterm = \"smoth\"", "the loss has no term `smoth`"),
        ("[property.learns]\nterm = \"smoth\"", "did you mean `smooth`?"),
        ("[property.overfit]\nterm = \"smooth\"", "the check `overfit` takes no `term`"),
        ("[property.learns]\nsplit = \"validation\"", "it is about training, and judges the training share"),
        ("[property.initial_loss]\nsplit = \"test\"", "`validation`"),
        (
            "[property.initial_loss]\nsplit = \"validation\"\n[[ladder]]\nname = \"x\"\ndata = { split = 1.0 }",
            "there is no validation share",
        ),
    ] {
        let told = told(property);
        assert!(told.contains(words), "{property}\n{told}");
    }
}

#[test]
fn dropout_is_set_wherever_a_layer_has_some() {
    let told = |layers: &str| {
        let spec = format!(
            "[model]\nlayers = [{layers}, \"last_step\", {{ linear = {{ out = 2 }} }}]\n\
             [data]\nsynthetic = {{ inputs = [5, 4], classes = 2 }}\n[loss]\nkind = \"cross_entropy\"\n\
             [optimizer]\nkind = \"sgd\"\nlr = 0.1\n[property.overfit]\nwith = {{ dropout = 0.25 }}"
        );
        suite_of(&[("specs/a.toml", &spec)]).1.map(|suite| format!("{:?}", suite.specs[0].variants[0].model))
    };
    for layers in [
        "{ residual = { layers = [{ dropout = { p = 0.5 } }] } }",
        "{ residual = { layers = [{ residual = { layers = [{ dropout = { p = 0.5 } }] } }] } }",
        "{ lstm = { hidden = 4, num_layers = 2 } }",
        "{ transformer_encoder_layer = { heads = 2 } }",
    ] {
        assert!(told(layers).is_ok_and(|model| model.contains("0.25")), "{layers}: {:?}", told(layers));
    }
    assert!(told("{ gru = { hidden = 4 } }").is_err_and(|why| why.contains("the model has no dropout layer")));
}

#[test]
fn pipes_and_devices_are_not_waited_for() {
    let text = format!("extends = [\"/dev/zero\", \".\"]\n{BASE}");
    let said = said(&[("specs/a.toml", &text)]);
    assert!(said.contains("cannot read `/dev/zero`: it is a pipe or a device, not a file"), "{said}");
    assert!(said.contains("cannot read `.`: it is a folder, not a file"), "{said}");
}

#[test]
fn a_budget_of_steps_that_is_none_is_told_once() {
    for wrong in ["0", "true", "-1", "1.5"] {
        let text = format!("{CHILD}\n[property.memorises]\ncheck = \"overfit\"\nwith = {{ steps = {wrong} }}\n");
        let said = said(&[("base/base.toml", BASE), ("specs/a.toml", &text)]);
        assert_eq!(said.matches("error[").count(), 1, "{said}");
    }
}
