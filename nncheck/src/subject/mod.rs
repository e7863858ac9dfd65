//! The subject on the measuring side: the model, the data, the loss and the optimizer of a training program, built
//! from the pure description in [`nncheck_core::spec::Subject`].

mod data;
pub(crate) mod error;
pub mod layers;
mod loss;
mod model;
mod optimizer;
pub mod weights;

use nncheck_core::spec::Subject;
use nncheck_core::spec::run::{Device, Dtype};
use tch::Kind;

pub use data::{Rows, Tensors};
pub use error::{Phase, SubjectError};
pub use loss::LossFunction;
pub use model::Network;
pub use optimizer::Optimizer;

use crate::bindings::Bindings;

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

/// A training program, built: what measurers work with.
#[derive(Debug)]
pub struct Program<'a> {
    /// The description it was built from.
    pub subject: &'a Subject,
    /// The network and its parameters.
    pub network: Network,
    /// The data, as tensors on the device.
    pub data: &'a Tensors,
    /// The loss.
    pub loss: LossFunction,
}

impl<'a> Program<'a> {
    /// Builds the network with its generator seeded from `seed`.
    ///
    /// # Errors
    /// When the model cannot be built for this data, or its weights cannot be loaded.
    pub fn build(
        subject: &'a Subject,
        data: &'a Tensors,
        bindings: &Bindings,
        seed: u64,
    ) -> Result<Self, SubjectError> {
        tch::manual_seed(seed.cast_signed());
        let network = Network::build(subject, &data.shape, bindings)?;
        Ok(Self { subject, network, data, loss: LossFunction::new(&subject.loss) })
    }

    /// The optimizer over the network's trainable parameters.
    ///
    /// # Errors
    /// When the spec names none.
    pub fn optimizer(&self) -> Result<Optimizer, SubjectError> {
        let spec = self.subject.optimizer.as_ref().ok_or_else(|| {
            SubjectError::new("this property trains the model, but the spec has no [optimizer]")
                .help("add the optimizer that the training program uses: `[optimizer]`, `kind = \"adam\"`, `lr = 1e-3`")
        })?;
        Optimizer::build(spec, &self.network)
    }
}
