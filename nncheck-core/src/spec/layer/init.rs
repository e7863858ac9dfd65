//! `init` of a layer: what its weights and biases are drawn from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, Deserializer};

use super::LayerKind;
use crate::diagnostic::Span;
use crate::spec::read::{Form, Place, Reader};
use crate::spec::values::bounds;

/// What the parameters of a layer are drawn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LayerInit {
    /// What its weights are drawn from.
    #[serde(default)]
    pub weight: Init,
    /// What its biases are drawn from.
    #[serde(default)]
    pub bias: Init,
}

/// What a parameter is drawn from: a function of `torch.nn.init` with its defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// PyTorch's default for the layer.
    #[default]
    Pytorch,
    /// A normal distribution of variance `2 / fan_in`.
    KaimingNormal,
    /// A uniform distribution of variance `2 / fan_in`.
    KaimingUniform,
    /// A normal distribution of variance `2 / (fan_in + fan_out)`.
    XavierNormal,
    /// A uniform distribution of variance `2 / (fan_in + fan_out)`.
    XavierUniform,
    /// A random matrix whose rows, or columns if they are fewer, are orthonormal.
    Orthogonal,
    /// Zeros.
    Zeros,
    /// One number.
    Constant(#[serde(deserialize_with = "bounds::finite")] f64),
    /// A normal distribution.
    Normal(Normal),
    /// A uniform distribution.
    Uniform(Uniform),
}

/// A normal distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Normal {
    /// Its mean.
    #[serde(default, deserialize_with = "bounds::finite")]
    pub mean: f64,
    /// Its standard deviation.
    #[serde(default = "one", deserialize_with = "bounds::not_negative")]
    pub std: f64,
}

/// A uniform distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// Its lower end.
    #[serde(default, deserialize_with = "bounds::finite")]
    pub low: f64,
    /// Its upper end.
    #[serde(default = "one", deserialize_with = "bounds::finite")]
    pub high: f64,
}

fn one() -> f64 {
    1.0
}

impl Init {
    /// Whether it asks for a matrix: a vector has no number of inputs and outputs.
    fn needs_matrix(self) -> bool {
        matches!(
            self,
            Self::KaimingNormal | Self::KaimingUniform | Self::XavierNormal | Self::XavierUniform | Self::Orthogonal
        )
    }
}

/// The key alone, in one of its forms.
#[derive(Deserialize)]
struct One {
    init: Init,
}

#[derive(Deserialize)]
struct Each {
    init: LayerInit,
}

/// Reads `init = ...` of a layer `kind`.
pub(super) fn read<'i>(
    reader: &mut Reader<'_>,
    key: &Spanned<DeString<'i>>,
    value: &Spanned<DeValue<'i>>,
    kind: &LayerKind,
) -> Option<LayerInit> {
    let mut table = DeTable::new();
    table.insert(key.clone(), value.clone());
    let what = format!("`{}`", kind.name());
    let place = Place { what: &what, span: key.span().into() };
    let form = Form::default().with("init");
    let each =
        value.get_ref().as_table().is_some_and(|t| t.len() != 1 || t.contains_key("weight") || t.contains_key("bias"));
    let init = if each {
        reader.table(place, &table, &form, &[], |t| Each::deserialize(Deserializer::from(t)).map(|r| r.init)).value?
    } else {
        let one = reader.table(place, &table, &form, &[], |t| One::deserialize(Deserializer::from(t)).map(|r| r.init));
        LayerInit { weight: one.value?, bias: Init::Pytorch }
    };
    fits(reader, value.span().into(), init, kind).then_some(init)
}

/// Whether the layer has what is to be drawn, and it can be drawn.
fn fits(reader: &mut Reader<'_>, span: Span, init: LayerInit, kind: &LayerKind) -> bool {
    let name = kind.name();
    let parameters = Parameters::of(kind);
    let (label, help) = if matches!(kind, LayerKind::Residual(_)) {
        ("a residual has no parameters of its own".to_owned(), "give `init` to the layers inside")
    } else if !parameters.weight {
        (format!("`{name}` has no parameters here"), "remove it")
    } else if init.weight.needs_matrix() && parameters.vector {
        (
            format!("the weight of `{name}` is a vector, which has no number of inputs and outputs"),
            "use \"pytorch\", \"zeros\", { constant = ... }, { normal = ... } or { uniform = ... }",
        )
    } else if init.bias.needs_matrix() {
        (
            "a bias is a vector, which has no number of inputs and outputs".to_owned(),
            "use \"pytorch\", \"zeros\", { constant = ... }, { normal = ... } or { uniform = ... } for it",
        )
    } else if init.bias != Init::Pytorch && !parameters.bias {
        (format!("`{name}` has no bias here"), "remove `bias`")
    } else if let Some(uniform) = [init.weight, init.bias].iter().find_map(|init| match init {
        Init::Uniform(uniform) if uniform.low > uniform.high => Some(uniform),
        _ => None,
    }) {
        (format!("`low` = {} is above `high` = {}", uniform.low, uniform.high), "exchange them")
    } else {
        return true;
    };
    let error = reader.error("wrong-value", span, format!("wrong `init` of `{name}`")).label(label).help(help);
    reader.push(error);
    false
}

/// What parameters a layer has.
#[derive(Default)]
struct Parameters {
    weight: bool,
    /// The weight is a vector.
    vector: bool,
    bias: bool,
}

impl Parameters {
    fn of(kind: &LayerKind) -> Self {
        let matrix = |bias| Self { weight: true, vector: false, bias };
        let vector = |weight, bias| Self { weight, vector: true, bias };
        match kind {
            LayerKind::Linear(l) => matrix(l.bias),
            LayerKind::Conv1d(l) => matrix(l.bias),
            LayerKind::Conv2d(l) => matrix(l.bias),
            LayerKind::ConvTranspose2d(l) => matrix(l.bias),
            LayerKind::Embedding(_) => matrix(false),
            LayerKind::Lstm(l) | LayerKind::Gru(l) => matrix(l.bias),
            LayerKind::MultiheadAttention(l) => matrix(l.bias),
            LayerKind::TransformerEncoderLayer(l) => matrix(l.bias),
            LayerKind::BatchNorm1d(l) => vector(l.affine, l.affine),
            LayerKind::BatchNorm2d(l) => vector(l.affine, l.affine),
            LayerKind::LayerNorm(l) => vector(l.elementwise_affine, l.elementwise_affine && l.bias),
            LayerKind::GroupNorm(l) => vector(l.affine, l.affine),
            _ => Self::default(),
        }
    }
}
