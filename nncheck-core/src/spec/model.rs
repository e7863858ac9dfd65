//! `[model]`: the network under test.

use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::DeTable;

use super::glob;
use super::layer::{self, Layer, read_layers};
use super::name::read_path;
use super::read::{Place, Reader};
use super::values::Or;
use crate::diagnostic::Located;

/// The network under test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Where it comes from.
    pub source: ModelSource,
    /// A state dict to load after building.
    pub weights: Option<Weights>,
    /// Globs of parameters that must not move.
    pub frozen: Vec<Located<String>>,
}

/// Exactly one of the ways to name a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ModelSource {
    /// A Rust function of the user's library, `fn(&nn::Path) -> impl ModuleT`, by path.
    Builder {
        /// `crate::path::function`.
        path: Located<String>,
        /// What `hyper = { ... }` hands to it; JSON object, `null` where there is none.
        hyper: String,
    },
    /// Layers, one after another.
    Layers(Vec<Located<Layer>>),
    /// A model saved by `torch.jit.save`; absolute, resolved against the spec's folder.
    TorchScript(Located<PathBuf>),
    /// A type of the user's library that implements `nncheck::Subject`, by path: a whole training program.
    Subject {
        /// `crate::path::Type`.
        path: Located<String>,
        /// As for a builder.
        hyper: String,
    },
}

/// A file of parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// The file; absolute, resolved against the spec's folder.
    pub file: Located<PathBuf>,
    /// Names in the file that are no parameters.
    pub ignore: Vec<String>,
}

/// The network under test: exactly one of `builder`, `layers`, `torchscript`, `subject`.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "model")]
pub(crate) struct ModelTable {
    /// A Rust function `fn(&nn::Path) -> M` or `fn(&nn::Path, &Hyper) -> M`, by path; M is a `tch::nn::ModuleT` or an
    /// `nncheck::Model`.
    #[schemars(with = "Option<String>")]
    builder: Option<Spanned<String>>,
    /// A type that implements `nncheck::Subject`, by path: many networks, losses, optimizers.
    #[schemars(with = "Option<String>")]
    subject: Option<Spanned<String>>,
    /// Layers, one after another.
    #[serde(default)]
    #[schemars(schema_with = "layers_schema")]
    #[expect(dead_code, reason = "walked by hand, for the places; here for the schema")]
    layers: Option<IgnoredAny>,
    /// A model exported from Python by `torch.jit.script(model).save("model.pt")`. It starts from the parameters that it
    /// was saved with: seeds decide the order of the batches and the masks of dropout only.
    #[schemars(with = "Option<String>")]
    torchscript: Option<Spanned<String>>,
    /// A state dict to load after building: .safetensors, .ot, .npz, or .pt of `torch.save`.
    #[schemars(with = "Option<Or<String, WeightsTable>>")]
    weights: Option<Spanned<Or<String, WeightsTable>>>,
    /// Handed to the builder.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    hyper: Option<Spanned<toml::Table>>,
    /// Globs of parameters that must not move.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    frozen: Vec<Spanned<String>>,
}

/// A file of parameters, and the names in it that are none.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[schemars(rename = "weights")]
#[serde(deny_unknown_fields)]
pub(crate) struct WeightsTable {
    /// The file: .safetensors, .ot, .npz, or .pt of `torch.save`.
    file: String,
    /// Names in the file that are no parameters.
    #[serde(default)]
    ignore: Vec<String>,
}

impl Model {
    /// Reads `[model]`.
    pub(crate) fn read(reader: &mut Reader<'_>, place: Place<'_>, table: &DeTable<'_>) -> Option<Self> {
        let layers = table.get("layers").map(|value| read_layers(reader, value));
        let read = reader.value::<ModelTable>(place, table, &[]);
        let raw = read.value?;
        let chosen = reader.one_of(place, table, &["builder", "layers", "torchscript", "subject"], read.whole);
        let weights = raw.weights.map(|weights| {
            let span = weights.span();
            let (file, ignore) = match weights.into_inner() {
                Or::Short(file) => (file, Vec::new()),
                Or::Long(table) => (table.file, table.ignore),
            };
            Weights { file: Located::new(reader.file.resolve(span.clone(), file), span), ignore }
        });
        let hyper = match &raw.hyper {
            None => Some("null".to_owned()),
            Some(hyper) => hyper_json(reader, hyper),
        };
        if let (Some(hyper), None, None, true) = (&raw.hyper, &raw.builder, &raw.subject, read.whole) {
            let error = reader
                .error("wrong-value", hyper.span(), "`hyper` in [model] is for a builder or a subject")
                .label("nobody would see it")
                .help("write the numbers into `layers`, or use `builder`");
            reader.push(error);
        }
        let frozen = glob::read_all(reader, raw.frozen)?;
        let source = match chosen? {
            "builder" => ModelSource::Builder { path: read_path(reader, &raw.builder?)?, hyper: hyper? },
            "subject" => ModelSource::Subject { path: read_path(reader, &raw.subject?)?, hyper: hyper? },
            "torchscript" => {
                let file = raw.torchscript?;
                let span = file.span();
                let path = reader.file.resolve(span.clone(), file.into_inner());
                ModelSource::TorchScript(Located::new(path, span))
            }
            _ => ModelSource::Layers(layers??),
        };
        Some(Self { source, weights, frozen })
    }
}

/// TOML as JSON; what JSON cannot say is refused.
fn hyper_json(reader: &mut Reader<'_>, hyper: &Spanned<toml::Table>) -> Option<String> {
    fn json(value: &toml::Value) -> Result<serde_json::Value, &'static str> {
        Ok(match value {
            toml::Value::String(text) => text.clone().into(),
            toml::Value::Integer(number) => (*number).into(),
            toml::Value::Float(number) => {
                serde_json::Number::from_f64(*number).ok_or("expected finite numbers").map(Into::into)?
            }
            toml::Value::Boolean(yes) => (*yes).into(),
            toml::Value::Datetime(_) => return Err("expected no dates"),
            toml::Value::Array(items) => serde_json::Value::Array(items.iter().map(json).collect::<Result<_, _>>()?),
            toml::Value::Table(table) => serde_json::Value::Object(
                table
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), json(value)?)))
                    .collect::<Result<_, &'static str>>()?,
            ),
        })
    }
    match json(&toml::Value::Table(hyper.get_ref().clone())) {
        Ok(value) => Some(value.to_string()),
        Err(why) => {
            let error = reader.error("wrong-value", hyper.span(), "wrong value of `hyper` in [model]").label(why);
            reader.push(error);
            None
        }
    }
}

fn layers_schema(generator: &mut SchemaGenerator) -> Schema {
    let layer = layer::schema(generator);
    json_schema!({ "type": "array", "items": layer, "minItems": 1, "description": "Layers, one after another." })
}
