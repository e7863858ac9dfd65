//! Two sizes, for height and width.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use super::size::LARGEST;

/// Two sizes, for height and width: `3` or `[3, 5]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub [usize; 2]);

impl Pair {
    /// The same for both.
    #[must_use]
    pub const fn both(size: usize) -> Self {
        Self([size, size])
    }
}

impl Serialize for Pair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Pair;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, or two of them such as [3, 5]")
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Pair, E> {
                usize::try_from(v)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(v), &self))
                    .and_then(|v| both(v, v))
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Pair, E> {
                let v = usize::try_from(v).unwrap_or(usize::MAX);
                both(v, v)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Pair, A::Error> {
                let height = seq.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let width = seq.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &self))?;
                let mut more = 2;
                while seq.next_element::<de::IgnoredAny>()?.is_some() {
                    more += 1;
                }
                if more > 2 { Err(de::Error::invalid_length(more, &self)) } else { both(height, width) }
            }
        }
        fn both<E: de::Error>(height: usize, width: usize) -> Result<Pair, E> {
            if height.max(width) > LARGEST {
                return Err(E::custom(format_args!("expected at most {LARGEST}, found {}", height.max(width))));
            }
            Ok(Pair([height, width]))
        }
        // Formats between processes do not describe themselves.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Words)
        } else {
            deserializer.deserialize_tuple(2, Words)
        }
    }
}

impl JsonSchema for Pair {
    fn schema_name() -> Cow<'static, str> {
        "Pair".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "array", "items": { "type": "integer", "minimum": 0 }, "minItems": 2, "maxItems": 2 },
        ] })
    }
}

/// A pair without zeros.
pub(super) fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pair, D::Error> {
    let pair = Pair::deserialize(deserializer)?;
    if pair.0.contains(&0) { Err(de::Error::custom("expected 1 or more, found 0")) } else { Ok(pair) }
}

/// The same where it may be left out.
pub(super) fn positive_optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Pair>, D::Error> {
    let pair = Option::<Pair>::deserialize(deserializer)?;
    match pair {
        Some(pair) if pair.0.contains(&0) => Err(de::Error::custom("expected 1 or more, found 0")),
        pair => Ok(pair),
    }
}
