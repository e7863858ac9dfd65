//! The entries of tensors where they lie in memory, for sums that take one pass instead of several operators.

pub(crate) mod lanes;

use std::ffi::c_void;
use std::marker::PhantomData;
use std::slice;

use tch::Tensor;
use torch_sys::C_tensor;

/// Where a tensor's entries lie, while the tensor is borrowed and nobody writes to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory<'t> {
    raw: Raw,
    tensor: PhantomData<&'t Tensor>,
}

/// The entries of a dense tensor on the CPU, each once, in whatever order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entries<'t> {
    /// Single precision.
    F32(&'t [f32]),
    /// Double precision.
    F64(&'t [f64]),
}

/// What stays the same as long as nothing is written to a tensor through libtorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    at: usize,
    entries: usize,
    version: i64,
}

/// Mirrors `nncheck_memory`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Raw {
    data: *const c_void,
    entries: usize,
    version: i64,
    bytes: u8,
    defined: bool,
}

/// Of a tensor.
pub(crate) fn of(tensor: &Tensor) -> Memory<'_> {
    // SAFETY: tch's pointer is an `at::Tensor*` that lives as long as the tensor is borrowed.
    Memory { raw: unsafe { nncheck_memory_of(tensor.as_ptr(), false) }, tensor: PhantomData }
}

/// Of a parameter's gradient; `None` where it has none.
pub(crate) fn of_gradient(parameter: &Tensor) -> Option<Memory<'_>> {
    // SAFETY: as above; the gradient lives as long as the parameter, and is replaced by operators alone.
    let raw = unsafe { nncheck_memory_of(parameter.as_ptr(), true) };
    raw.defined.then_some(Memory { raw, tensor: PhantomData })
}

impl<'t> Memory<'t> {
    /// The entries; `None` where they do not lie in memory as plain floats or doubles.
    pub(crate) fn entries(&self) -> Option<Entries<'t>> {
        let Raw { data, entries, bytes, .. } = self.raw;
        match bytes {
            _ if entries == 0 => Some(Entries::F64(&[])),
            _ if data.is_null() => None,
            // SAFETY: C++ gave a dense CPU tensor of `entries` floats, which is borrowed, and which nothing writes to as
            // long as no operator runs: nobody keeps entries across one.
            4 => Some(Entries::F32(unsafe { slice::from_raw_parts(data.cast(), entries) })),
            // SAFETY: as above, of doubles.
            8 => Some(Entries::F64(unsafe { slice::from_raw_parts(data.cast(), entries) })),
            _ => None,
        }
    }

    /// How often the tensor was changed in place, where libtorch counts.
    pub(crate) fn version(&self) -> Option<i64> {
        (self.raw.version >= 0).then_some(self.raw.version)
    }

    /// Equal as long as nothing was written; `None` where libtorch does not count.
    pub(crate) fn state(&self) -> Option<State> {
        let Raw { data, entries, .. } = self.raw;
        self.version().map(|version| State { at: data.addr(), entries, version })
    }
}

impl Entries<'_> {
    /// The sum of all squares, in double precision.
    pub(crate) fn squares(&self) -> f64 {
        match self {
            Self::F32(entries) => lanes::squares(entries),
            Self::F64(entries) => lanes::squares(entries),
        }
    }
}

/// A copy of a tensor's entries, to see later how far they went.
#[derive(Debug)]
pub(crate) enum Copy {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Copy {
    /// Of these entries.
    pub(crate) fn of(entries: Entries<'_>) -> Self {
        match entries {
            Entries::F32(entries) => Self::F32(entries.to_vec()),
            Entries::F64(entries) => Self::F64(entries.to_vec()),
        }
    }

    /// As a tensor of this shape; of one axis where it does not fit.
    pub(crate) fn tensor(&self, shape: &[i64]) -> Tensor {
        let flat = match self {
            Self::F32(entries) => Tensor::from_slice(entries),
            Self::F64(entries) => Tensor::from_slice(entries),
        };
        flat.f_reshape(shape).unwrap_or(flat)
    }

    /// How far entries went from this copy, which is then one of what they are now. `None` where there are more or fewer
    /// of them, or others.
    pub(crate) fn follow(&mut self, now: Entries<'_>) -> Option<lanes::Movement> {
        match (self, now) {
            (Self::F32(copy), Entries::F32(now)) if copy.len() == now.len() => Some(lanes::movement(copy, now)),
            (Self::F64(copy), Entries::F64(now)) if copy.len() == now.len() => Some(lanes::movement(copy, now)),
            _ => None,
        }
    }
}

unsafe extern "C" {
    fn nncheck_memory_of(tensor: *const C_tensor, gradient: bool) -> Raw;
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn only_dense_floats_on_the_cpu_are_plain() {
        let tensor = Tensor::arange(12, (Kind::Float, Device::Cpu)).reshape([3, 4]);
        let squares = |tensor: &Tensor| of(tensor).entries().map(|entries| entries.squares());
        assert_eq!(squares(&tensor), Some(506.0));
        assert_eq!(squares(&tensor.tr()), Some(506.0), "in another order, but all there");
        assert_eq!(squares(&tensor.to_kind(Kind::Double)), Some(506.0));
        assert_eq!(squares(&tensor.narrow(1, 0, 2)), None, "there are gaps");
        assert_eq!(squares(&tensor.narrow(0, 0, 1).expand([5, 4], false)), None, "entries are there several times");
        assert_eq!(squares(&tensor.to_kind(Kind::Half)), None);
        assert_eq!(squares(&tensor.to_kind(Kind::Int64)), None);
        assert_eq!(squares(&Tensor::zeros([0, 4], (Kind::Float, Device::Cpu))), Some(0.0));
    }

    #[test]
    fn the_state_changes_when_something_is_written() {
        let mut tensor = Tensor::ones([3], (Kind::Float, Device::Cpu));
        let before = of(&tensor).state();
        assert_eq!(of(&tensor).state(), before);
        let _ = tensor.g_add_scalar_(1.0);
        assert_ne!(of(&tensor).state(), before);
    }

    #[test]
    fn a_gradient_is_found_where_there_is_one() {
        let parameter = Tensor::ones([3], (Kind::Double, Device::Cpu)).set_requires_grad(true);
        assert!(of_gradient(&parameter).is_none());
        (&parameter * 2.0).sum(Kind::Double).backward();
        let squares = of_gradient(&parameter).unwrap().entries().unwrap().squares();
        assert_eq!(squares, 12.0);
    }

    #[test]
    fn a_copy_follows_and_says_how_far() {
        let mut tensor = Tensor::from_slice(&[3.0_f32, 4.0]);
        let mut copy = Copy::of(of(&tensor).entries().unwrap());
        let _ = tensor.g_add_scalar_(1.0);
        let found = copy.follow(of(&tensor).entries().unwrap());
        assert_eq!(found, Some(lanes::Movement { moved: 2.0, size: 41.0 }));
        assert_eq!(copy.follow(of(&tensor).entries().unwrap()).map(|m| m.moved), Some(0.0));
        assert_eq!(copy.follow(of(&tensor.to_kind(Kind::Double)).entries().unwrap()), None);
    }
}
