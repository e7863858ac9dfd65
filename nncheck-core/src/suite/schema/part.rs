//! Tables of which the rest is written elsewhere: in a spec that extends another, and on a ladder.

use serde_json::{Map, Value};

/// What stands before the names of definitions without demands.
const PREFIX: &str = "part:";

/// The schema of a table that others complete: nothing is required, in it or in the tables below it. Lists are never
/// completed, they replace, so that their items keep their demands. Definitions that change on the way are added under
/// names of their own.
pub(super) fn part(schema: &Value, definitions: &mut Map<String, Value>) -> Value {
    match schema {
        Value::Object(object) => {
            let relaxed = object.iter().filter(|(key, _)| *key != "required");
            Value::Object(
                relaxed
                    .map(|(key, value)| {
                        let value = match key.as_str() {
                            "$ref" => reference(value, definitions),
                            "properties" => each(value, definitions),
                            "anyOf" | "allOf" | "oneOf" | "then" | "else" => part(value, definitions),
                            _ => value.clone(),
                        };
                        (key.clone(), value)
                    })
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| part(item, definitions)).collect()),
        other => other.clone(),
    }
}

/// Properties, whose names are the user's: one may be called `required`.
fn each(properties: &Value, definitions: &mut Map<String, Value>) -> Value {
    let Value::Object(properties) = properties else { return properties.clone() };
    Value::Object(properties.iter().map(|(name, schema)| (name.clone(), part(schema, definitions))).collect())
}

fn reference(to: &Value, definitions: &mut Map<String, Value>) -> Value {
    let Some(name) = to.as_str().and_then(|to| to.strip_prefix("#/definitions/")) else { return to.clone() };
    let own = format!("{PREFIX}{name}");
    if !definitions.contains_key(&own) {
        let Some(whole) = definitions.get(name).cloned() else { return to.clone() };
        // There before it is known, so that what refers to itself comes to an end.
        definitions.insert(own.clone(), whole.clone());
        let relaxed = part(&whole, definitions);
        if relaxed == whole {
            definitions.remove(&own);
            return to.clone();
        }
        definitions.insert(own.clone(), relaxed);
    }
    Value::String(format!("#/definitions/{own}"))
}
