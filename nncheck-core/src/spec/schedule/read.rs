//! From `schedule = { ... }` to [`Schedule`].

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::{Constant, Cosine, Exponential, Linear, OneCycle, Plateau, Schedule, ScheduleKind, Step};
use crate::spec::kinds::{self, Variant};
use crate::spec::read::{Form, Place, Reader, found};

/// What all schedules have.
#[derive(Debug, Deserialize, JsonSchema)]
struct ScheduleTable {
    /// Steps before the schedule begins, over which the rate rises in equal parts.
    #[schemars(with = "Option<u64>")]
    warmup: Option<Spanned<u64>>,
}

fn variants() -> [Variant<ScheduleKind>; 7] {
    macro_rules! variant {
        ($name:literal, $type:ident) => {
            Variant {
                name: $name,
                form: Form::of::<$type>(),
                read: |t| $type::deserialize(Deserializer::from(t)).map(ScheduleKind::$type),
            }
        };
    }
    [
        Variant {
            name: "constant",
            form: Form::of::<Constant>(),
            read: |t| Constant::deserialize(Deserializer::from(t)).map(|_| ScheduleKind::Constant),
        },
        variant!("step", Step),
        variant!("exponential", Exponential),
        variant!("cosine", Cosine),
        variant!("linear", Linear),
        variant!("one_cycle", OneCycle),
        variant!("plateau", Plateau),
    ]
}

impl Schedule {
    /// Reads `schedule`.
    pub(crate) fn read(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            let error = reader
                .error("wrong-type", value.span(), "wrong type of `schedule` in [optimizer]")
                .label(format!("expected a table, found {}", found(value.get_ref())))
                .help("such as `schedule = { kind = \"cosine\", steps = 1000, warmup = 100 }`");
            reader.push(error);
            return None;
        };
        let place = Place { what: "`schedule` in [optimizer]", span: value.span().into() };
        let common = Form::of::<ScheduleTable>();
        let head: DeTable<'_> =
            table.iter().filter(|(key, _)| common.has(key.get_ref())).map(|(k, v)| (k.clone(), v.clone())).collect();
        let head = reader.table(place, &head, &common, &[], |t| ScheduleTable::deserialize(Deserializer::from(t)));
        let kind = kinds::read(reader, place, table, &common, &variants())?;
        let warmup = head.value?.warmup;
        let one_cycle = matches!(kind, ScheduleKind::OneCycle(_));
        if let (Some(warmup), true) = (warmup.as_ref().filter(|warmup| *warmup.get_ref() > 0), one_cycle) {
            let error = reader
                .error("contradiction", warmup.span(), "`one_cycle` warms up by itself")
                .label("a second warm-up")
                .help("remove `warmup`; `pct_start` is the share of the steps that goes up");
            reader.push(error);
            return None;
        }
        Some(Self { kind, warmup: warmup.map_or(0, Spanned::into_inner) })
    }
}

/// The schema of `schedule`: one form a kind.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    let common = ScheduleTable::json_schema(generator);
    let kinds = [
        ("constant", Constant::json_schema(generator)),
        ("step", Step::json_schema(generator)),
        ("exponential", Exponential::json_schema(generator)),
        ("cosine", Cosine::json_schema(generator)),
        ("linear", Linear::json_schema(generator)),
        ("one_cycle", OneCycle::json_schema(generator)),
        ("plateau", Plateau::json_schema(generator)),
    ];
    let forms: Vec<Schema> = kinds
        .into_iter()
        .map(|(kind, mut schema)| {
            let mut all = schema.get("properties").and_then(|p| p.as_object()).cloned().unwrap_or_default();
            let common = common.get("properties").and_then(|p| p.as_object()).cloned().unwrap_or_default();
            all.extend(common);
            all.insert("kind".to_owned(), serde_json::json!({ "const": kind }));
            let mut required = schema.get("required").and_then(|r| r.as_array()).cloned().unwrap_or_default();
            required.push("kind".into());
            schema.insert("type".to_owned(), "object".into());
            schema.insert("properties".to_owned(), all.into());
            schema.insert("required".to_owned(), required.into());
            schema
        })
        .collect();
    let kinds = json_schema!({ "description": "How the learning rate changes from step to step.", "anyOf": forms });
    generator.definitions_mut().insert("schedule".to_owned(), kinds.to_value());
    json_schema!({ "$ref": "#/definitions/schedule" })
}
