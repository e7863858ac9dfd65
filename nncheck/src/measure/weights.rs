//! What the parameters of a program look like.

use nncheck_core::measurement::weights::{WeightTensor, Weights};
use tch::{Device, Kind, Tensor};

use crate::subject::{Program, SubjectError};
use crate::tensors::{norm, shape};

/// Entries that are ordered, at most.
const SAMPLED: usize = 1 << 16;
/// Rounding errors that keep two equal units apart, relative: they grow in training.
const ALIKE: f64 = 1e-4;

/// Looks at every parameter; changes none.
pub(super) fn measure(program: &Program<'_>) -> Result<Weights, SubjectError> {
    let _no_grad = tch::no_grad_guard();
    let tensors = program.parameters().iter().filter(|(_, p)| p.numel() > 0).map(|(name, parameter)| {
        let flat = parameter.detach().to_device(Device::Cpu).to_kind(Kind::Double).reshape([-1]);
        let sampled = sample(&flat)?;
        let ordered = WeightTensor::ranks(sampled.len()).into_iter().map(|rank| sampled[rank]).collect();
        Ok(WeightTensor {
            parameter: name.clone(),
            shape: shape(parameter),
            trainable: parameter.requires_grad(),
            norm: norm(&flat),
            mean: flat.mean(Kind::Double).double_value(&[]),
            std: flat.std(false).double_value(&[]),
            sampled: sampled.len(),
            ordered,
            twins: twins(&flat, &parameter.size())?,
        })
    });
    Ok(Weights { tensors: tensors.collect::<Result<_, SubjectError>>()? })
}

/// All entries, or many spread evenly over them, in their order.
fn sample(flat: &Tensor) -> Result<Vec<f64>, SubjectError> {
    let apart = i64::try_from(flat.numel().div_ceil(SAMPLED)).unwrap_or(1);
    let mut values: Vec<f64> = Vec::try_from(&flat.slice(0, None, None, apart).contiguous())?;
    values.sort_by(f64::total_cmp);
    Ok(values)
}

/// How many units, along the first axis, are equal to another one up to rounding errors. Equal units have equal projections
/// on any vector, so only neighbours in the order of one projection are compared.
fn twins(flat: &Tensor, size: &[i64]) -> Result<usize, SubjectError> {
    let [units, ..] = *size else { return Ok(0) };
    if size.len() < 2 || units < 2 {
        return Ok(0);
    }
    let rows = flat.reshape([units, -1]);
    let width = rows.size()[1];
    // Of irrational steps, so that no two different rows of few small numbers meet; it draws nothing.
    let on = (Tensor::arange(width, (Kind::Double, Device::Cpu)) * 2.399_963_229_728_653).cos() + 1.5;
    let order = rows.matmul(&on).argsort(0, false);
    let sorted = rows.index_select(0, &order);
    let (first, second) = (sorted.narrow(0, 0, units - 1), sorted.narrow(0, 1, units - 1));
    let length = |t: &Tensor| t.norm_scalaropt_dim(2.0, [1_i64], false);
    let alike = length(&(&first - &second)).le_tensor(&(length(&first).maximum(&length(&second)) * ALIKE));
    let alike: Vec<i64> = Vec::try_from(alike.to_kind(Kind::Int64))?;
    let with_next = |i: usize| alike.get(i).is_some_and(|&a| a != 0);
    Ok((0..=alike.len()).filter(|&i| with_next(i) || (i > 0 && with_next(i - 1))).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_units_are_counted_and_different_ones_are_not() {
        let rows = [[1.0, 2.0, 3.0], [0.5, 0.0, 1.0], [1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0 + 1e-9]];
        let flat = Tensor::from_slice(&rows.concat());
        assert_eq!(twins(&flat, &[5, 3]).unwrap(), 3);
        assert_eq!(twins(&Tensor::zeros([12], (Kind::Double, Device::Cpu)), &[4, 3]).unwrap(), 4);
        tch::manual_seed(1);
        assert_eq!(twins(&Tensor::randn([640], (Kind::Double, Device::Cpu)), &[64, 10]).unwrap(), 0);
        assert_eq!(twins(&flat, &[15]).unwrap(), 0, "a vector has no units");
    }
}
