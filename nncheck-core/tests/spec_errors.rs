//! What is said of specs that are wrong: everything at once, each with its place and what to do.

use std::fs;

use nncheck_core::diagnostic::{Style, render_all};
use nncheck_core::suite::{Overrides, Sources, from_texts, load};

/// A spec that is right, to be spoilt.
const SPEC: &str = r#"version = 1

[model]
layers = [
    { linear = { in = 64, out = 32 }, name = "hidden" },
    "relu",
    { linear = { out = 10 }, name = "head" },
]

[data]
csv = "digits.csv"
target = "label"
shape = [64]

[loss]
kind = "cross_entropy"

[optimizer]
kind = "sgd"
lr = 0.1

[property.initial_loss]
"#;

/// Everything that is said of a text.
fn said(text: &str) -> String {
    match from_texts(&[("digits", text)], &Overrides::default()) {
        Ok(_) => "nothing".to_owned(),
        Err(errors) => render_all(&errors, Style::Plain),
    }
}

/// The right spec with one piece of text in place of another.
#[track_caller]
fn spoilt(changes: &[(&str, &str)]) -> String {
    let mut text = SPEC.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    said(&text)
}

macro_rules! snapshots {
    ($($name:ident: $said:expr;)*) => {
        $(#[test]
        fn $name() {
            insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "spec_errors" }, {
                insta::assert_snapshot!(stringify!($name), $said);
            });
        })*
    };
}

snapshots! {
    unknown_keys_are_refused_with_a_suggestion: spoilt(&[
        ("shape = [64]", "shap = [64]\nbatchsize = 3"),
        ("lr = 0.1", "lr = 0.1\nmomentm = 0.9"),
        ("[property.initial_loss]", "[property.initial_loss]\nrow = 3\nmni = 2.0"),
        ("[loss]", "[losses]\n[loss]"),
        ("in = 64", "inn = 64"),
    ]);
    every_wrong_type_is_said_at_once: spoilt(&[
        ("shape = [64]", "shape = \"64\"\nbatch = -1\nshuffle = \"yes\"\nscale = \"x\"\ntake = 1.5\nsplit = []\nnormalize = 3"),
        ("lr = 0.1", "lr = \"fast\"\nnesterov = 1"),
        ("in = 64", "in = [64]"),
        ("[property.initial_loss]", "[property.initial_loss]\nrows = \"many\"\nslow = 1\nlevel = \"warning\"\nseeds = 0\nexpect = true"),
    ]);
    values_out_of_range_are_said_at_once: spoilt(&[
        ("shape = [64]", "shape = []\n"),
        ("lr = 0.1", "lr = -1\nmomentum = 1.0\nclip = { norm = 0.0 }"),
        ("[loss]\n", "[loss]\nl2 = -0.5\n"),
        ("[optimizer]", "[run]\nseeds = 9\nmax_seeds = 5\nconfidence = 1.0\ndevice = \"gpu\"\ntimeout = \"60\"\nmemory = \"4 gigs\"\nthreads = 0\n[optimizer]"),
    ]);
    nan_and_infinity_are_no_settings: spoilt(&[
        ("shape = [64]", "shape = [64]\nscale = inf\nsplit = nan"),
        ("lr = 0.1", "lr = nan"),
        ("[property.initial_loss]", "[property.initial_loss]\nexpect = inf\nwithin = nan"),
    ]);
    unknown_layers_are_refused_with_a_suggestion: spoilt(&[("\"relu\"", "\"rellu\", { batch_norm = {} }, \"lstm\", 3, { linear = 3 }, { }")]);
    layers_that_lack_arguments_are_said: spoilt(&[("\"relu\"", "\"linear\", { conv2d = { out = 3 } }, { dropout = { p = 2.0 } }, { linear = { out = 0 } }, { relu = {}, tanh = {} }, { gelu = { approximate = \"fast\" } }")]);
    a_layer_that_does_not_fit_is_said: spoilt(&[("shape = [64]", "shape = [1, 8, 8]")]);
    a_layer_that_does_not_fit_the_one_before_is_said: spoilt(&[("{ linear = { out = 10 }, name", "{ linear = { in = 33, out = 10 }, name")]);
    two_layers_of_one_name_are_said: spoilt(&[("name = \"head\"", "name = \"hidden\"")]);
    two_sources_exclude_each_other: spoilt(&[
        ("[model]\n", "[model]\nbuilder = \"digits::mlp\"\n"),
        ("csv = ", "synthetic = { inputs = [64], classes = 10 }\ncsv = "),
    ]);
    a_source_is_needed: spoilt(&[("csv = \"digits.csv\"\n", ""), ("target = \"label\"\n", "")]);
    a_target_is_needed: spoilt(&[("target = \"label\"\n", "")]);
    unknown_checks_are_refused_with_a_suggestion: spoilt(&[
        ("[property.initial_loss]", "[property.inital_loss]\n[property.mine]\ncheck = \"overfitt\""),
    ]);
    checks_of_later_versions_are_told_from_unknown_ones: spoilt(&[
        ("[property.initial_loss]", "[property.gradient_check]\n[property.initial_loss]\nwith = { lr = 1.0 }"),
        ("[model]", "extends = [\"nncheck:classification\"]\n[model]"),
        ("[data]", "[train]\nstep = \"a::b\"\n[[ladder]]\nname = \"a\"\n[data]\nnpz = \"a.npz\""),
        ("\"relu\"", "{ relu = {}, init = \"zeros\" }"),
    ]);
    several_losses_are_told_apart: spoilt(&[("[loss]\nkind = \"cross_entropy\"", "[[loss]]\nkind = \"mse\"\nl2 = 0.1\n[[loss]]\nkind = \"mse\"\nl2 = 0.2")]);
    options_of_another_loss_are_said: spoilt(&[("kind = \"cross_entropy\"", "kind = \"bce\"\nclass_weights = [1, 2]\nlabel_smoothing = 0.1\ndelta = 2\nreduction = \"none\"")]);
    options_of_a_loss_out_of_range_are_said: spoilt(&[("kind = \"cross_entropy\"", "kind = \"cross_entropy\"\nclass_weights = [0, -1]\nlabel_smoothing = \"10 %\"\nl2 = -1.0\nweight = \"2\"\nname = \"a b\"\nfunction = \"a:b\"")]);
    class_weights_are_as_many_as_classes: spoilt(&[("shape = [64]", "shape = [64]\nclasses = 10"), ("kind = \"cross_entropy\"", "kind = \"cross_entropy\"\nclass_weights = [1, 2]")]);
    a_loss_needs_a_kind_or_a_function: spoilt(&[("kind = \"cross_entropy\"", "weight = 2.0")]);
    a_bare_bound_of_clipping_is_explained: spoilt(&[("lr = 0.1", "lr = \"1e-3\"\nclip = 1.0")]);
    schedules_say_what_is_wrong: spoilt(&[("[optimizer]\nkind = \"sgd\"\nlr = 0.1", "[[optimizer]]\nkind = \"sgd\"\nlr = 0.1\nparams = \"a\"\nschedule = { kind = \"cosin\" }\n[[optimizer]]\nkind = \"sgd\"\nlr = 0.1\nparams = \"b\"\nschedule = \"cosine\"\n[[optimizer]]\nkind = \"sgd\"\nlr = 0.1\nparams = \"c\"\nschedule = { kind = \"cosine\", gamma = 0.1 }\n[[optimizer]]\nkind = \"sgd\"\nlr = 0.1\nparams = \"d\"\nschedule = { kind = \"one_cycle\", steps = 0, warmup = 3, pct_start = \"30%\" }")]);
    a_cycle_is_not_warmed_up_twice: spoilt(&[("lr = 0.1", "lr = 0.1\nschedule = { kind = \"one_cycle\", total_steps = 10, warmup = 3 }")]);
    parameter_groups_are_told_apart: spoilt(&[("[optimizer]\nkind = \"sgd\"\nlr = 0.1", "[[optimizer]]\nkind = \"sgd\"\nlr = 0.1\nname = \"a\"\n[[optimizer]]\nkind = \"adam\"\nlr = 0.1\nname = \"a\"")]);
    one_group_takes_the_rest: spoilt(&[("[optimizer]\nkind = \"sgd\"\nlr = 0.1", "[[optimizer]]\nkind = \"sgd\"\nlr = 0.1\n[[optimizer]]\nkind = \"adam\"\nlr = 0.1")]);
    a_function_makes_the_whole_optimizer: spoilt(&[("kind = \"sgd\"\nlr = 0.1", "function = \"a::b\"\nlr = 0.1")]);
    batches_to_a_step_are_counted: spoilt(&[("[optimizer]", "[train]\naccumulate = 0\nstep = \"a:b\"\n[optimizer]")]);
    bad_expressions_are_pointed_into: spoilt(&[
        ("[property.initial_loss]", "[property.initial_loss]\nexpect = \"ln(q) + 1\"\nmin = \"log(k)\"\nmax = '2 +'"),
    ]);
    bad_tolerances_are_explained: spoilt(&[
        ("[property.initial_loss]", "[property.initial_loss]\nexpect = -2.0\nwithin = \"10\"\n[property.update_ratio]\nwithin = \"x0.5\"\n[property.a]\ncheck = \"initial_loss\"\nwithin = -1.0\n[property.b]\ncheck = \"initial_loss\"\nexpect = -1\nwithin = \"x2\""),
    ]);
    a_band_upside_down_is_said: spoilt(&[("[property.initial_loss]", "[property.initial_loss]\nmin = 3.0\nmax = 2.0")]);
    a_band_for_a_check_without_one_is_said: spoilt(&[("[property.initial_loss]", "[property.finite]\nmax = 2.0")]);
    unknown_allowances_are_said: spoilt(&[
        ("[property.initial_loss]", "[property.initial_loss]\nallow = [\"cause:loss_som\", \"lyer:a\", \"pos_*\", \"param:[\", \"\"]\noff = \" \""),
    ]);
    an_empty_spec_is_said: said("");
    a_spec_of_comments_is_empty: said("# to be written\n");
    a_spec_without_properties_is_said: spoilt(&[("[property.initial_loss]\n", "")]);
    missing_tables_are_said: said("[property.initial_loss]\n");
    training_needs_an_optimizer: spoilt(&[
        ("[optimizer]\nkind = \"sgd\"\nlr = 0.1\n", ""),
        ("[property.initial_loss]", "[property.initial_loss]\n[property.overfit]\n[property.update_ratio]"),
    ]);
    several_syntax_errors_are_said_at_once: spoilt(&[
        ("csv = \"digits.csv\"", "csv = \"digits.csv"),
        ("kind = \"cross_entropy\"", "kind = "),
        ("lr = 0.1", "lr 0.1"),
    ]);
    duplicate_properties_are_said: spoilt(&[("[property.initial_loss]", "[property.initial_loss]\n[property.finite]\n[property.initial_loss]\nrows = 3\nrows = 4")]);
    bad_names_are_said: spoilt(&[("[property.initial_loss]", "[property.\"a b\"]\ncheck = \"finite\""), ("name = \"head\"", "name = \"he.ad\"")]);
    nesterov_needs_momentum: spoilt(&[("lr = 0.1", "lr = 0.1\nnesterov = true")]);
    settings_of_another_optimizer_are_said: spoilt(&[("lr = 0.1", "lr = 0.1\nbetas = [0.9, 0.99]\nalpha = 0.9")]);
    an_unknown_optimizer_is_said: spoilt(&[("kind = \"sgd\"\nlr = 0.1", "kind = \"adamax\"\nlr = 0.1\nfoo = 3")]);
    an_optimizer_without_kind_is_said: spoilt(&[("kind = \"sgd\"\n", "")]);
    clipping_is_by_norm_or_value: spoilt(&[("lr = 0.1", "lr = 0.1\nclip = { norm = 1.0, value = 2.0 }")]);
    clipping_by_something_else_is_said: spoilt(&[("lr = 0.1", "lr = 0.1\nclip = { max = 1.0 }")]);
    nested_tables_say_all_that_is_wrong: spoilt(&[
        ("csv = \"digits.csv\"\ntarget = \"label\"", "synthetic = { inputs = \"64\", class = 10, examples = -1 }"),
        ("shape = [64]", "split = { at = 2.0, ordr = \"file\" }"),
    ]);
    made_up_data_has_classes_or_targets: spoilt(&[("csv = \"digits.csv\"\ntarget = \"label\"", "synthetic = { inputs = [64], classes = 2, targets = 1 }")]);
    data_and_loss_contradict_each_other: spoilt(&[
        ("kind = \"cross_entropy\"", "kind = \"mse\""),
        ("shape = [64]", "shape = [64]\nclasses = 10"),
    ]);
    made_up_data_has_the_size_of_the_shape: spoilt(&[
        ("csv = \"digits.csv\"\ntarget = \"label\"", "synthetic = { inputs = [65], classes = 10 }"),
    ]);
    targets_of_classes_are_not_normalised: spoilt(&[("shape = [64]", "shape = [64]\nnormalize_target = \"standard\"")]);
    a_builder_is_a_rust_path: spoilt(&[
        ("layers = [\n    { linear = { in = 64, out = 32 }, name = \"hidden\" },\n    \"relu\",\n    { linear = { out = 10 }, name = \"head\" },\n]", "builder = \"digits.mlp\"\nhyper = { a = nan }\nfrozen = [\"[\"]"),
    ]);
    weights_say_what_is_wrong: spoilt(&[("[data]", "weights = { fil = \"a.ot\" }\nhyper = { a = 1 }\n[data]")]);
    another_version_is_refused: spoilt(&[("version = 1", "version = 2")]);
    windows_line_ends_and_a_byte_order_mark_keep_their_places: said(&format!("\u{feff}{}", SPEC.replace("lr = 0.1", "lr = \"x\"").replace('\n', "\r\n")));
    tables_that_are_none_are_said: said("model = 3\ndata = \"a\"\nloss = []\nproperty = 1\nrun = true\noptimizer = [1]\n");
}

#[test]
fn a_right_spec_has_nothing_said_of_it() {
    assert_eq!(said(SPEC), "nothing");
}

#[test]
fn files_that_cannot_be_read_as_specs_are_all_said() {
    let folder = tempfile::tempdir().unwrap();
    let specs = folder.path().join("specs");
    fs::create_dir_all(specs.join("image")).unwrap();
    fs::write(specs.join("a.toml"), SPEC.replace("lr = 0.1", "lr = true")).unwrap();
    fs::write(specs.join("b.toml"), b"version = 1\n# \xff\n").unwrap();
    fs::write(specs.join("c d.toml"), SPEC).unwrap();
    fs::write(specs.join("image.small.toml"), SPEC).unwrap();
    fs::write(specs.join("image/small.toml"), SPEC).unwrap();
    fs::write(specs.join(".#hidden.toml"), "nonsense").unwrap();
    fs::write(specs.join("notes.txt"), "nonsense").unwrap();
    let errors = load(&Sources::one(specs, "specs"), &Overrides::default()).unwrap_err();
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "spec_errors" }, {
        insta::assert_snapshot!("files_that_cannot_be_read", render_all(&errors, Style::Plain));
    });
}

#[test]
fn no_specs_says_how_to_begin() {
    let folder = tempfile::tempdir().unwrap();
    let none = load(&Sources::one(folder.path(), "specs"), &Overrides::default()).unwrap_err();
    assert_eq!(
        render_all(&none, Style::Plain),
        "error[no-specs]: there are no specs in `specs`\n |\n = help: `cargo nncheck init` writes a first one"
    );
    let missing = load(&Sources::one(folder.path().join("specs"), "specs"), &Overrides::default()).unwrap_err();
    assert_eq!(missing[0].code, "no-specs");
}
