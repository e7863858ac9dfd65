//! `clip`: which bound the gradients have.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use super::Clip;

/// A [`Clip`] as it is read: a table with exactly one of its keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Clipping(pub(super) Clip);

/// The keys of the table.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Bounds {
    norm: Option<f64>,
    value: Option<f64>,
}

impl<'de> Deserialize<'de> for Clipping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Clipping;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`{ norm = 1.0 }` or `{ value = 1.0 }`")
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Clipping, E> {
                Err(bare(v))
            }
            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Clipping, E> {
                Err(bare(v))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Clipping, A::Error> {
                let bounds = Bounds::deserialize(MapAccessDeserializer::new(map))?;
                let clip = match (bounds.norm, bounds.value) {
                    (Some(norm), None) => Clip::Norm(norm),
                    (None, Some(value)) => Clip::Value(value),
                    // The reader knows these words: silent where a wrong key was taken away.
                    (None, None) => return Err(de::Error::custom("wanted exactly 1 element")),
                    _ => return Err(de::Error::custom("expected exactly one of `norm` and `value`")),
                };
                let (Clip::Norm(bound) | Clip::Value(bound)) = clip;
                if bound.is_finite() && bound > 0.0 {
                    Ok(Clipping(clip))
                } else {
                    Err(de::Error::custom(format_args!("expected a bound above 0, found {bound}")))
                }
            }
        }
        deserializer.deserialize_any(Words)
    }
}

/// A number could bound the norm or each value.
fn bare<E: de::Error>(bound: impl fmt::Display) -> E {
    E::custom(format_args!(
        "expected `{{ norm = {bound} }}`, the norm of all gradients together, or `{{ value = {bound} }}`, each entry by itself"
    ))
}

impl JsonSchema for Clipping {
    fn schema_name() -> Cow<'static, str> {
        Clip::schema_name()
    }
    fn inline_schema() -> bool {
        Clip::inline_schema()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Clip::json_schema(generator)
    }
}
