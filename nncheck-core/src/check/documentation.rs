//! The documentation of the checks, made from their doc comments: for the terminal and as the reference page.

use std::fmt::Write;

use schemars::SchemaGenerator;
use serde_json::Value;

use super::{CATALOGUE, CatalogueEntry, Info, find};
use crate::judge::Rule;
use crate::spec::property::{Level, Narrow};

/// The sections of a check's documentation, in order.
pub const SECTIONS: [&str; 6] =
    ["What it measures", "Why it matters", "Usual causes", "What to try", "Defaults", "Sources"];

/// The keys that every property has, with what they do.
pub const COMMON_KEYS: [(&str, &str); 8] = [
    ("level", "`deny` (the default of most checks) or `warn`, which is shown and never fails the run"),
    ("slow", "run only with `--include-ignored`"),
    ("seeds", "how many seeds to begin with, instead of `[run] seeds`; one seed decides by its value alone"),
    ("off", "not run, with this reason"),
    ("allow", "`param:GLOB`, `layer:GLOB` or `cause:ID` that may be so here"),
    ("reason", "why it may be so; shown"),
    ("check", "the check, where the property has another name"),
    ("with", "the training program changed for this property alone: `with = { optimizer = { lr = 0.01 } }`"),
];

/// What those keys do that only some checks take.
fn narrowing(narrow: Narrow) -> &'static str {
    match narrow {
        Narrow::Layers => "only these layers or parameters, as globs",
        Narrow::Term => "one term of the loss, by name",
        Narrow::Split => "`validation`: the share that is kept aside",
    }
}

const BAND_KEYS: [(&str, &str); 4] = [
    ("expect", "the value to expect: a number or an expression such as `ln(k)`"),
    ("within", "how far from `expect` it may be: a number, `10%`, or a factor `x10`"),
    ("min", "the least that holds"),
    ("max", "the most that holds"),
];

/// A check's documentation for the terminal; `None` where there is no such check.
#[must_use]
pub fn explain(id: &str) -> Option<String> {
    let document = Document::new(find(id)?);
    let info = document.info;
    let mut out = format!("{id}: {}\n\n", document.summary);
    let _ = writeln!(out, "stage {}, rule {}{}", info.stage.name(), rule(info.rule), document.level());
    for (title, text) in &document.sections {
        let _ = write!(out, "\n{title}\n{}\n", indent(text));
    }
    out.push_str("\nParameters\n");
    for parameter in &document.parameters {
        let _ = writeln!(out, "  {} = {}\n      {}", parameter.name, parameter.default, parameter.text);
    }
    out.push_str("\nKeys of every property\n");
    for (key, text) in keys(&info) {
        let _ = writeln!(out, "  {key:<7} {text}");
    }
    out.push_str("\nCauses, for `allow = [\"cause:ID\"]`\n");
    for cause in info.causes {
        let _ = writeln!(out, "  {}\n      {}; {}", cause.id, cause.what, cause.cure);
    }
    Some(out)
}

/// The reference page of all checks, in Markdown.
#[must_use]
pub fn reference_page() -> String {
    let documents: Vec<Document> = CATALOGUE.iter().map(Document::new).collect();
    let mut out = String::from(
        "# The checks\n\n<!-- Made from the checks' doc comments by `nncheck_core::check::documentation`; do not edit. -->\n\n",
    );
    out.push_str(&table(&documents));
    for document in &documents {
        let info = document.info;
        let _ = write!(out, "\n## `{}`\n\n{}\n\n", info.id, document.summary);
        let _ = writeln!(out, "Stage {}, rule {}{}.", info.stage.name(), rule(info.rule), document.level());
        for (title, text) in &document.sections {
            let _ = write!(out, "\n### {title}\n\n{text}\n");
        }
        out.push_str("\n### Parameters\n\n| key | default | |\n| --- | --- | --- |\n");
        for p in &document.parameters {
            let _ = writeln!(out, "| `{}` | `{}` | {} |", p.name, p.default, p.text);
        }
        if info.takes_band {
            out.push_str("\nIt takes `expect` with `within`, or `min` and `max`.\n");
        }
        out.push_str("\n### Causes it can name\n\n| id | cause | what to try |\n| --- | --- | --- |\n");
        for cause in info.causes {
            let _ = writeln!(out, "| `{}` | {} | {} |", cause.id, cause.what, cause.cure);
        }
    }
    out.push_str("\n## Keys of every property\n\n| key | |\n| --- | --- |\n");
    let of_some = Narrow::ALL.map(|(key, narrow)| (key, narrowing(narrow)));
    for (key, text) in BAND_KEYS.iter().chain(&COMMON_KEYS).chain(&of_some) {
        let _ = writeln!(out, "| `{key}` | {text} |");
    }
    out
}

/// The table of checks alone, in Markdown, for the page and the README.
#[must_use]
pub fn table_of_checks() -> String {
    table(&CATALOGUE.iter().map(Document::new).collect::<Vec<_>>())
}

fn table(documents: &[Document]) -> String {
    let mut out = String::from("| check | stage | holds when |\n| --- | --- | --- |\n");
    for document in documents {
        let _ = writeln!(out, "| `{}` | {} | {} |", document.info.id, document.info.stage.name(), document.summary);
    }
    out
}

/// A check's documentation, taken apart.
struct Document {
    info: Info,
    level: Level,
    summary: String,
    sections: Vec<(String, String)>,
    parameters: Vec<Parameter>,
}

struct Parameter {
    name: String,
    default: String,
    text: String,
}

impl Document {
    /// The default level, where it is not that of most checks.
    fn level(&self) -> &'static str {
        match self.level {
            Level::Deny => "",
            Level::Warn => "; a failure is a warning unless `level = \"deny\"`",
        }
    }

    fn new(entry: &CatalogueEntry) -> Self {
        let schema = (entry.schema)(&mut SchemaGenerator::default()).to_value();
        let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let mut parts = text.split("\n## ");
        let summary = unbroken(parts.next().unwrap_or_default());
        let sections = parts
            .filter_map(|part| part.split_once('\n'))
            .map(|(title, text)| (title.trim().to_owned(), unbroken(text)))
            .collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        let parameters = properties
            .into_iter()
            .flatten()
            .map(|(name, property)| Parameter {
                name: name.clone(),
                default: property.get("default").map_or_else(|| "required".to_owned(), shown),
                text: unbroken(property.get("description").and_then(Value::as_str).unwrap_or_default()),
            })
            .collect();
        Self { info: entry.info, level: entry.level, summary, sections, parameters }
    }
}

/// A default as one would write it in a spec.
fn shown(value: &Value) -> String {
    value.to_string()
}

/// Paragraphs without the line breaks of the source.
fn unbroken(text: &str) -> String {
    let paragraphs = text.trim().split("\n\n");
    paragraphs.map(|p| p.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n\n")
}

/// Broken at 96 columns, with two spaces before each line.
fn indent(text: &str) -> String {
    let mut out = String::new();
    for paragraph in text.split("\n\n") {
        let mut column = 0;
        for word in paragraph.split(' ') {
            let length = word.chars().count();
            if column == 0 || column + 1 + length > 96 {
                out.push_str(if out.is_empty() { "  " } else { "\n  " });
                column = 2;
            } else {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
    }
    out
}

fn keys(info: &Info) -> impl Iterator<Item = (&'static str, &'static str)> {
    let band = if info.takes_band { BAND_KEYS.as_slice() } else { &[] };
    let narrows = info.narrows;
    let narrowed = Narrow::ALL.into_iter().filter(|(_, narrow)| narrows.contains(narrow));
    band.iter().chain(&COMMON_KEYS).copied().chain(narrowed.map(|(key, narrow)| (key, narrowing(narrow))))
}

fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::Each => "each (every seed holds)",
        Rule::Mean => "mean (interval of the mean over the seeds against the band)",
        Rule::Proportion => "proportion (sequential test over the seeds: 0.95 against 0.5)",
        Rule::Change => "change (interval of the mean change over the seeds: fails where it lies outside the band)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_documents_the_fixed_sections_and_each_parameter() {
        for entry in CATALOGUE {
            let (id, document) = (entry.info.id, Document::new(entry));
            let titles: Vec<&str> = document.sections.iter().map(|(title, _)| title.as_str()).collect();
            assert_eq!(titles, SECTIONS, "{id}");
            assert!(document.sections.iter().all(|(_, text)| text.len() > 20), "{id}");
            assert!(!document.summary.is_empty() && document.summary.ends_with('.'), "{id}");
            for p in &document.parameters {
                // What is to be measured is, of `value`, the user's to say.
                assert!(!p.text.is_empty() && (p.default != "required" || id == "value"), "{id}.{}", p.name);
            }
        }
    }

    #[test]
    fn explain_prints_defaults_causes_and_sources() {
        let text = explain("initial_loss").unwrap();
        for part in ["rows = 1024", "ln k", "large_initial_weights", "Karpathy", "expect"] {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
        assert!(explain("update_ratio").unwrap().contains("spike = 0.3"));
        assert_eq!(explain("no_such_check"), None);
    }

    #[test]
    fn a_check_without_a_band_is_not_said_to_take_one() {
        assert!(!explain("finite").unwrap().contains("the most that holds"));
    }

    #[test]
    fn the_reference_page_in_the_docs_is_the_one_that_is_made() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/checks.md");
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            written == reference_page(),
            "docs/checks.md is out of date: cargo run -p nncheck-core --example checks_page > docs/checks.md"
        );
    }

    #[test]
    fn the_page_has_a_row_and_a_section_for_every_check() {
        let page = reference_page();
        for entry in CATALOGUE {
            let id = entry.info.id;
            assert!(page.contains(&format!("| `{id}` |")) && page.contains(&format!("\n## `{id}`\n")), "{id}");
        }
    }

    #[test]
    fn the_readme_lists_all_checks() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
        let readme = std::fs::read_to_string(file).unwrap();
        assert!(readme.contains(table_of_checks().trim()), "README.md is out of date: cargo nncheck explain");
    }
}
