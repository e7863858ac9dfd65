//! `[model] layers`: PyTorch's layers in `snake_case`, with its arguments and defaults. One file a family; a new layer is
//! a new type that knows its [`Rule`], and one line below.

mod activation;
mod batch_norm;
mod conv2d;
mod dropout;
mod flatten;
mod infer;
mod linear;
mod pair;
mod pool;
mod read;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, Deserializer};

use super::read::{Form, Place, Read, Reader};
pub use activation::{Approximate, Gelu, Relu, Sigmoid, Softmax, Tanh};
pub use batch_norm::BatchNorm;
pub use conv2d::Conv2d;
pub use dropout::Dropout;
pub(crate) use dropout::set_all as set_dropout;
pub use flatten::Flatten;
pub use infer::{Inferred, LayerError, infer};
pub use linear::Linear;
pub use pair::Pair;
pub use pool::{AdaptiveAvgPool2d, MaxPool2d};
pub(crate) use read::read_layers;
pub use read::schema;

/// One layer of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Its name, where the spec gives one; else it is named by its index.
    pub name: Option<String>,
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
    /// Cross-correlation over the last two axes.
    "conv2d" => Conv2d(Conv2d),
    /// Batch normalisation of `[C]` or `[C, L]`.
    "batch_norm1d" => BatchNorm1d(BatchNorm<1>),
    /// Batch normalisation of `[C, H, W]`.
    "batch_norm2d" => BatchNorm2d(BatchNorm<2>),
    /// `max(0, x)`.
    "relu" => Relu(Relu),
    /// The hyperbolic tangent.
    "tanh" => Tanh(Tanh),
    /// `1 / (1 + exp(-x))`.
    "sigmoid" => Sigmoid(Sigmoid),
    /// `x` times the normal distribution function of `x`.
    "gelu" => Gelu(Gelu),
    /// Exponentials that sum to one along an axis.
    "softmax" => Softmax(Softmax),
    /// The logarithm of softmax.
    "log_softmax" => LogSoftmax(Softmax),
    /// Zeroes entries at random in train mode.
    "dropout" => Dropout(Dropout),
    /// Makes several axes one.
    "flatten" => Flatten(Flatten),
    /// The largest entry of each window.
    "max_pool2d" => MaxPool2d(MaxPool2d),
    /// The mean of windows that divide the last two axes into parts.
    "adaptive_avg_pool2d" => AdaptiveAvgPool2d(AdaptiveAvgPool2d),
}

/// Layers of the spec language that later versions will know.
const LATER: &[&str] = &[
    "avg_pool2d",
    "conv1d",
    "conv_transpose2d",
    "elu",
    "embedding",
    "group_norm",
    "gru",
    "last_step",
    "layer_norm",
    "leaky_relu",
    "lstm",
    "multihead_attention",
    "reshape",
    "residual",
    "silu",
    "transformer_encoder_layer",
];

/// PyTorch's arguments that later versions may know.
const LATER_ARGUMENTS: &[&str] = &["padding_mode", "return_indices"];

/// Bounds of sizes, held while they are read.
mod size {
    use serde::de::{Deserialize, Deserializer, Error};

    /// Far above any layer that fits into memory, and far below where arithmetic on sizes overflows.
    pub(super) const LARGEST: usize = 1_000_000_000;

    fn check<E: Error>(size: usize) -> Result<usize, E> {
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
