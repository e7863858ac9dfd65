//! The reference page of the layers, from the types that read them.

use std::fmt::Write;

use schemars::SchemaGenerator;
use serde_json::Value;

use super::LayerKind;

/// The page `docs/layers.md`.
#[must_use]
pub fn reference_page() -> String {
    let mut page = "# Layers\n\n\
        PyTorch's layers for `[model] layers`, with its arguments, defaults and initialisers. This page is generated: \
        `cargo run -p nncheck-core --example layers_page > docs/layers.md`.\n\n\
        A layer is a bare name, or a table of one kind with its arguments, perhaps a `name` and an `init`. What the shape of \
        the data decides may be left out. Recurrent and attention layers take `[N, T, F]`.\n"
        .to_owned();
    for (name, schema) in LayerKind::schemas(&mut SchemaGenerator::default()) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
        let _infallible = write!(page, "\n## `{name}`\n\n{}\n", text(schema.get("description")));
        let Some(arguments) = schema.get("properties").and_then(Value::as_object).filter(|a| !a.is_empty()) else {
            continue;
        };
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        page.push_str("\n| argument | also | default | |\n| --- | --- | --- | --- |\n");
        for (argument, about) in arguments {
            let also: Vec<String> = about
                .get("x-aliases")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(|alias| format!("`{alias}`"))
                .collect();
            let default = match about.get("default") {
                _ if required.contains(&argument.as_str()) => "required".to_owned(),
                None | Some(Value::Null) => "left out".to_owned(),
                Some(default) => format!("`{default}`"),
            };
            let meaning = text(about.get("description")).replace('|', "\\|");
            let _infallible = writeln!(page, "| `{argument}` | {} | {default} | {meaning} |", also.join(", "));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_docs_is_the_one_that_is_made() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/layers.md");
        assert!(
            std::fs::read_to_string(file).unwrap_or_default() == reference_page(),
            "docs/layers.md is out of date: cargo run -p nncheck-core --example layers_page > docs/layers.md"
        );
    }

    #[test]
    fn every_layer_and_argument_is_explained() {
        let page = reference_page();
        for name in LayerKind::NAMES {
            assert!(page.contains(&format!("\n## `{name}`\n\n")), "{name}");
        }
        let unexplained: Vec<&str> = page.lines().filter(|line| line.ends_with("|  |") && line.contains('`')).collect();
        assert!(unexplained.is_empty(), "{unexplained:?}");
    }
}
