//! A corpus of wrong specs, each with what is said of it beside it. A new one is a file: run with `INSTA_UPDATE=always`, and
//! read the message as somebody would who wants to go home.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nncheck_core::diagnostic::{Diagnostic, Style, render_all};
use nncheck_core::suite::schema::json_schema;
use nncheck_core::suite::{Overrides, Sources, load};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong_specs")
}

fn wrong_specs() -> Vec<PathBuf> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut specs: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    specs.sort();
    specs
}

fn errors_of(spec: &Path) -> Vec<Diagnostic> {
    let shown = format!("specs/{}", spec.file_name().unwrap().to_string_lossy());
    load(&Sources::one(spec, shown), &Overrides::default()).err().unwrap_or_default()
}

#[test]
fn each_wrong_spec_is_met_with_its_message() {
    let specs = wrong_specs();
    assert!(specs.len() >= 80, "{} wrong specs", specs.len());
    let right: Vec<&PathBuf> = specs.iter().filter(|spec| errors_of(spec).is_empty()).collect();
    assert!(right.is_empty(), "found right: {right:#?}");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("wrong_specs");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for spec in specs {
            let said = render_all(&errors_of(&spec), Style::Plain).replace(&folder().display().to_string(), "FOLDER");
            insta::assert_snapshot!(spec.file_stem().unwrap().to_str().unwrap(), said);
        }
    });
}

/// Every key of the schema, wherever it stands.
fn keys(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                found.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| keys(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        _ => {}
    }
}

#[test]
fn every_key_of_the_language_is_told_of_where_it_is_wrong() {
    let mut told = String::new();
    for spec in wrong_specs() {
        told += &render_all(&errors_of(&spec), Style::Plain);
    }
    let mut all = BTreeSet::new();
    keys(&json_schema(), &mut all);
    assert!(all.len() > 100, "{} keys", all.len());
    let words: BTreeSet<&str> = told.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    let untold: Vec<&String> = all.iter().filter(|key| !words.contains(key.as_str())).collect();
    assert!(untold.is_empty(), "no wrong spec is about {untold:?}");
}
