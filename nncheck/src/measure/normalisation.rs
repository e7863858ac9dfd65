//! Batch norm's running statistics against the data's.
//!
//! A layer that keeps running statistics r moves them by a batch's statistics b: r' = (1 - m) r + m b. Two passes over one
//! batch, from r = 0 and from r = 1, tell m and b without knowing the layer. All of it on a copy.

use nncheck_core::measurement::normalisation::{Normalisation, NormalisationAsk, Normalised};
use tch::{Device, Kind, Tensor};

use crate::generator::undisturbed;
use crate::subject::{Program, SubjectError};
use crate::user::Batch;

/// A momentum below this never moves anything.
const STILL: f64 = 1e-7;
/// What batch norm adds to a variance: a channel that is constant (a pixel at the rim) is off by nothing.
const EPS: f64 = 1e-5;

/// The running statistics of one layer.
struct Layer {
    name: String,
    mean: Tensor,
    variance: Tensor,
    /// As training left them.
    left: (Tensor, Tensor),
}

/// Compares the running statistics with those of `ask.batches` batches, at the parameters of now.
pub(super) fn measure(program: &Program<'_>, ask: NormalisationAsk) -> Result<Normalisation, SubjectError> {
    let _no_grad = tch::no_grad_guard();
    let rows = program.spec.data.batch;
    let copy = Program::copy(program, program.spec)?;
    let layers = layers(&copy);
    if layers.is_empty() {
        return Ok(Normalisation { rows, layers: Vec::new() });
    }
    let mut batches = program.batches();
    let mut next = || {
        let rows = batches.next().unwrap_or_default();
        if rows.is_empty() { Batch::default() } else { program.data.train(&rows) }
    };
    let first = next();
    let of_zero = pass(&copy, &layers, &first, 0.0)?;
    let of_one = pass(&copy, &layers, &first, 1.0)?;
    let mut seen = vec![of_zero];
    for _ in 1..ask.batches.max(2) {
        seen.push(pass(&copy, &layers, &next(), 0.0)?);
    }
    let layers = layers.iter().enumerate().map(|(at, layer)| {
        let kept = (&of_one[at].0 - &seen[0][at].0).mean(Kind::Double).double_value(&[]);
        normalised(layer, 1.0 - kept, seen.iter().map(|batch| &batch[at]))
    });
    Ok(Normalisation { rows, layers: layers.collect() })
}

fn normalised<'s>(layer: &Layer, momentum: f64, seen: impl Iterator<Item = &'s (Tensor, Tensor)>) -> Normalised {
    let mut result = Normalised {
        layer: layer.name.clone(),
        momentum: if momentum.abs() < STILL { 0.0 } else { momentum },
        mean_off: None,
        variance_off: None,
        batch_noise: None,
    };
    if result.momentum == 0.0 {
        return result;
    }
    let (means, variances): (Vec<Tensor>, Vec<Tensor>) =
        seen.map(|(mean, variance)| (mean / momentum, variance / momentum)).unzip();
    let (means, variances) = (Tensor::stack(&means, 0), Tensor::stack(&variances, 0));
    let over_batches = |t: &Tensor| t.mean_dim(0, false, Kind::Double);
    let mean = over_batches(&means);
    let between = over_batches(&(&means - &mean).square());
    let variance = over_batches(&variances) + &between + EPS;
    let all = |t: &Tensor| t.mean(Kind::Double).double_value(&[]);
    let (running_mean, running_variance) = &layer.left;
    result.mean_off = Some(all(&((running_mean - &mean).square() / &variance)).sqrt());
    let ratio = (running_variance + EPS) / &variance;
    result.variance_off = Some(all(&ratio.log().abs()).exp());
    result.batch_noise = Some(all(&(between / &variance)).sqrt());
    result
}

/// The layers of a program that keep a `running_mean` and a `running_var`.
fn layers(program: &Program<'_>) -> Vec<Layer> {
    let all = program.variables();
    let find = |name: &str| all.iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor);
    let named = all.iter().filter_map(|(name, mean)| {
        let layer = name.strip_suffix("running_mean")?;
        let variance = find(&format!("{layer}running_var"))?;
        Some(Layer {
            name: layer.strip_suffix('.').unwrap_or(layer).to_owned(),
            left: (double(mean), double(variance)),
            mean: mean.shallow_clone(),
            variance: variance.shallow_clone(),
        })
    });
    named.collect()
}

/// What one pass in train mode makes of running statistics that are all one number.
fn pass(
    program: &Program<'_>,
    layers: &[Layer],
    batch: &Batch,
    from: f64,
) -> Result<Vec<(Tensor, Tensor)>, SubjectError> {
    for layer in layers {
        let _mean = layer.mean.shallow_clone().fill_(from);
        let _variance = layer.variance.shallow_clone().fill_(from);
    }
    // Two passes of a batch are to differ by the momentum alone, not by what dropout drops.
    let _losses = undisturbed(|| program.losses(batch, true))?;
    Ok(layers.iter().map(|layer| (double(&layer.mean), double(&layer.variance))).collect())
}

fn double(tensor: &Tensor) -> Tensor {
    tensor.detach().to_device(Device::Cpu).to_kind(Kind::Double).copy()
}

/// Sets the running statistics of a program to those of a batch, whatever its layers' momentum.
pub(super) fn take_statistics(program: &Program<'_>, batch: &Batch) -> Result<(), SubjectError> {
    let layers = layers(program);
    let of_zero = pass(program, &layers, batch, 0.0)?;
    let of_one = pass(program, &layers, batch, 1.0)?;
    for (at, layer) in layers.iter().enumerate() {
        let momentum = 1.0 - (&of_one[at].0 - &of_zero[at].0).mean(Kind::Double).double_value(&[]);
        if momentum.abs() >= STILL {
            layer.mean.shallow_clone().copy_(&(&of_zero[at].0 / momentum));
            layer.variance.shallow_clone().copy_(&(&of_zero[at].1 / momentum));
        } else {
            layer.mean.shallow_clone().copy_(&layer.left.0);
            layer.variance.shallow_clone().copy_(&layer.left.1);
        }
    }
    Ok(())
}
