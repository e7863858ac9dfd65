//! Sizes along axes: one for all of them, or one each.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Serialize, Serializer};

use super::size::{self, LARGEST};

/// A size for each of `D` axes: `3`, or one each such as `[3, 5]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes<const D: usize>(pub [usize; D]);

/// Height and width: `3` or `[3, 5]`.
pub type Pair = Sizes<2>;

impl<const D: usize> Sizes<D> {
    /// The same for all axes.
    #[must_use]
    pub const fn all(size: usize) -> Self {
        Self([size; D])
    }

    /// How it is written, in a message.
    pub(super) fn words(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match D {
            1 => f.write_str("a whole number"),
            _ => f.write_str("a whole number, or two of them such as [3, 5]"),
        }
    }

    /// One number for all axes.
    pub(super) fn from_number<E: de::Error>(number: u64) -> Result<Self, E> {
        Self([usize::try_from(number).unwrap_or(usize::MAX); D]).checked()
    }

    /// One number an axis.
    pub(super) fn from_seq<'de, A: SeqAccess<'de>>(mut seq: A, expected: &dyn de::Expected) -> Result<Self, A::Error> {
        let mut sizes = [0; D];
        for (index, size) in sizes.iter_mut().enumerate() {
            *size = seq.next_element()?.ok_or_else(|| de::Error::invalid_length(index, expected))?;
        }
        let mut found = D;
        while seq.next_element::<de::IgnoredAny>()?.is_some() {
            found += 1;
        }
        if found > D { Err(de::Error::invalid_length(found, expected)) } else { Self(sizes).checked() }
    }

    fn checked<E: de::Error>(self) -> Result<Self, E> {
        match self.0.into_iter().max() {
            Some(most) if most > LARGEST => Err(E::custom(format_args!("expected at most {LARGEST}, found {most}"))),
            _ => Ok(self),
        }
    }
}

impl<const D: usize> Serialize for Sizes<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(D)?;
        for size in &self.0 {
            tuple.serialize_element(size)?;
        }
        tuple.end()
    }
}

impl<'de, const D: usize> Deserialize<'de> for Sizes<D> {
    fn deserialize<De: Deserializer<'de>>(deserializer: De) -> Result<Self, De::Error> {
        struct Words<const D: usize>;
        impl<'de, const D: usize> Visitor<'de> for Words<D> {
            type Value = Sizes<D>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Sizes::<D>::words(f)
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Sizes<D>, E> {
                u64::try_from(v)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(v), &self))
                    .and_then(Sizes::from_number)
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Sizes<D>, E> {
                Sizes::from_number(v)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Sizes<D>, A::Error> {
                Sizes::from_seq(seq, &self)
            }
        }
        // Formats between processes do not describe themselves.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Words)
        } else {
            deserializer.deserialize_tuple(D, Words)
        }
    }
}

impl<const D: usize> JsonSchema for Sizes<D> {
    fn schema_name() -> Cow<'static, str> {
        format!("Sizes{D}").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "array", "items": { "type": "integer", "minimum": 0 }, "minItems": D, "maxItems": D },
        ] })
    }
}

/// Sizes without zeros.
pub(super) fn positive<'de, De: Deserializer<'de>, const D: usize>(deserializer: De) -> Result<Sizes<D>, De::Error> {
    let sizes = Sizes::deserialize(deserializer)?;
    if sizes.0.contains(&0) { Err(de::Error::custom("expected 1 or more, found 0")) } else { Ok(sizes) }
}

/// The same where they may be left out.
pub(super) fn positive_optional<'de, De: Deserializer<'de>, const D: usize>(
    deserializer: De,
) -> Result<Option<Sizes<D>>, De::Error> {
    let sizes = Option::<Sizes<D>>::deserialize(deserializer)?;
    match sizes {
        Some(sizes) if sizes.0.contains(&0) => Err(de::Error::custom("expected 1 or more, found 0")),
        sizes => Ok(sizes),
    }
}

/// The lengths of some last axes: `64` or `[16, 4, 4]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dims(pub Vec<usize>);

impl<'de> Deserialize<'de> for Dims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Dims;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of 1 or more, or an array of them")
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Dims, E> {
                u64::try_from(v)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(v), &self))
                    .and_then(|v| self.visit_u64(v))
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Dims, E> {
                Ok(Dims(vec![size::check(usize::try_from(v).unwrap_or(usize::MAX))?]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Dims, A::Error> {
                let mut dims = Vec::new();
                while let Some(dim) = seq.next_element()? {
                    dims.push(size::check(dim)?);
                }
                if dims.is_empty() { Err(de::Error::invalid_length(0, &self)) } else { Ok(Dims(dims)) }
            }
        }
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Words)
        } else {
            deserializer.deserialize_newtype_struct("Dims", DimsOfBytes)
        }
    }
}

/// Reads [`Dims`] as another process wrote them.
struct DimsOfBytes;

impl<'de> Visitor<'de> for DimsOfBytes {
    type Value = Dims;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lengths of axes")
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Dims, D::Error> {
        Vec::deserialize(deserializer).map(Dims)
    }
}

impl JsonSchema for Dims {
    fn schema_name() -> Cow<'static, str> {
        "Dims".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 1 },
            { "type": "array", "items": { "type": "integer", "minimum": 1 }, "minItems": 1 },
        ] })
    }
}
