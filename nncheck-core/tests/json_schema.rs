//! The schema for editors agrees with the reader.

use std::path::{Path, PathBuf};

use nncheck_core::suite::schema::json_schema;
use nncheck_core::suite::{Overrides, Sources, from_texts, load};
use serde_json::Value;

const SPEC: &str = r#"version = 1
[model]
layers = [
    { conv2d = { in_channels = 1, out_channels = 4, kernel = [3, 3], padding = 1 }, name = "conv" },
    "batch_norm2d", "relu", { max_pool2d = { kernel_size = 2 } }, "flatten", { dropout = { p = 0.25 } },
    { linear = { out = 10 }, name = "head" },
]
weights = { file = "a.safetensors", ignore = ["x"] }
frozen = ["conv.*"]
[data]
csv = "a.csv"
target = "label"
inputs = ["p*"]
shape = [1, 8, 8]
normalize = "standard"
split = { at = 0.8, order = "file" }
classes = 10
[loss]
kind = "cross_entropy"
l2 = 0.1
[optimizer]
kind = "sgd"
lr = 0.1
momentum = 0.9
clip = { norm = 1.0 }
[run]
seeds = 5
timeout = "60s"
memory = "4GiB"
device = "cuda:1"
[property.initial_loss]
expect = "ln(k)"
within = 0.1
level = "warn"
[property.mine]
check = "overfit"
points = 2
[property.finite]
check = "learns"
"#;

fn json(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

fn valid(text: &str) -> bool {
    jsonschema::validator_for(&json_schema()).unwrap().is_valid(&json(text))
}

#[test]
fn the_schema_is_one() {
    let schema = json_schema();
    jsonschema::draft7::meta::validate(&schema).unwrap();
    let text = schema.to_string();
    assert!(!text.contains("x-aliases"));
    assert!(text.contains("Share of the training rows"), "descriptions come from the doc comments");
}

#[test]
fn what_the_reader_takes_the_schema_takes() {
    assert!(from_texts(&[("a", SPEC)], &Overrides::default()).is_ok());
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&json(SPEC)).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn what_the_reader_refuses_the_schema_refuses() {
    for (from, to) in [
        ("lr = 0.1", "lrr = 0.1"),
        ("lr = 0.1", "lr = \"fast\""),
        ("lr = 0.1", "lr = 0.1\nbetas = [0.9, 0.99]"),
        ("kind = \"sgd\"", "kind = \"adamax\""),
        ("kind = \"cross_entropy\"", "kind = \"cross\""),
        ("\"relu\"", "\"rellu\""),
        ("\"relu\"", "\"linear\""),
        ("out = 10", "out = 10, inn = 3"),
        ("out_channels = 4, ", ""),
        ("points = 2", "point = 2"),
        ("level = \"warn\"", "level = \"off\""),
        ("[property.mine]", "[property.\"a b\"]"),
        ("check = \"overfit\"", "check = \"overfitt\""),
        ("check = \"learns\"", "max = 3"),
        ("csv = ", "cvs = "),
        ("clip = { norm = 1.0 }", "clip = { max = 1.0 }"),
        ("order = \"file\"", "order = \"files\""),
        ("version = 1", "version = 2"),
        ("[run]", "[runs]"),
    ] {
        let text = SPEC.replacen(from, to, 1);
        assert!(from_texts(&[("a", &text)], &Overrides::default()).is_err(), "the reader takes {to}");
        assert!(!valid(&text), "the schema takes {to}");
    }
}

/// Whatever is a spec of this repository is valid; so are the built-in ones, which are parts of specs.
#[test]
fn every_spec_of_the_repository_is_valid() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut specs = Vec::new();
    toml_files(&root.join("specs"), &mut specs);
    toml_files(&root.join("tests/projects"), &mut specs);
    toml_files(&root.join("examples"), &mut specs);
    let of_specs = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "specs");
    specs.retain(of_specs);
    assert!(specs.len() > 15, "{specs:?}");
    for path in specs {
        let text = std::fs::read_to_string(&path).unwrap();
        let read = load(&Sources::one(&path, "spec"), &Overrides::default());
        if read.is_err_and(|errors| errors.iter().any(|error| error.code == "not-yet-supported")) {
            continue;
        }
        let errors: Vec<String> =
            validator.iter_errors(&json(&text)).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
}

fn toml_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            toml_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
}

#[test]
fn what_others_complete_need_not_be_whole() {
    for text in [
        // A base, whose model is another file's.
        "[data]\nbatch = 32\n[optimizer]\nlr = 0.1\nschedule = { warmup = 3 }",
        // What is inherited needs no saying: tables, kinds, checks, and what a check must be told.
        "extends = \"../base.toml\"\n[model]\nbuilder = \"a::b\"\n[optimizer]\nlr = 0.1\nmomentum = 0.9",
        "extends = [\"nncheck:classification\"]\n[model]\nlayers = [\"relu\"]\n[property.mine]\npoints = 4",
        "extends = [\"../base.toml\"]\n[property.value]\nmax = 3.0",
        // A ladder's rungs bring what the spec leaves out.
        "[data]\ncsv = \"a.csv\"\n[optimizer]\nlr = 0.1\n[property.finite]\n[[ladder]]\nname = \"a\"\n\
         model = { builder = \"a::b\" }\nloss = { kind = \"mse\" }\noptimizer = { kind = \"sgd\" }",
        "[model]\nbuilder = \"a::b\"\n[property.finite]\n[[ladder]]\nname = \"a\"\ndata = { csv = \"a.csv\" }",
        // A whole program of the user's own has its own data and losses.
        "[model]\nsubject = \"a::Gan\"\n[property.finite]",
        "[model]\nbuilder = \"a::b\"\n[data]\ncsv = \"a\"\n[[loss]]\nkind = \"mse\"\n[[loss]]\nfunction = \"a::kl\"\n\
         weight = 0.1\n[[optimizer]]\nkind = \"sgd\"\nlr = 0.1\nparams = \"head.*\"\n[property.finite]",
    ] {
        let validator = jsonschema::validator_for(&json_schema()).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&json(text)).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{text}\n{errors:#?}");
    }
}

#[test]
fn what_nobody_completes_must_be_whole() {
    let model = "[model]\nbuilder = \"a::b\"\n";
    let data = "[data]\ncsv = \"a.csv\"\n";
    let rest = "[loss]\nkind = \"mse\"\n[property.finite]\n";
    assert!(valid(&format!("{model}{data}{rest}")));
    for (text, why) in [
        (format!("{model}{rest}"), "there is no data"),
        (format!("{model}{data}[loss]\nkind = \"mse\""), "there are no properties"),
        (format!("{model}{data}[property.finite]"), "there is no loss"),
        (format!("{model}{data}{rest}[optimizer]\nlr = 0.1"), "the optimizer has no kind"),
        (format!("{model}{data}{rest}[property.mine]\nslow = true"), "it is of no check"),
        (format!("extends = [\"nncheck:clasification\"]\n{model}"), "there is no such built-in spec"),
        (format!("extends = [\"a.toml\"]\n{model}[optimizer]\nlrr = 0.1"), "there is no such key"),
        (format!("extends = [\"a.toml\"]\n{model}[property.finite]\nstep = 3"), "the check has no such key"),
        (format!("{model}{data}{rest}[[ladder]]\ntitle = \"x\""), "the rung has no name"),
        (format!("{model}{data}{rest}[[ladder]]\nname = \"x\"\nproperty = {{}}"), "a rung has no properties"),
    ] {
        assert!(!valid(&text), "{why}, and the schema takes it:\n{text}");
    }
}
