//! Values of `[data]` that have more than one way of writing.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use super::NextToken;
use crate::spec::values::OneOrMany;

/// Strings by name, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct NamedStrings(pub(crate) Vec<(String, Spanned<String>)>);

/// Names, or arrays by the name that the model knows.
#[derive(Clone, Debug)]
pub(crate) enum Inputs {
    /// Columns as names and globs, or an array.
    Names(Vec<String>),
    /// Arrays by name.
    Named(NamedStrings),
}

/// `true`, or the length of windows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NextTokenWord(pub(crate) NextToken);

impl<'de> Deserialize<'de> for NamedStrings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = NamedStrings;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of strings")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NamedStrings, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = map.next_entry::<String, Spanned<String>>()? {
                    all.push(entry);
                }
                if all.is_empty() {
                    Err(de::Error::custom("expected at least one name"))
                } else {
                    Ok(NamedStrings(all))
                }
            }
        }
        deserializer.deserialize_any(Words)
    }
}

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Inputs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, an array of strings, or a table of strings")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Inputs, E> {
                OneOrMany::deserialize(v.into_deserializer()).map(|names| Inputs::Names(names.0))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Inputs, A::Error> {
                OneOrMany::deserialize(SeqAccessDeserializer::new(seq)).map(|names| Inputs::Names(names.0))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Inputs, A::Error> {
                NamedStrings::deserialize(MapAccessDeserializer::new(map)).map(Inputs::Named)
            }
        }
        deserializer.deserialize_any(Words)
    }
}

impl JsonSchema for Inputs {
    fn schema_name() -> Cow<'static, str> {
        "inputs".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            { "type": "object", "additionalProperties": { "type": "string" }, "minProperties": 1 },
        ] })
    }
}

impl<'de> Deserialize<'de> for NextTokenWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl Visitor<'_> for Words {
            type Value = NextTokenWord;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, or the length of windows")
            }
            fn visit_bool<E: de::Error>(self, yes: bool) -> Result<NextTokenWord, E> {
                if yes {
                    Ok(NextTokenWord(NextToken::Rows))
                } else {
                    Err(E::custom("expected `true`, or leave it out"))
                }
            }
            fn visit_i64<E: de::Error>(self, length: i64) -> Result<NextTokenWord, E> {
                match usize::try_from(length) {
                    Ok(length @ 1..) => Ok(NextTokenWord(NextToken::Windows(length))),
                    _ => Err(E::custom(format_args!("expected a length of 1 or more, found {length}"))),
                }
            }
            fn visit_u64<E: de::Error>(self, length: u64) -> Result<NextTokenWord, E> {
                self.visit_i64(i64::try_from(length).unwrap_or(0))
            }
        }
        deserializer.deserialize_any(Words)
    }
}

impl JsonSchema for NextTokenWord {
    fn schema_name() -> Cow<'static, str> {
        "next_token".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "const": true }, { "type": "integer", "minimum": 1 }] })
    }
}
