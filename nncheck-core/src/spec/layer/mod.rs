//! `[model] layers`: PyTorch's layers in `snake_case`, with its arguments and defaults. One file a family; a new layer is
//! a new type that knows its [`Rule`], and one line below.

mod activation;
mod attention;
mod batch_norm;
mod conv;
mod conv_transpose2d;
mod dropout;
mod embedding;
mod flatten;
mod infer;
mod init;
mod linear;
mod names;
mod norm;
mod padding;
mod page;
mod pool;
mod read;
mod recurrent;
mod reshape;
mod residual;
mod sizes;
mod window;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, Deserializer};

use super::read::{Form, Place, Read, Reader};
pub use activation::{Approximate, Elu, Gelu, LeakyRelu, Relu, Sigmoid, Silu, Softmax, Tanh};
pub use attention::{EncoderActivation, MultiheadAttention, TransformerEncoderLayer};
pub use batch_norm::BatchNorm;
pub use conv::Conv;
pub use conv_transpose2d::ConvTranspose2d;
pub use dropout::Dropout;
pub(crate) use dropout::set_all as set_dropout;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use infer::{Inferred, LayerError, infer};
pub use init::{Init, LayerInit, Normal, Uniform};
pub use linear::Linear;
pub use names::parameter_names;
pub use norm::{GroupNorm, LayerNorm};
pub use padding::{Padding, PaddingMode};
pub use page::reference_page;
pub use pool::{AdaptiveAvgPool2d, AvgPool2d, MaxPool2d};
pub(crate) use read::read_layers;
pub use read::schema;
pub use recurrent::{LastStep, Recurrent};
pub use reshape::Reshape;
pub use residual::Residual;
pub use sizes::{Dims, Pair, Sizes};

/// One layer of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Its name, where the spec gives one; else it is named by its index.
    pub name: Option<String>,
    /// What its parameters are drawn from.
    #[serde(default)]
    pub init: LayerInit,
    /// What it does.
    pub kind: LayerKind,
}

/// How a layer changes the shape of one example (the batch axis left out).
trait Rule {
    /// The shape that comes out; fills in the sizes that the spec left to the shape that goes in.
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit>;
}

/// Why a layer does not fit its input, or itself.
enum Misfit {
    /// What it takes, such as "takes 32 features", and what to do.
    Input { takes: String, help: Option<String> },
    /// Its arguments do not fit each other.
    Arguments(String),
    /// A layer inside it does not fit.
    Inside(LayerError),
}

impl Misfit {
    fn takes(takes: impl Into<String>) -> Self {
        Self::Input { takes: takes.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        match self {
            Self::Input { takes, .. } => Self::Input { takes, help: Some(help.into()) },
            other => other,
        }
    }
}

macro_rules! layers {
    ($($(#[$doc:meta])* $name:literal => $variant:ident($arguments:ty),)*) => {
        /// What a layer does, with its arguments.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum LayerKind {
            $($(#[$doc])* $variant($arguments),)*
        }

        impl LayerKind {
            /// All names, as written in a spec.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The name as written in a spec.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            fn rule(&mut self) -> &mut dyn Rule {
                match self { $(Self::$variant(arguments) => arguments,)* }
            }

            /// Reads the arguments of a layer; `None` where no layer has this name.
            fn read(reader: &mut Reader<'_>, name: &str, place: Place<'_>, table: &DeTable<'_>) -> Option<Read<Self>> {
                match name {
                    $($name => {
                        let form = Form::of::<$arguments>();
                        Some(reader.table(place, table, &form, LATER_ARGUMENTS, |t| {
                            <$arguments>::deserialize(Deserializer::from(t)).map(Self::$variant)
                        }))
                    })*
                    _ => None,
                }
            }

            /// The argument of a layer that has to be there; else its first one; `None` where it has none.
            fn first_argument(name: &str) -> Option<String> {
                let schemas = Self::schemas(&mut SchemaGenerator::default());
                let (_, schema) = schemas.into_iter().find(|(known, _)| *known == name)?;
                let required = schema.get("required").and_then(|keys| keys.get(0)?.as_str());
                let first = || schema.get("properties")?.as_object()?.keys().next().map(String::as_str);
                required.or_else(first).map(str::to_owned)
            }

            /// The schema of each layer's arguments.
            fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
                vec![$(($name, <$arguments>::json_schema(generator))),*]
            }
        }
    };
}

layers! {
    /// `x W^T + b` over the last axis.
    "linear" => Linear(Linear),
    /// Cross-correlation over the last axis of `[C, L]`.
    "conv1d" => Conv1d(Conv<1>),
    /// Cross-correlation over the last two axes of `[C, H, W]`.
    "conv2d" => Conv2d(Conv<2>),
    /// The transpose of a convolution of images.
    "conv_transpose2d" => ConvTranspose2d(ConvTranspose2d),
    /// Batch normalisation of `[C]` or `[C, L]`.
    "batch_norm1d" => BatchNorm1d(BatchNorm<1>),
    /// Batch normalisation of `[C, H, W]`.
    "batch_norm2d" => BatchNorm2d(BatchNorm<2>),
    /// Normalisation of each example over its last axes.
    "layer_norm" => LayerNorm(LayerNorm),
    /// Normalisation of groups of channels of each example.
    "group_norm" => GroupNorm(GroupNorm),
    /// A vector for each token.
    "embedding" => Embedding(Embedding),
    /// Long short-term memory over the steps of `[T, F]`.
    "lstm" => Lstm(Recurrent),
    /// Gated recurrent units over the steps of `[T, F]`.
    "gru" => Gru(Recurrent),
    /// Self-attention over the steps of `[T, F]`.
    "multihead_attention" => MultiheadAttention(MultiheadAttention),
    /// Self-attention and a network over each step of `[T, F]`.
    "transformer_encoder_layer" => TransformerEncoderLayer(TransformerEncoderLayer),
    /// `max(0, x)`.
    "relu" => Relu(Relu),
    /// `x` above zero, `negative_slope * x` below.
    "leaky_relu" => LeakyRelu(LeakyRelu),
    /// `x` above zero, `alpha * (exp(x) - 1)` below.
    "elu" => Elu(Elu),
    /// `x` times the normal distribution function of `x`.
    "gelu" => Gelu(Gelu),
    /// `x / (1 + exp(-x))`.
    "silu" => Silu(Silu),
    /// The hyperbolic tangent.
    "tanh" => Tanh(Tanh),
    /// `1 / (1 + exp(-x))`.
    "sigmoid" => Sigmoid(Sigmoid),
    /// Exponentials that sum to one along an axis.
    "softmax" => Softmax(Softmax),
    /// The logarithm of softmax.
    "log_softmax" => LogSoftmax(Softmax),
    /// Zeroes entries at random in train mode.
    "dropout" => Dropout(Dropout),
    /// The largest entry of each window.
    "max_pool2d" => MaxPool2d(MaxPool2d),
    /// The mean of each window.
    "avg_pool2d" => AvgPool2d(AvgPool2d),
    /// The mean of windows that divide the last two axes into parts.
    "adaptive_avg_pool2d" => AdaptiveAvgPool2d(AdaptiveAvgPool2d),
    /// Makes several axes one.
    "flatten" => Flatten(Flatten),
    /// The same entries in another shape.
    "reshape" => Reshape(Reshape),
    /// The input plus what layers make of it.
    "residual" => Residual(Residual),
    /// The last step of `[T, F]`.
    "last_step" => LastStep(LastStep),
}

/// PyTorch's arguments that later versions may know.
const LATER_ARGUMENTS: &[&str] =
    &["add_bias_kv", "add_zero_attn", "max_norm", "norm_type", "proj_size", "return_indices", "sparse"];

/// PyTorch's `batch_first`, which is always true here.
fn batch_first<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    if bool::deserialize(deserializer)? {
        Ok(true)
    } else {
        Err(serde::de::Error::custom("expected true: the batch is always the first axis, [N, T, F]"))
    }
}

/// Bounds of sizes, held while they are read.
mod size {
    use serde::de::{Deserialize, Deserializer, Error};

    /// Far above any layer that fits into memory, and far below where arithmetic on sizes overflows.
    pub(super) const LARGEST: usize = 1_000_000_000;

    pub(super) fn check<E: Error>(size: usize) -> Result<usize, E> {
        if (1..=LARGEST).contains(&size) {
            Ok(size)
        } else {
            Err(E::custom(format_args!("expected a whole number from 1 to {LARGEST}, found {size}")))
        }
    }

    pub(super) fn one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
        check(usize::deserialize(deserializer)?)
    }

    pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
        Option::<usize>::deserialize(deserializer)?.map(check).transpose()
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests;
