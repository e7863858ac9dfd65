//! What a weight is declared to be drawn from, as a distribution of its entries.

use statrs::distribution::{ContinuousCDF, Normal as NormalDistribution};

use crate::diagnostic::Located;
use crate::measurement::weights::WeightTensor;
use crate::spec::Subject;
use crate::spec::layer::{Init, Layer, LayerKind, Normal, Uniform};
use crate::spec::model::ModelSource;

/// A distribution of entries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Distribution {
    Normal { mean: f64, std: f64 },
    Uniform { low: f64, high: f64 },
    Constant(f64),
}

/// Initialisers that a weight may follow although it is not declared to.
const KNOWN: [(&str, Init); 5] = [
    ("PyTorch's default for linear and convolutional layers", Init::Pytorch),
    ("\"kaiming_normal\"", Init::KaimingNormal),
    ("\"kaiming_uniform\"", Init::KaimingUniform),
    ("\"xavier_normal\"", Init::XavierNormal),
    ("\"xavier_uniform\"", Init::XavierUniform),
];

impl Distribution {
    /// Of a weight of this shape; `None` for what is not one distribution of all entries.
    pub(super) fn of(init: Init, shape: &[usize]) -> Option<Self> {
        let (fan_in, fan_out) = fans(shape);
        let normal = |variance: f64| Self::Normal { mean: 0.0, std: variance.sqrt() };
        let uniform = |variance: f64| {
            let bound = (3.0 * variance).sqrt();
            Self::Uniform { low: -bound, high: bound }
        };
        Some(match init {
            Init::Pytorch => uniform(1.0 / (3.0 * fan_in)),
            Init::KaimingNormal => normal(2.0 / fan_in),
            Init::KaimingUniform => uniform(2.0 / fan_in),
            Init::XavierNormal => normal(2.0 / (fan_in + fan_out)),
            Init::XavierUniform => uniform(2.0 / (fan_in + fan_out)),
            Init::Orthogonal => return None,
            Init::Zeros => Self::Constant(0.0),
            Init::Constant(value) => Self::Constant(value),
            Init::Normal(Normal { mean, std }) if std > 0.0 => Self::Normal { mean, std },
            Init::Normal(Normal { mean, .. }) => Self::Constant(mean),
            Init::Uniform(Uniform { low, high }) if high > low => Self::Uniform { low, high },
            Init::Uniform(Uniform { low, .. }) => Self::Constant(low),
        })
    }

    pub(super) fn std(self) -> f64 {
        match self {
            Self::Normal { std, .. } => std,
            Self::Uniform { low, high } => (high - low) / 12f64.sqrt(),
            Self::Constant(_) => 0.0,
        }
    }

    /// The same, spread around its mean by another factor.
    pub(super) fn scaled(self, factor: f64) -> Self {
        match self {
            Self::Normal { mean, std } => Self::Normal { mean, std: std * factor },
            Self::Uniform { low, high } => {
                let (middle, half) = (f64::midpoint(low, high), (high - low) / 2.0 * factor);
                Self::Uniform { low: middle - half, high: middle + half }
            }
            Self::Constant(value) => Self::Constant(value),
        }
    }

    /// Kolmogorov and Smirnov's distance of a tensor's entries from it; of a constant, 1 where an entry is another number.
    pub(super) fn distance(self, tensor: &WeightTensor) -> f64 {
        match self {
            Self::Constant(value) => {
                // Single precision rounds what the spec says.
                let same = |x: &f64| (x - value).abs() <= 1e-6 * value.abs();
                if tensor.ordered.iter().all(same) { 0.0 } else { 1.0 }
            }
            Self::Uniform { low, high } => tensor.distance(|x| ((x - low) / (high - low)).clamp(0.0, 1.0)),
            Self::Normal { mean, std } => match NormalDistribution::new(mean, std) {
                Ok(normal) => tensor.distance(|x| normal.cdf(x)),
                Err(_) => f64::NAN,
            },
        }
    }
}

/// Inputs and outputs of one unit, times the entries of a kernel.
fn fans(shape: &[usize]) -> (f64, f64) {
    let kernel: usize = shape.iter().skip(2).product();
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 entries")]
    let fan = |axis: usize| (shape.get(axis).copied().unwrap_or(1) * kernel).max(1) as f64;
    (fan(1), fan(0))
}

/// A known initialiser that a tensor follows, in words.
pub(super) fn known(tensor: &WeightTensor, furthest: f64) -> Option<&'static str> {
    KNOWN
        .iter()
        .filter_map(|(words, init)| Some((words, Distribution::of(*init, &tensor.shape)?.distance(tensor))))
        .filter(|(_, distance)| *distance <= furthest)
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(words, _)| *words)
}

/// What the layers of the spec declare of a parameter by this name and of this shape; `None` where they say nothing that is
/// one distribution of all entries.
pub(super) fn of_layers(subject: &Subject, name: &str, shape: &[usize]) -> Option<Distribution> {
    let ModelSource::Layers(layers) = &subject.model.source else { return None };
    let (layer, parameter) = find(layers, name)?;
    if parameter != "weight" {
        return None;
    }
    match (&layer.kind, layer.init.weight) {
        (LayerKind::Linear(_) | LayerKind::Conv1d(_) | LayerKind::Conv2d(_) | LayerKind::ConvTranspose2d(_), init) => {
            Distribution::of(init, shape)
        }
        (LayerKind::Embedding(e), Init::Pytorch) if e.padding_idx.is_none() => {
            Some(Distribution::Normal { mean: 0.0, std: 1.0 })
        }
        (LayerKind::Embedding(_), Init::Pytorch) => None,
        (LayerKind::Embedding(_), init) => Distribution::of(init, shape),
        _ => None,
    }
}

/// The layer that a parameter is of, and what it is called there.
fn find<'l, 'n>(layers: &'l [Located<Layer>], name: &'n str) -> Option<(&'l Layer, &'n str)> {
    let (first, rest) = name.split_once('.')?;
    let at = |(index, layer): &(usize, &Located<Layer>)| match &layer.value.name {
        Some(name) => name == first,
        None => index.to_string() == first,
    };
    let (_, layer) = layers.iter().enumerate().find(at)?;
    match &layer.value.kind {
        LayerKind::Residual(residual) => find(&residual.layers, rest),
        _ => Some((&layer.value, rest)),
    }
}
