//! From `[optimizer]` and `[[optimizer]]` to [`Optimizer`].

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

use super::{Adam, Adamw, Group, Optimizer, OptimizerKind, OptimizerSource, Rmsprop, Sgd};
use crate::diagnostic::{Located, Span};
use crate::spec::kinds::{self, Variant};
use crate::spec::read::{Form, Place, Reader};
use crate::spec::schedule::{self, Schedule};
use crate::spec::section::Tables;
use crate::spec::values::OneOrMany;
use crate::spec::{glob, name};

use super::clip::Clipping;

/// How training lowers the loss.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "optimizer")]
struct GroupTable {
    /// The name of the parameter group.
    #[schemars(with = "Option<String>")]
    name: Option<Spanned<String>>,
    /// Globs of the parameters of this group; without it, all that no other group names.
    #[schemars(with = "Option<OneOrMany>")]
    params: Option<Spanned<OneOrMany>>,
    /// Clipping of the gradients of this group before each step: `{ norm = 1.0 }` or `{ value = 0.5 }`.
    clip: Option<Clipping>,
    /// How the learning rate changes from step to step.
    #[schemars(schema_with = "schedule::schema")]
    #[expect(dead_code, reason = "read by its own kind; here for the schema")]
    schedule: Option<IgnoredAny>,
}

fn variants() -> [Variant<OptimizerKind>; 4] {
    [
        Variant {
            name: "sgd",
            form: Form::of::<Sgd>(),
            read: |t| Sgd::deserialize(Deserializer::from(t)).map(OptimizerKind::Sgd),
        },
        Variant {
            name: "adam",
            form: Form::of::<Adam>(),
            read: |t| Adam::deserialize(Deserializer::from(t)).map(OptimizerKind::Adam),
        },
        Variant {
            name: "adamw",
            form: Form::of::<Adamw>(),
            read: |t| Adamw::deserialize(Deserializer::from(t)).map(OptimizerKind::Adamw),
        },
        Variant {
            name: "rmsprop",
            form: Form::of::<Rmsprop>(),
            read: |t| Rmsprop::deserialize(Deserializer::from(t)).map(OptimizerKind::Rmsprop),
        },
    ]
}

/// The keys that some kinds have and others have not.
#[cfg(test)]
pub(crate) fn keys_of_some_kinds() -> Vec<String> {
    let forms = variants().map(|variant| variant.form);
    let all = forms.iter().flat_map(Form::keys).map(str::to_owned);
    all.filter(|key| !forms.iter().all(|form| form.has(key))).collect()
}

impl Optimizer {
    /// Reads `[optimizer]`, or all `[[optimizer]]`.
    pub(crate) fn read(reader: &mut Reader<'_>, tables: &Tables<'_, '_>) -> Option<Self> {
        if let Some((place, table)) = tables.each().find(|(_, table)| table.contains_key("function")) {
            return function(reader, place, table, tables.len());
        }
        let mut groups = Vec::new();
        let mut good = true;
        for (place, table) in tables.each() {
            match group(reader, place, table) {
                Some(group) => groups.push((place.span, group)),
                None => good = false,
            }
        }
        good = good && distinct(reader, &groups) && one_rest(reader, &groups);
        good.then(|| Self { source: OptimizerSource::Groups(groups.into_iter().map(|(_, group)| group).collect()) })
    }
}

/// `function = "..."`, and nothing else.
fn function(reader: &mut Reader<'_>, place: Place<'_>, table: &DeTable<'_>, tables: usize) -> Option<Optimizer> {
    let value = table.get("function")?;
    let Some(text) = value.get_ref().as_str() else {
        let error = reader
            .error("wrong-type", value.span(), "wrong type of `function` in [optimizer]")
            .label(format!("expected a string, found {}", value.get_ref().type_str()));
        reader.push(error);
        return None;
    };
    let path = Spanned::new(value.span(), text.to_owned());
    let path = name::read_path(reader, &path);
    let mut good = true;
    for (key, _) in table.iter().filter(|(key, _)| key.get_ref() != "function") {
        let error = reader
            .error(
                "exclusive-keys",
                key.span(),
                format!("`function` and `{}` in [optimizer] exclude each other", key.get_ref()),
            )
            .label("nobody would see it: the function makes the whole optimizer")
            .also(value.span(), "the function")
            .help("remove it, or describe the optimizer here and remove `function`");
        reader.push(error);
        good = false;
    }
    if tables > 1 {
        let error = reader
            .error(
                "exclusive-keys",
                place.span,
                "a `function` makes the whole optimizer, and there is more than one [[optimizer]]",
            )
            .label("expected the only [optimizer]")
            .help("let the function make all groups");
        reader.push(error);
        good = false;
    }
    path.filter(|_| good).map(|path| Optimizer { source: OptimizerSource::Function(path) })
}

fn group(reader: &mut Reader<'_>, place: Place<'_>, table: &DeTable<'_>) -> Option<Group> {
    let variants = variants();
    let common = Form::of::<GroupTable>();
    // What no optimizer has is said once, by whoever reads the kind.
    let head: DeTable<'_> =
        table.iter().filter(|(key, _)| common.has(key.get_ref())).map(|(k, v)| (k.clone(), v.clone())).collect();
    let head = reader.table(place, &head, &common, &[], |t| GroupTable::deserialize(Deserializer::from(t)));
    let kind = kinds::read(reader, place, table, &common, &variants);
    let schedule = table.get("schedule").map(|value| Schedule::read(reader, value));
    let kind = kind?;
    let mut good = true;
    if let OptimizerKind::Sgd(Sgd { nesterov: true, momentum, dampening, .. }) = kind
        && (momentum == 0.0 || dampening != 0.0)
        && let Some((key, _)) = table.get_key_value("nesterov")
    {
        let error = reader.error("wrong-value", key.span(), "`nesterov` needs a momentum above zero and no dampening");
        let error = if momentum == 0.0 {
            error.label("there is no momentum to look ahead with").help("such as `momentum = 0.9`")
        } else {
            error.label("dampened momentum looks ahead too far").help("remove `dampening`")
        };
        reader.push(error);
        good = false;
    }
    let head = head.value?;
    if let Some(name) = &head.name {
        good &= name::check(reader, "parameter group", name.get_ref(), name.span().into());
    }
    if let Some(params) = &head.params {
        for text in &params.get_ref().0 {
            good &= glob::check(reader, text, params.span().into());
        }
    }
    let schedule = match schedule {
        Some(read) => Some(read?),
        None => None,
    };
    good.then(|| Group {
        name: head.name.map(|name| Located::new(name.get_ref().clone(), name.span())),
        params: head.params.map(|params| Located::new(params.get_ref().0.clone(), params.span())),
        kind,
        clip: head.clip.map(|clip| clip.0),
        schedule,
    })
}

/// Groups are told of by name.
fn distinct(reader: &mut Reader<'_>, groups: &[(Span, Group)]) -> bool {
    for (index, (_, group)) in groups.iter().enumerate() {
        let Some(name) = &group.name else { continue };
        let other = groups[..index].iter().filter_map(|(_, other)| other.name.as_ref()).find(|n| n.value == name.value);
        if let Some(other) = other {
            let error = reader
                .error("duplicate-name", name.span, format!("two parameter groups are called `{}`", name.value))
                .label("the second one")
                .also(other.span, "the first one");
            reader.push(error);
            return false;
        }
    }
    true
}

/// At most one group takes what the others leave.
fn one_rest(reader: &mut Reader<'_>, groups: &[(Span, Group)]) -> bool {
    let mut rest = groups.iter().filter(|(_, group)| group.params.is_none()).map(|(span, _)| *span);
    let (Some(first), Some(second)) = (rest.next(), rest.next()) else { return true };
    let error = reader
        .error("contradiction", second, "two parameter groups without `params` would both take all parameters")
        .label("the second one")
        .also(first, "the first one")
        .help(
            "say which parameters each group has: `params = \"head.*\"`; one group may go without and takes the rest",
        );
    reader.push(error);
    false
}

/// The schema of `[optimizer]`: the common keys, with those of each kind; or a function; or several groups.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    let common = GroupTable::json_schema(generator);
    let kinds = [
        ("sgd", Sgd::json_schema(generator)),
        ("adam", Adam::json_schema(generator)),
        ("adamw", Adamw::json_schema(generator)),
        ("rmsprop", Rmsprop::json_schema(generator)),
    ];
    let forms: Vec<Schema> = kinds
        .into_iter()
        .map(|(kind, mut schema)| {
            let all = schema.as_object_mut().and_then(|s| s.get_mut("properties")).and_then(|p| p.as_object_mut());
            if let (Some(all), Some(common)) = (all, common.get("properties").and_then(|p| p.as_object())) {
                all.extend(common.iter().map(|(key, value)| (key.clone(), value.clone())));
                all.insert("kind".to_owned(), serde_json::json!({ "const": kind }));
            }
            schema.insert("required".to_owned(), serde_json::json!(["kind", "lr"]));
            schema
        })
        .collect();
    let group = json_schema!({ "description": "How training lowers the loss.", "anyOf": forms });
    generator.definitions_mut().insert("group".to_owned(), group.to_value());
    let group = json_schema!({ "$ref": "#/definitions/group" });
    let groups = json_schema!({ "type": "array", "minItems": 1, "items": group });
    let mut forms = vec![group];
    forms.push(json_schema!({
        "type": "object",
        "properties": {
            "function": {
                "type": "string",
                "description": "A Rust function, by path: `fn(&nn::VarStore) -> impl nncheck::Optimize`.",
            },
        },
        "required": ["function"],
    }));
    forms.push(groups);
    json_schema!({ "anyOf": forms })
}
