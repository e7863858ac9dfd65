//! Small values of the spec language that have more than one way of writing: pairs, lists, amounts with units.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// One string, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OneOrMany(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of strings")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![v.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<OneOrMany, A::Error> {
                let names = Vec::<String>::deserialize(SeqAccessDeserializer::new(seq))?;
                if names.is_empty() {
                    Err(de::Error::custom("expected at least one name"))
                } else {
                    Ok(OneOrMany(names))
                }
            }
        }
        deserializer.deserialize_any(Words)
    }
}

impl JsonSchema for OneOrMany {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMany".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": "string" }, "minItems": 1 },
        ] })
    }
}

/// A short form, or a table that says more.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Or<S, T> {
    Short(S),
    Long(T),
}

/// What may stand in place of a table: a string or a number.
pub(crate) trait ShortForm: Sized {
    const WHAT: &'static str;
    fn text(_: &str) -> Option<Self> {
        None
    }
    fn number(_: f64) -> Option<Self> {
        None
    }
}

impl ShortForm for String {
    const WHAT: &'static str = "a string";
    fn text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl ShortForm for f64 {
    const WHAT: &'static str = "a number";
    fn number(number: f64) -> Option<Self> {
        Some(number)
    }
}

impl<'de, S: ShortForm, T: Deserialize<'de>> Deserialize<'de> for Or<S, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words<S, T>(PhantomData<(S, T)>);
        impl<'de, S: ShortForm, T: Deserialize<'de>> Visitor<'de> for Words<S, T> {
            type Value = Or<S, T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} or a table", S::WHAT)
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Or<S, T>, E> {
                S::text(v).map(Or::Short).ok_or_else(|| E::invalid_type(de::Unexpected::Str(v), &self))
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Or<S, T>, E> {
                S::number(v as f64).map(Or::Short).ok_or_else(|| E::invalid_type(de::Unexpected::Signed(v), &self))
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Or<S, T>, E> {
                S::number(v as f64).map(Or::Short).ok_or_else(|| E::invalid_type(de::Unexpected::Unsigned(v), &self))
            }
            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Or<S, T>, E> {
                S::number(v).map(Or::Short).ok_or_else(|| E::invalid_type(de::Unexpected::Float(v), &self))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Or<S, T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Or::Long)
            }
        }
        deserializer.deserialize_any(Words(PhantomData))
    }
}

impl<S: JsonSchema, T: JsonSchema> JsonSchema for Or<S, T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}_or_{}", S::schema_name(), T::schema_name()).into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (short, long) = (generator.subschema_for::<S>(), generator.subschema_for::<T>());
        json_schema!({ "anyOf": [short, long] })
    }
}

/// A number, or text that stands for one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Written {
    Number(f64),
    Text(String),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl Visitor<'_> for Words {
            type Value = Written;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a string")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Written, E> {
                Ok(Written::Text(v.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Written, E> {
                Ok(Written::Number(v as f64))
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Written, E> {
                Ok(Written::Number(v as f64))
            }
            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Written, E> {
                Ok(Written::Number(v))
            }
        }
        deserializer.deserialize_any(Words)
    }
}

impl JsonSchema for Written {
    fn schema_name() -> Cow<'static, str> {
        "Written".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["number", "string"] })
    }
}

/// Why something is as it is, for others to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason(pub String);

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl Visitor<'_> for Words {
            type Value = Reason;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the reason in quotes, such as \"fails until the labels are cleaned\"")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Reason, E> {
                Ok(Reason(v.to_owned()))
            }
            fn visit_bool<E: de::Error>(self, yes: bool) -> Result<Reason, E> {
                if yes {
                    return Err(E::invalid_type(de::Unexpected::Bool(yes), &self));
                }
                Err(E::custom("expected the reason in quotes; without one leave this line out"))
            }
        }
        deserializer.deserialize_any(Words)
    }
}

/// Milliseconds, written `"60s"`, `"2m"`, `"500ms"`, `"1h"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Milliseconds(pub u64);

/// Bytes, written `"4GiB"`, `"512MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes(pub u64);

const TIMES: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

fn amount(text: &str, units: &[(&str, u64)], example: &str) -> Result<u64, String> {
    let text = text.trim();
    let at = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = (text[..at].trim(), &text[at..]);
    let names = || units.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let factor = match units.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => *factor,
        None if unit.is_empty() => return Err(format!("expected a unit such as \"{example}\"; units are {}", names())),
        None => return Err(format!("unknown unit `{}`; units are {}", unit.escape_debug(), names())),
    };
    let value: f64 = number.parse().map_err(|_| format!("expected a number with a unit, such as \"{example}\""))?;
    let total = value * factor as f64;
    if (1.0..9e15).contains(&total) {
        Ok(total.round() as u64)
    } else {
        Err(format!("{} is out of range", text.escape_debug()))
    }
}

macro_rules! amount {
    ($type:ident, $units:ident, $example:literal, $pattern:literal) => {
        impl $type {
            /// Reads a number with a unit.
            pub(crate) fn parse(text: &str) -> Result<Self, String> {
                amount(text, $units, $example).map(Self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Words;
                impl Visitor<'_> for Words {
                    type Value = $type;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a string with a unit such as \"", $example, "\""))
                    }
                    fn visit_str<E: de::Error>(self, v: &str) -> Result<$type, E> {
                        $type::parse(v).map_err(E::custom)
                    }
                }
                deserializer.deserialize_any(Words)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

amount!(Milliseconds, TIMES, "60s", r"^ *[0-9.]+ *(ms|s|m|h) *$");
amount!(Bytes, SIZES, "4GiB", r"^ *[0-9.]+ *([KMGT]i?)?B *$");

/// Bounds of numbers, held while they are read, so that the spec's line is shown.
pub(crate) mod bounds {
    use serde::de::{Deserialize, Deserializer, Error};

    fn held<'de, D: Deserializer<'de>>(deserializer: D, words: &str, holds: fn(f64) -> bool) -> Result<f64, D::Error> {
        let value = f64::deserialize(deserializer)?;
        if value.is_finite() && holds(value) {
            Ok(value)
        } else {
            Err(Error::custom(format_args!("expected {words}, found {value}")))
        }
    }

    /// Any number but infinities and NaN.
    pub(crate) fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        held(deserializer, "a finite number", |_| true)
    }

    /// Above zero.
    pub(crate) fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        held(deserializer, "a number above 0", |x| x > 0.0)
    }

    /// Zero or more.
    pub(crate) fn not_negative<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        held(deserializer, "a number of 0 or more", |x| x >= 0.0)
    }

    /// Any but zero, infinities and NaN.
    pub(crate) fn not_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        held(deserializer, "a number other than 0", |x| x != 0.0).map(Some)
    }

    /// Above zero, at most one.
    pub(crate) fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        held(deserializer, "a share above 0 and at most 1", |x| x > 0.0 && x <= 1.0)
    }

    /// From zero to one, both included.
    pub(crate) fn zero_to_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        held(deserializer, "a number from 0 to 1", |x| (0.0..=1.0).contains(&x))
    }

    /// Above zero, where it is there.
    pub(crate) fn positive_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        positive(deserializer).map(Some)
    }

    /// From zero to below one.
    pub(crate) fn below_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        held(deserializer, "a number from 0 to below 1", |x| (0.0..1.0).contains(&x))
    }

    /// Between zero and one.
    pub(crate) fn within_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        held(deserializer, "a number between 0 and 1", |x| x > 0.0 && x < 1.0)
    }

    /// Two decay rates.
    pub(crate) fn betas<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[f64; 2], D::Error> {
        let betas = <[f64; 2]>::deserialize(deserializer)?;
        if betas.iter().all(|b| (0.0..1.0).contains(b)) {
            Ok(betas)
        } else {
            Err(Error::custom(format_args!("expected two numbers from 0 to below 1, found {betas:?}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_have_units() {
        assert_eq!(Milliseconds::parse("60s"), Ok(Milliseconds(60_000)));
        assert_eq!(Milliseconds::parse("500ms"), Ok(Milliseconds(500)));
        assert_eq!(Milliseconds::parse("1.5 m"), Ok(Milliseconds(90_000)));
        assert_eq!(Bytes::parse("4GiB"), Ok(Bytes(4 << 30)));
        assert_eq!(Bytes::parse("2 GB"), Ok(Bytes(2_000_000_000)));
        assert!(Milliseconds::parse("60").unwrap_err().contains("expected a unit such as \"60s\""));
        assert!(Milliseconds::parse("60 sec").unwrap_err().contains("unknown unit `sec`"));
        assert!(Milliseconds::parse("0s").unwrap_err().contains("out of range"));
        assert!(Milliseconds::parse("-1s").is_err() && Milliseconds::parse("s").is_err());
        assert!(Bytes::parse("1e400GiB").is_err() && Bytes::parse("").is_err());
    }
}
