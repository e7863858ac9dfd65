//! The schema for editors agrees with the reader.

use nncheck_core::suite::schema::json_schema;
use nncheck_core::suite::{Overrides, from_texts};
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
