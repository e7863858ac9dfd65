//! From `[optimizer]` to [`Optimizer`].

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

use super::{Adam, Adamw, Clip, Optimizer, OptimizerKind, Rmsprop, Sgd};
use crate::spec::read::{Form, Place, Reader};

/// How training lowers the loss.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "optimizer")]
pub(crate) struct OptimizerTable {
    /// Which one; names and defaults are PyTorch's.
    kind: Kind,
    /// Gradient clipping before each step: `{ norm = 1.0 }` or `{ value = 0.5 }`.
    #[schemars(with = "Option<Clip>")]
    clip: Option<Spanned<Clip>>,
}

/// The optimizers that nncheck knows.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "optimizer_kind")]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Stochastic gradient descent.
    Sgd,
    /// Adam (Kingma and Ba 2015).
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    Adamw,
    /// `RMSprop` (Hinton 2012).
    Rmsprop,
}

/// Keys of later versions.
const LATER: &[&str] = &["function", "schedule", "name", "params", "dampening", "amsgrad", "centered", "maximize"];

impl Optimizer {
    /// Reads `[optimizer]`.
    pub(crate) fn read(reader: &mut Reader<'_>, place: Place<'_>, table: &DeTable<'_>) -> Option<Self> {
        let forms = [
            ("sgd", Form::of::<Sgd>()),
            ("adam", Form::of::<Adam>()),
            ("adamw", Form::of::<Adamw>()),
            ("rmsprop", Form::of::<Rmsprop>()),
        ];
        let common = Form::of::<OptimizerTable>();
        let any: Vec<&str> = forms.iter().flat_map(|(_, form)| form.keys()).collect();
        // What no optimizer has is said once, by whoever knows the kind; here only where there is none to know.
        let kind = table.get("kind").and_then(|kind| kind.get_ref().as_str());
        let known = forms.iter().find(|(name, _)| Some(*name) == kind);
        let head: DeTable<'_> = match known {
            None => table.clone(),
            Some(_) => {
                table.iter().filter(|(key, _)| common.has(key.get_ref())).map(|(k, v)| (k.clone(), v.clone())).collect()
            }
        };
        let read = reader.table(place, &head, &common.clone().beside(any), LATER, |t| {
            OptimizerTable::deserialize(Deserializer::from(t))
        });
        let (kind, form) = known?;
        let form = form.clone().beside(common.keys());
        let mut table = table.clone();
        for (other, others) in forms.iter().filter(|(other, _)| other != kind) {
            let foreign: Vec<_> =
                table.keys().filter(|k| others.has(k.get_ref()) && !form.has(k.get_ref())).cloned().collect();
            for key in foreign {
                table.remove(key.get_ref().as_ref());
                let error = reader
                    .error("unknown-key", key.span(), format!("`{kind}` has no `{key}`"))
                    .label(format!("`{other}` has"))
                    .help(format!("keys of `{kind}` are {}", form.keys().collect::<Vec<_>>().join(", ")));
                reader.push(error);
            }
        }
        let settings = match read.value.as_ref().map(|raw| raw.kind) {
            Some(Kind::Sgd) => reader.table(place, &table, &form, LATER, |t| {
                Sgd::deserialize(Deserializer::from(t)).map(OptimizerKind::Sgd)
            }),
            Some(Kind::Adam) => reader.table(place, &table, &form, LATER, |t| {
                Adam::deserialize(Deserializer::from(t)).map(OptimizerKind::Adam)
            }),
            Some(Kind::Adamw) => reader.table(place, &table, &form, LATER, |t| {
                Adamw::deserialize(Deserializer::from(t)).map(OptimizerKind::Adamw)
            }),
            Some(Kind::Rmsprop) => reader.table(place, &table, &form, LATER, |t| {
                Rmsprop::deserialize(Deserializer::from(t)).map(OptimizerKind::Rmsprop)
            }),
            None => return None,
        };
        let settings = settings.value?;
        if let OptimizerKind::Sgd(Sgd { nesterov: true, momentum, .. }) = settings
            && momentum == 0.0
            && let Some((key, _)) = table.get_key_value("nesterov")
        {
            let error = reader
                .error("wrong-value", key.span(), "`nesterov` needs a momentum above zero")
                .label("there is no momentum to look ahead with")
                .help("such as `momentum = 0.9`");
            reader.push(error);
        }
        let clip = read.value?.clip;
        if let Some(clip) = &clip {
            let (Clip::Norm(bound) | Clip::Value(bound)) = *clip.get_ref();
            if !(bound.is_finite() && bound > 0.0) {
                let error = reader
                    .error("wrong-value", clip.span(), "wrong value of `clip` in [optimizer]")
                    .label(format!("expected a bound above 0, found {bound}"));
                reader.push(error);
            }
        }
        Some(Self { kind: settings, clip: clip.map(Spanned::into_inner) })
    }
}

/// The schema of `[optimizer]`: the common keys, with those of each kind.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    let common = OptimizerTable::json_schema(generator);
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
    json_schema!({ "description": "How training lowers the loss.", "anyOf": forms })
}
