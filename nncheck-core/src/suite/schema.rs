//! The JSON schema of the spec language, for editors, from the types that read it.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::check::{CATALOGUE, PLANNED};
use crate::spec::data::DataTable;
use crate::spec::loss;
use crate::spec::model::ModelTable;
use crate::spec::name::NAME_PATTERN;
use crate::spec::optimizer;
use crate::spec::property::{Narrow, SettingsTable};
use crate::spec::run::RunTable;
use crate::spec::train::TrainTable;

/// The schema of a spec file. Draft 7: what editors' TOML plugins read.
#[must_use]
pub fn json_schema() -> Value {
    let mut generator = SchemaGenerator::new(SchemaSettings::draft07());
    let sections = json!({
        "model": section::<ModelTable>(&mut generator),
        "data": section::<DataTable>(&mut generator),
        "loss": loss::schema(&mut generator),
        "optimizer": optimizer::schema(&mut generator),
        "train": section::<TrainTable>(&mut generator),
        "run": section::<RunTable>(&mut generator),
        "property": properties(),
    });
    let mut root = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "nncheck spec",
        "description": "What must hold of a neural network and its training.",
        "type": "object",
        "properties": { "version": { "const": 1, "description": "Version of the spec language." } },
        "required": ["model", "data", "loss", "property"],
    });
    if let (Some(properties), Value::Object(sections)) = (root["properties"].as_object_mut(), sections) {
        properties.extend(sections);
    }
    let mut definitions = checks(&mut generator);
    definitions.extend(generator.take_definitions(true));
    root["definitions"] = Value::Object(definitions);
    strict(&mut root);
    root
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
fn properties() -> Value {
    let ids: Vec<&str> = CATALOGUE.iter().map(|entry| entry.info.id).collect();
    let reference = |id: &str| json!({ "$ref": format!("#/definitions/{}", definition(id)) });
    let by_check: Vec<Value> = ids
        .iter()
        .map(|id| {
            json!({
                "if": { "properties": { "check": { "const": id } }, "required": ["check"] },
                "then": reference(id),
            })
        })
        .collect();
    let named = json!({
        "type": "object",
        "description": "A property of the check that it names.",
        "properties": { "check": { "enum": ids } },
        "required": ["check"],
        "allOf": by_check,
        "additionalProperties": true,
    });
    let by_name: Map<String, Value> = ids
        .iter()
        .map(|id| ((*id).to_owned(), json!({ "if": { "required": ["check"] }, "then": named, "else": reference(id) })))
        .collect();
    let planned: Vec<&str> = PLANNED.iter().map(|(id, _)| *id).collect();
    json!({
        "type": "object",
        "description": format!("What must hold: one table a property. Checks to come: {}.", planned.join(", ")),
        "properties": by_name,
        "additionalProperties": named,
        "propertyNames": { "pattern": NAME_PATTERN },
        "minProperties": 1,
    })
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
