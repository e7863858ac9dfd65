//! The JSON schema of the spec language, for editors, from the types that read it.

mod part;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::builtin;
use crate::check::CATALOGUE;
use crate::spec::data::DataTable;
use crate::spec::ladder::{RungTable, TABLES};
use crate::spec::loss;
use crate::spec::model::ModelTable;
use crate::spec::name::NAME_PATTERN;
use crate::spec::optimizer;
use crate::spec::property::{Narrow, SettingsTable};
use crate::spec::run::RunTable;
use crate::spec::train::TrainTable;

/// The schema of a spec file. Draft 7: what editors' TOML plugins read.
///
/// A file that extends others, or has a ladder, need not say everything itself; nor need one without a model, which
/// others may build upon.
#[must_use]
pub fn json_schema() -> Value {
    let mut generator = SchemaGenerator::new(SchemaSettings::draft07());
    let sections = [
        ("model", section::<ModelTable>(&mut generator)),
        ("data", section::<DataTable>(&mut generator)),
        ("loss", loss::schema(&mut generator).to_value()),
        ("optimizer", optimizer::schema(&mut generator).to_value()),
        ("train", section::<TrainTable>(&mut generator)),
        ("run", section::<RunTable>(&mut generator)),
        ("property", properties(named)),
    ];
    let rung = section::<RungTable>(&mut generator);
    let mut definitions = checks(&mut generator);
    definitions.extend(generator.take_definitions(true));
    let mut whole = Map::new();
    let mut parts = Map::new();
    for (name, schema) in sections {
        definitions.insert(name.to_owned(), schema);
        let to = refer(name);
        let part = if name == "property" { properties(named_elsewhere) } else { to.clone() };
        parts.insert(name.to_owned(), part::part(&part, &mut definitions));
        whole.insert(name.to_owned(), to);
    }
    definitions.insert("rung".to_owned(), of_ladder(rung, &parts));
    let mut known = parts;
    known.insert("version".to_owned(), json!({ "const": 1, "description": "Version of the spec language." }));
    known.insert("extends".to_owned(), extends());
    known.insert(
        "ladder".to_owned(),
        json!({
            "type": "array",
            "items": refer("rung"),
            "minItems": 1,
            "description": "Simple start: what the spec says of its subject, from the simplest up; one table a rung.",
        }),
    );
    let mut root = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "nncheck spec",
        "description": "What must hold of a neural network and its training.",
        "type": "object",
        "properties": known,
        "allOf": [
            {
                "if": { "required": ["model"], "not": { "required": ["extends"] } },
                "then": { "required": ["property"] },
            },
            {
                "if": {
                    "required": ["model"],
                    "not": { "anyOf": [{ "required": ["extends"] }, { "required": ["ladder"] }] },
                },
                "then": {
                    "properties": whole,
                    "if": { "properties": { "model": { "required": ["subject"] } } },
                    "else": { "required": ["data", "loss"] },
                },
            },
        ],
    });
    root["definitions"] = Value::Object(definitions);
    strict(&mut root);
    root
}

fn refer(definition: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{definition}") })
}

/// `extends`: names of built-in specs, and paths.
fn extends() -> Value {
    let built_in: Vec<Value> = builtin::ALL.iter().map(|(name, _)| json!(format!("nncheck:{name}"))).collect();
    let one = json!({ "anyOf": [{ "enum": built_in }, { "type": "string", "pattern": "^(?!nncheck:)" }] });
    json!({
        "description": "What this spec builds upon: built-in specs, and files by their paths from here.",
        "anyOf": [one, { "type": "array", "items": one }],
    })
}

/// A rung: its own keys, and the tables that differ.
fn of_ladder(mut rung: Value, parts: &Map<String, Value>) -> Value {
    if let Some(own) = rung["properties"].as_object_mut() {
        own.extend(TABLES.iter().filter_map(|table| Some(((*table).to_owned(), parts.get(*table)?.clone()))));
    }
    rung["type"] = "object".into();
    rung
}

fn section<T: schemars::JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    T::json_schema(generator).to_value()
}

/// One definition a check, `check:ID`: the keys that every property has, and its own.
fn checks(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let common = section::<SettingsTable>(generator);
    CATALOGUE
        .iter()
        .map(|entry| {
            let mut schema = (entry.schema)(generator).to_value();
            let mut properties = common["properties"].as_object().cloned().unwrap_or_default();
            if !entry.info.takes_band {
                for key in ["expect", "within", "min", "max"] {
                    properties.remove(key);
                }
            }
            for (key, narrow) in Narrow::ALL {
                if !entry.info.narrows.contains(&narrow) {
                    properties.remove(key);
                }
            }
            properties.insert("check".to_owned(), json!({ "const": entry.info.id }));
            if let Some(own) = schema.get_mut("properties").and_then(Value::as_object_mut) {
                properties.append(own);
            }
            schema["type"] = "object".into();
            schema["properties"] = Value::Object(properties);
            (definition(entry.info.id), schema)
        })
        .collect()
}

fn definition(id: &str) -> String {
    format!("check:{id}")
}

/// `[property]`: a table that names its check is of that check; else it is of the check that it is named after.
/// `others`: what a table is that is named after no check.
fn properties(others: fn() -> Value) -> Value {
    let by_name: Map<String, Value> = ids()
        .map(|id| {
            let own = refer(&definition(id));
            (id.to_owned(), json!({ "if": { "required": ["check"] }, "then": named(), "else": own }))
        })
        .collect();
    json!({
        "type": "object",
        "description": "What must hold: one table a property.",
        "properties": by_name,
        "additionalProperties": others(),
        "propertyNames": { "pattern": NAME_PATTERN },
        "minProperties": 1,
    })
}

fn ids() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|entry| entry.info.id)
}

/// A property that names its check.
fn named() -> Value {
    let by_check: Vec<Value> = ids()
        .map(|id| {
            json!({
                "if": { "properties": { "check": { "const": id } }, "required": ["check"] },
                "then": refer(&definition(id)),
            })
        })
        .collect();
    json!({
        "type": "object",
        "description": "A property of the check that it names.",
        "properties": { "check": { "enum": ids().collect::<Vec<_>>() } },
        "required": ["check"],
        "allOf": by_check,
        "additionalProperties": true,
    })
}

/// A property whose check may be named elsewhere, in what the spec extends.
fn named_elsewhere() -> Value {
    let any: Vec<Value> = ids().map(|id| refer(&definition(id))).collect();
    json!({ "type": "object", "if": { "required": ["check"] }, "then": named(), "else": { "anyOf": any } })
}

/// Refuses unknown keys in every table with known ones, and accepts the other names of keys.
fn strict(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("properties").is_some_and(Value::is_object) && object.contains_key("type") {
                accept_aliases(object);
                object.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            object.values_mut().for_each(strict);
        }
        Value::Array(items) => items.iter_mut().for_each(strict),
        _ => {}
    }
}

fn accept_aliases(object: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = object.get_mut("properties") else { return };
    let mut aliases: Vec<(String, String)> = Vec::new();
    for (key, property) in properties.iter_mut() {
        if let Some(Value::Array(names)) = property.as_object_mut().and_then(|p| p.remove("x-aliases")) {
            aliases.extend(names.iter().filter_map(Value::as_str).map(|alias| (key.clone(), alias.to_owned())));
        }
    }
    for (key, alias) in &aliases {
        let property = properties[key.as_str()].clone();
        properties.insert(alias.clone(), property);
    }
    let Some(Value::Array(required)) = object.get_mut("required") else { return };
    let mut either = Vec::new();
    required.retain(|key| {
        let names: Vec<&str> = aliases
            .iter()
            .filter(|(of, _)| Some(of.as_str()) == key.as_str())
            .map(|(_, alias)| alias.as_str())
            .collect();
        if !names.is_empty() {
            let any: Vec<Value> =
                key.as_str().into_iter().chain(names.iter().copied()).map(|n| json!({ "required": [n] })).collect();
            either.push(json!({ "anyOf": any }));
        }
        names.is_empty()
    });
    if !either.is_empty() {
        object.insert("allOf".to_owned(), Value::Array(either));
    }
}
