//! What stands around the input of a convolution.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use super::Sizes;

/// How many entries are put around the input: `1`, one number an axis, `"same"`, or `"valid"` for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding<const D: usize> {
    /// As many as keep the lengths; of an odd number, the one more stands behind.
    Same,
    /// As many before and behind each axis.
    By(Sizes<D>),
}

/// What is put around the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaddingMode {
    /// Zeros.
    #[default]
    Zeros,
    /// The input mirrored at its edge, without the edge.
    Reflect,
    /// The edge again and again.
    Replicate,
    /// The other end of the input.
    Circular,
}

impl<const D: usize> Padding<D> {
    /// None at all.
    #[must_use]
    pub const fn none() -> Self {
        Self::By(Sizes::all(0))
    }
}

impl<const D: usize> Serialize for Padding<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let by = match self {
            Self::Same => None,
            Self::By(sizes) => Some(sizes),
        };
        match by {
            // Formats between processes do not describe themselves.
            _ if !serializer.is_human_readable() => by.serialize(serializer),
            None => serializer.serialize_str("same"),
            Some(sizes) => sizes.serialize(serializer),
        }
    }
}

impl<'de, const D: usize> Deserialize<'de> for Padding<D> {
    fn deserialize<De: Deserializer<'de>>(deserializer: De) -> Result<Self, De::Error> {
        struct Words<const D: usize>;
        impl<'de, const D: usize> Visitor<'de> for Words<D> {
            type Value = Padding<D>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Sizes::<D>::words(f)?;
                f.write_str(", or \"same\" or \"valid\"")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Padding<D>, E> {
                match v {
                    "same" => Ok(Padding::Same),
                    "valid" => Ok(Padding::none()),
                    _ => Err(E::unknown_variant(v, &["same", "valid"])),
                }
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Padding<D>, E> {
                u64::try_from(v)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(v), &self))
                    .and_then(|v| self.visit_u64(v))
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Padding<D>, E> {
                Sizes::from_number(v).map(Padding::By)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Padding<D>, A::Error> {
                Sizes::from_seq(seq, &self).map(Padding::By)
            }
        }
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Words)
        } else {
            Ok(Option::<Sizes<D>>::deserialize(deserializer)?.map_or(Self::Same, Self::By))
        }
    }
}

impl<const D: usize> JsonSchema for Padding<D> {
    fn schema_name() -> Cow<'static, str> {
        format!("Padding{D}").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "enum": ["same", "valid"] },
            { "type": "integer", "minimum": 0 },
            { "type": "array", "items": { "type": "integer", "minimum": 0 }, "minItems": D, "maxItems": D },
        ] })
    }
}
