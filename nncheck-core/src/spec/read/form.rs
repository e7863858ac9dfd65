//! The form of a table: what it may hold, as the schema of its type says.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

/// The keys that a table may hold, from the schema of the type that it becomes.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// The names that the documentation uses.
    keys: Vec<String>,
    /// Other names that are accepted.
    aliases: Vec<String>,
    /// Names that others read from the same table.
    others: Vec<String>,
    /// Keys whose value is one of some words, with those.
    words: Vec<(String, Vec<String>)>,
    /// Keys whose value is a table and never a list, with the keys of that table. (serde would fill a struct from a list.)
    tables: Vec<(String, Vec<String>)>,
}

impl Form {
    /// The form of a type.
    #[must_use]
    pub fn of<T: JsonSchema>() -> Self {
        let mut generator = SchemaGenerator::default();
        let schema = T::json_schema(&mut generator);
        let mut form = Self::of_schema(&schema);
        let definitions = generator.definitions();
        for (key, property) in schema.get("properties").and_then(|p| p.as_object()).into_iter().flatten() {
            if let Some(inner) = table_only(property, definitions) {
                form.tables.push((key.clone(), inner));
            }
            if let Some(words) = words_only(property, definitions) {
                form.words.push((key.clone(), words));
            }
        }
        form
    }

    /// The form that a schema describes: its `properties`, and their `x-aliases`.
    #[must_use]
    pub fn of_schema(schema: &Schema) -> Self {
        let mut form = Self::default();
        if let Some(properties) = schema.get("properties").and_then(|p| p.as_object()) {
            for (key, property) in properties {
                form.keys.push(key.clone());
                let aliases = property.get("x-aliases").and_then(|a| a.as_array());
                form.aliases.extend(aliases.into_iter().flatten().filter_map(|a| a.as_str()).map(str::to_owned));
            }
        }
        form
    }

    /// The words of which a key's value is one; none where it may be something else.
    pub(super) fn words(&self, key: &str) -> Vec<String> {
        self.words.iter().find(|(of, _)| of == key).map(|(_, words)| words.clone()).unwrap_or_default()
    }

    /// The keys of a value that is always a table.
    pub(super) fn table_only(&self, key: &str) -> Option<&[String]> {
        self.tables.iter().find(|(of, _)| of == key).map(|(_, keys)| &keys[..])
    }

    /// The names to suggest: its own, and those that others read from the same table.
    pub(super) fn suggested(&self) -> Vec<&str> {
        let mut known: Vec<&str> = Vec::new();
        for key in self.keys.iter().chain(&self.others) {
            if !known.contains(&key.as_str()) {
                known.push(key);
            }
        }
        known
    }

    /// Whether others read a key from the same table.
    pub(super) fn is_of_others(&self, key: &str) -> bool {
        self.others.iter().any(|other| other == key)
    }

    /// Has one more key.
    #[must_use]
    pub fn with(mut self, key: &str) -> Self {
        self.keys.push(key.to_owned());
        self
    }

    /// Accepts further keys of the same table, which somebody else reads.
    #[must_use]
    pub fn beside<'a>(mut self, others: impl IntoIterator<Item = &'a str>) -> Self {
        self.others.extend(others.into_iter().map(str::to_owned));
        self
    }

    /// The documented names.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// Whether this form itself documents the key.
    #[must_use]
    pub fn has_own(&self, key: &str) -> bool {
        self.keys.iter().any(|known| known == key)
    }

    /// Whether this form itself has the key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.keys.iter().chain(&self.aliases).any(|known| known == key)
    }
}

/// The keys of a value that is a table and nothing else; `None` where it may be something else.
fn table_only(schema: &Value, definitions: &Map<String, Value>) -> Option<Vec<String>> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return table_only(definitions.get(name)?, definitions);
    }
    let of = |key| schema.get(key).and_then(Value::as_array).filter(|all| !all.is_empty());
    if let Some(choices) = of("anyOf").or_else(|| of("oneOf")) {
        // A choice of several tables is read by whoever knows which one is meant.
        let mut tables = choices.iter().filter(|c| c.get("type").and_then(Value::as_str) != Some("null"));
        return match (tables.next(), tables.next()) {
            (Some(only), None) => table_only(only, definitions),
            _ => None,
        };
    }
    let is_table = match schema.get("type")? {
        Value::String(one) => one == "object",
        Value::Array(several) => several.iter().all(|one| one == "object" || one == "null"),
        _ => false,
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    is_table.then(|| properties.into_iter().flatten().map(|(key, _)| key.clone()).collect())
}

/// The words of a value that is one of some words and nothing else.
fn words_only(schema: &Value, definitions: &Map<String, Value>) -> Option<Vec<String>> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return words_only(definitions.get(name)?, definitions);
    }
    if let Some(word) = schema.get("const") {
        return Some(vec![word.as_str()?.to_owned()]);
    }
    let of = |key| schema.get(key).and_then(Value::as_array).filter(|all| !all.is_empty());
    let words = |all: &Vec<Value>| {
        all.iter().filter(|word| !word.is_null()).map(|word| Some(word.as_str()?.to_owned())).collect()
    };
    match of("anyOf").or_else(|| of("oneOf")) {
        Some(choices) => {
            let some = choices.iter().filter(|choice| choice.get("type").and_then(Value::as_str) != Some("null"));
            Some(some.map(|choice| words_only(choice, definitions)).collect::<Option<Vec<_>>>()?.concat())
        }
        None => words(of("enum")?),
    }
}
