//! PyTorch's default initialisation, drawn from the same stream in the same order, so that one seed gives the same
//! numbers in both.

use tch::Tensor;
use tch::nn::{Init, Path};

/// The weight of a linear or convolutional layer: `kaiming_uniform_(a = sqrt(5))`, with the roundings of PyTorch's own
/// formula; mathematically `U(-1/sqrt(fan_in), 1/sqrt(fan_in))`.
pub(super) fn weight(path: &Path<'_>, shape: &[i64]) -> Tensor {
    let slope = 5.0_f64.sqrt();
    let gain = (2.0 / (1.0 + slope * slope)).sqrt();
    let bound = 3.0_f64.sqrt() * (gain / fan_in(shape).sqrt());
    path.var("weight", shape, Init::Uniform { lo: -bound, up: bound })
}

/// The bias that goes with a weight: `U(-1/sqrt(fan_in), 1/sqrt(fan_in))`.
pub(super) fn bias(path: &Path<'_>, units: i64, weight_shape: &[i64]) -> Tensor {
    let bound = 1.0 / fan_in(weight_shape).sqrt();
    path.var("bias", &[units], Init::Uniform { lo: -bound, up: bound })
}

/// Inputs of one unit.
fn fan_in(weight_shape: &[i64]) -> f64 {
    weight_shape.iter().skip(1).product::<i64>().max(1) as f64
}
