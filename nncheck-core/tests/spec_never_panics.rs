//! Whatever stands in a file, it becomes a spec or errors that can be shown.

use nncheck_core::diagnostic::{Style, render_all};
use nncheck_core::spec::expression::Expression;
use nncheck_core::spec::tolerance::Tolerance;
use nncheck_core::suite::{Overrides, from_texts};
use proptest::prelude::*;

const SPEC: &str = r#"version = 1
[model]
layers = [
    { conv2d = { in = 1, out = 4, kernel = [3, 3], padding = 1 }, name = "conv" },
    "batch_norm2d", "relu", { max_pool2d = { kernel = 2 } }, "flatten", { dropout = { p = 0.25 } },
    { linear = { out = 10 }, name = "head" },
]
weights = { file = "a.safetensors", ignore = ["x"] }
[data]
synthetic = { inputs = [1, 8, 8], classes = 10, examples = 100 }
shape = [1, 8, 8]
split = { at = 0.8, order = "file" }
[loss]
kind = "cross_entropy"
[optimizer]
kind = "sgd"
lr = 0.1
clip = { norm = 1.0 }
[run]
seeds = 5
timeout = "60s"
memory = "4GiB"
[property.initial_loss]
expect = "ln(k)"
within = "10%"
allow = ["param:a*", "cause:loss_sum"]
[property.slow-one]
check = "overfit"
points = 2
slow = true
"#;

fn shown(text: &str) {
    if let Err(errors) = from_texts(&[("a", text)], &Overrides::default()) {
        assert!(!errors.is_empty());
        assert!(!render_all(&errors, Style::Coloured).is_empty());
    }
}

#[test]
fn the_spec_that_is_spoilt_here_is_right() {
    assert!(from_texts(&[("a", SPEC)], &Overrides::default()).is_ok());
}

#[test]
fn every_beginning_of_a_spec_is_a_spec_or_an_error() {
    for end in 0..=SPEC.len() {
        shown(&SPEC[..end]);
    }
}

#[test]
fn any_key_may_hold_a_value_of_any_type() {
    let values = [
        "1",
        "-1",
        "1.5",
        "nan",
        "\"\"",
        "\"a\"",
        "true",
        "[]",
        "[1]",
        "[[1]]",
        "[{}]",
        "{}",
        "{ a = 1 }",
        "1979-05-27",
        "18446744073709551616",
    ];
    for (index, line) in SPEC.lines().enumerate() {
        let Some((key, _)) = line.split_once(" = ") else { continue };
        for value in values {
            let text: Vec<String> = SPEC
                .lines()
                .enumerate()
                .map(|(i, l)| if i == index { format!("{key} = {value}") } else { l.to_owned() })
                .collect();
            shown(&text.join("\n"));
        }
    }
}

#[test]
fn deep_nesting_is_no_stack_overflow() {
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        shown(&format!("a = {}1{}", open.repeat(50_000), close.repeat(50_000)));
    }
    shown(&format!("{}a = 1", "a.".repeat(50_000)));
    shown(&format!("[{}a]", "a.".repeat(50_000)));
}

proptest! {
    #[test]
    fn any_text_is_read(text in "(?s).{0,200}") {
        shown(&text);
    }

    #[test]
    fn any_toml_like_text_is_read(text in "(?s)[\\[\\]{}=\"'.,a-e0-9 \n#_-]{0,120}") {
        shown(&text);
    }

    #[test]
    fn a_spoilt_spec_is_read(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..12, "(?s)[\\[\\]{}=\"'.,a-e0-9 \n\u{e4}-]{0,6}"), 1..5)
    ) {
        let mut text: Vec<char> = SPEC.chars().collect();
        for (at, remove, insert) in edits {
            let at = at.index(text.len());
            let end = (at + remove).min(text.len());
            text.splice(at..end, insert.chars());
        }
        shown(&text.into_iter().collect::<String>());
    }

    #[test]
    fn lines_in_another_order_are_read(order in Just(SPEC.lines().collect::<Vec<_>>()).prop_shuffle()) {
        shown(&order.join("\n"));
    }

    #[test]
    fn any_expression_and_tolerance_is_read(text in "(?s)[-+*/^(),. a-z0-9%x\u{e4}]{0,60}") {
        if let Err(error) = Expression::parse(&text) {
            prop_assert!(text.get(error.range).is_some());
        }
        let _ = Tolerance::parse(&text);
    }
}
