//! What is asked of a tensor in many places.

use tch::{Kind, Tensor};

/// The sizes of all axes.
pub(crate) fn shape(tensor: &Tensor) -> Vec<usize> {
    sizes(&tensor.size())
}

/// Sizes as they are counted in Rust; libtorch's are never negative.
pub(crate) fn sizes(sizes: &[i64]) -> Vec<usize> {
    sizes.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect()
}

/// L2 norm, summed in double precision.
pub(crate) fn norm(tensor: &Tensor) -> f64 {
    tch::no_grad(|| tensor.norm_scalaropt_dtype(2, Kind::Double).double_value(&[]))
}

/// A parameter's gradient; `None` where it has none.
pub(crate) fn gradient(parameter: &Tensor) -> Option<Tensor> {
    let gradient = parameter.grad();
    gradient.defined().then_some(gradient)
}

/// All entries in their order, as this kind of number.
pub(crate) fn values<T: tch::kind::Element + Copy + Default>(tensor: &Tensor, kind: Kind) -> Vec<T> {
    let flat = tensor.detach().to_device(tch::Device::Cpu).to_kind(kind).contiguous().reshape([-1]);
    let mut values = vec![T::default(); flat.numel()];
    flat.copy_data(&mut values, flat.numel());
    values
}

/// Whether each target is what the input holds one position later.
pub(crate) fn is_next(input: &Tensor, target: &Tensor) -> bool {
    let (shape, length) = (input.size(), input.size().get(1).copied().unwrap_or(0));
    shape == target.size()
        && length > 1
        && input
            .narrow(1, 1, length - 1)
            .to_kind(Kind::Double)
            .equal(&target.narrow(1, 0, length - 1).to_kind(Kind::Double))
}
