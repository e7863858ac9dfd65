//! The subject on the measuring side: the model, the data, the loss and the optimizer of a training program, built
//! from the pure description in [`nncheck_core::spec::Subject`].

mod data;
pub(crate) mod error;
pub mod layers;
mod loss;
mod model;
mod optimizer;
mod program;
pub mod torchscript;
mod trainer;
pub mod weights;

use nncheck_core::spec::run::{Device, Dtype};
use tch::Kind;

pub use data::Tensors;
pub use error::{Phase, SubjectError};
pub use loss::LossFunction;
pub(crate) use loss::{Limit, OneTerm, Score, Scores};
pub use model::Network;
pub use optimizer::Optimizer;
pub(crate) use optimizer::decays;
pub(crate) use program::OwnSubject;
pub use program::Program;
pub(crate) use program::{checked, named};
pub(crate) use trainer::{Step, Trainer, backward};

/// libtorch's name of a spec's number format.
pub(crate) fn kind(dtype: Dtype) -> Kind {
    match dtype {
        Dtype::Float32 => Kind::Float,
        Dtype::Float64 => Kind::Double,
    }
}

/// libtorch's name of a spec's device.
///
/// # Errors
/// When this libtorch has no such device.
pub(crate) fn device(device: Device) -> Result<tch::Device, SubjectError> {
    match device {
        Device::Cpu => Ok(tch::Device::Cpu),
        Device::Cuda(n) if tch::Cuda::is_available() && i64::from(n) < tch::Cuda::device_count() => {
            Ok(tch::Device::Cuda(n as usize))
        }
        Device::Cuda(n) => Err(SubjectError::new(format!("there is no device `cuda:{n}` for this libtorch"))
            .help(format!("libtorch sees {} CUDA devices", tch::Cuda::device_count()))
            .help("set `device = \"cpu\"` in [run], or run where the device and a libtorch built for it are")),
        Device::Mps if tch::utils::has_mps() => Ok(tch::Device::Mps),
        Device::Mps => Err(SubjectError::new("there is no device `mps` for this libtorch")),
    }
}
