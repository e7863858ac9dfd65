//! From TOML to layers.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Init, Layer, LayerInit, LayerKind, Residual, init};
use crate::diagnostic::{Located, Span};
use crate::spec::name::{self, NAME_PATTERN};
use crate::spec::read::{Place, Reader, found, with_suggestion};

/// Reads `layers = [...]`; `None` where one of them is wrong.
pub(crate) fn read_layers(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> Option<Vec<Located<Layer>>> {
    let Some(items) = value.get_ref().as_array() else {
        let error = reader
            .error("wrong-type", value.span(), "wrong type of `layers` in [model]")
            .label(format!("expected an array of layers, found {}", found(value.get_ref())));
        reader.push(error);
        return None;
    };
    if items.is_empty() {
        let error = reader
            .error("wrong-value", value.span(), "a model without layers")
            .label("expected at least one layer")
            .help("such as `layers = [\"flatten\", { linear = { out = 10 } }]`");
        reader.push(error);
        return None;
    }
    let layers: Vec<Option<Located<Layer>>> = items.iter().map(|item| read_layer(reader, item)).collect();
    let layers: Option<Vec<Located<Layer>>> = layers.into_iter().collect();
    layers.filter(|layers| names_differ(reader, layers))
}

/// Whether every layer has a name of its own, where an unnamed one is named by its index.
fn names_differ(reader: &mut Reader<'_>, layers: &[Located<Layer>]) -> bool {
    let name = |index: usize| layers[index].value.name.clone().unwrap_or_else(|| index.to_string());
    let mut differ = true;
    for index in 1..layers.len() {
        if let Some(other) = (0..index).find(|&other| name(other) == name(index)) {
            differ = false;
            let error = reader
                .error("duplicate-name", layers[index].span, format!("two layers are named `{}`", name(index)))
                .label("the second one")
                .also(layers[other].span, "the first one")
                .help("give each layer a name of its own; one without a name is named by its index");
            reader.push(error);
        }
    }
    differ
}

fn read_layer(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> Option<Located<Layer>> {
    let span: Span = value.span().into();
    match value.get_ref() {
        DeValue::String(kind) => {
            let kind = read_kind(reader, kind, span, &DeTable::new(), span)?;
            Some(Located::new(Layer { name: None, init: LayerInit::default(), kind }, span))
        }
        DeValue::Table(table) => {
            let mut kinds = Vec::new();
            let mut name = Some(None);
            let mut drawn = None;
            for (key, value) in table {
                match key.get_ref().as_ref() {
                    "name" => name = read_name(reader, value).map(Some),
                    "init" => drawn = Some((key, value)),
                    _ => kinds.push((key, value)),
                }
            }
            if let [] | [_, _, ..] = kinds[..] {
                let found: Vec<&str> = kinds.iter().map(|(key, _)| key.get_ref().as_ref()).collect();
                let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
                let error = reader
                    .error("wrong-value", span, "a layer is one kind with its arguments")
                    .label(format!("expected one kind of layer, found {found}"))
                    .help("such as `\"relu\"`, or `{ linear = { out = 10 }, name = \"head\" }`");
                reader.push(error);
                return None;
            }
            let (key, arguments) = kinds[0];
            let kind = key.get_ref().as_ref();
            let DeValue::Table(table) = arguments.get_ref() else {
                if LayerKind::NAMES.contains(&kind) {
                    let found = found(arguments.get_ref());
                    let error = reader
                        .error("wrong-type", arguments.span(), format!("wrong type of the arguments of `{kind}`"))
                        .label(format!("expected a table, found {found}"))
                        .help(match LayerKind::first_argument(kind) {
                            Some(name) => {
                                let written = &reader.file.text[arguments.span()];
                                format!(
                                    "arguments are written by name, such as `{{ {kind} = {{ {name} = {written} }} }}`"
                                )
                            }
                            None => format!("it has no arguments: write `\"{kind}\"`"),
                        });
                    reader.push(error);
                } else {
                    unknown(reader, kind, key.span().into());
                }
                return None;
            };
            let kind = read_kind(reader, kind, key.span().into(), table, arguments.span().into())?;
            let init = match drawn {
                Some((key, value)) => init::read(reader, key, value, &kind)?,
                None => LayerInit::default(),
            };
            Some(Located::new(Layer { name: name?, init, kind }, span))
        }
        other => {
            let error = reader
                .error("wrong-type", span, "wrong type of a layer")
                .label(format!("expected a name or a table, found {}", found(other)))
                .help("such as `\"relu\"`, or `{ linear = { out = 10 }, name = \"head\" }`");
            reader.push(error);
            None
        }
    }
}

fn read_name(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> Option<String> {
    let Some(name) = value.get_ref().as_str() else {
        let error = reader
            .error("wrong-type", value.span(), "wrong type of a layer's name")
            .label(format!("expected a string, found {}", found(value.get_ref())));
        reader.push(error);
        return None;
    };
    name::check(reader, "layer", name, value.span().into()).then(|| name.to_owned())
}

fn read_kind(
    reader: &mut Reader<'_>,
    name: &str,
    name_span: Span,
    arguments: &DeTable<'_>,
    span: Span,
) -> Option<LayerKind> {
    let what = format!("`{name}`");
    if name == "residual" {
        return Residual::read(reader, Place { what: &what, span }, arguments);
    }
    match LayerKind::read(reader, name, Place { what: &what, span }, arguments) {
        Some(read) => read.value,
        None => {
            unknown(reader, name, name_span);
            None
        }
    }
}

fn unknown(reader: &mut Reader<'_>, name: &str, span: Span) {
    let error = reader.error("unknown-layer", span, format!("unknown layer `{}`", name.escape_debug()));
    reader.push(with_suggestion(error, name, LayerKind::NAMES, "a layer"));
}

/// The schema of one layer: a bare name, or a table of one kind with its arguments and perhaps a name and `init`.
#[must_use]
pub fn schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<LayerSchema>()
}

/// The schema of one layer, by a name of its own, because layers hold layers.
pub(super) struct LayerSchema;

impl JsonSchema for LayerSchema {
    fn schema_name() -> Cow<'static, str> {
        "layer".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut bare = Vec::new();
        let mut forms = Vec::new();
        let (one, each) = (generator.subschema_for::<Init>(), generator.subschema_for::<LayerInit>());
        let init = json_schema!({ "anyOf": [one, each], "description": "What its parameters are drawn from." });
        for (name, mut arguments) in LayerKind::schemas(generator) {
            let needs = arguments.get("required").and_then(|r| r.as_array()).is_some_and(|r| !r.is_empty());
            if !needs {
                bare.push(name);
            }
            arguments.insert("additionalProperties".to_owned(), false.into());
            forms.push(json_schema!({
                "type": "object",
                "properties": { name: arguments, "name": { "type": "string", "pattern": NAME_PATTERN }, "init": init },
                "required": [name],
                "additionalProperties": false,
            }));
        }
        let mut all = vec![json_schema!({ "enum": bare })];
        all.append(&mut forms);
        json_schema!({ "anyOf": all })
    }
}
