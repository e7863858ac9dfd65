//! What a spec came to, key by key, and where each value was written.

use toml::de::{DeTable, DeValue};

use super::Overrides;
use crate::diagnostic::{SourceFile, Span};

/// A value that holds for a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Such as `optimizer.lr`.
    pub key: String,
    /// As it is written.
    pub value: String,
    /// Where.
    pub origin: String,
}

/// All values of a document, `version` aside; those that the command line overrides with what it says.
pub(super) fn of(file: &SourceFile, document: &DeTable<'_>, overrides: &Overrides) -> Vec<Setting> {
    let mut settings = Vec::new();
    walk(file, document, "", &mut settings);
    settings.retain(|setting| setting.key != "version");
    let said = [
        ("run.seeds", overrides.seeds.map(|n| n.to_string())),
        ("run.seed", overrides.seed.map(|n| n.to_string())),
        ("run.device", overrides.device.map(|device| format!("\"{device}\""))),
        ("run.timeout", overrides.timeout_ms.map(|ms| format!("\"{ms}ms\""))),
    ];
    for (key, value) in said {
        let Some(value) = value else { continue };
        settings.retain(|setting| setting.key != key);
        settings.push(Setting { key: key.to_owned(), value, origin: "command line".to_owned() });
    }
    settings.sort_by(|a, b| a.key.cmp(&b.key));
    settings
}

fn walk(file: &SourceFile, table: &DeTable<'_>, above: &str, settings: &mut Vec<Setting>) {
    for (key, value) in table {
        let key = format!("{above}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) => walk(file, inner, &format!("{key}."), settings),
            _ => {
                let span: Span = value.span().into();
                let (_, part) = file.part_at(span.start);
                let (line, _) = file.line_column(span.start);
                let written = file.written(span).split_whitespace().collect::<Vec<_>>().join(" ");
                settings.push(Setting { key, value: written, origin: format!("{}:{line}", part.shown) });
            }
        }
    }
}
