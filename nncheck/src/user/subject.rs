//! A whole training program of the user's own.

use tch::nn::VarStore;
use tch::{Device, Kind};

use super::{Batch, Losses, Outputs, Recorder};
use crate::hyper::Hyper;

/// Where and in which number format a subject is to live.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The device of the spec's `[run]`.
    pub device: Device,
    /// The number format of the spec's `[run]`.
    pub kind: Kind,
}

impl Setup {
    /// A store on that device, whose variables are of that number format.
    #[must_use]
    pub fn var_store(&self) -> VarStore {
        let mut store = VarStore::new(self.device);
        store.set_kind(self.kind);
        store
    }
}

/// A training program that is not one model, one loss and one optimizer: several networks and optimizers, as a GAN has.
///
/// ```
/// use nncheck::{Batch, Hyper, Losses, Recorder, Setup, Subject};
/// use tch::nn::{self, ModuleT, OptimizerConfig, VarStore};
///
/// struct Autoencoder {
///     store: VarStore,
///     network: nn::SequentialT,
///     optimizer: nn::Optimizer,
/// }
///
/// impl Subject for Autoencoder {
///     fn build(setup: Setup, hyper: &Hyper) -> Self {
///         let store = setup.var_store();
///         let (path, width) = (store.root(), hyper.get("width", 3));
///         let network = nn::seq_t()
///             .add(nn::linear(&path / "encoder", 8, width, Default::default()))
///             .add_fn(|xs| xs.tanh())
///             .add(nn::linear(&path / "decoder", width, 8, Default::default()));
///         let optimizer = nn::Adam::default().build(&store, 1e-3).expect("there are parameters");
///         Self { store, network, optimizer }
///     }
///
///     fn networks(&self) -> Vec<(&str, &VarStore)> {
///         vec![("", &self.store)]
///     }
///
///     fn losses(&self, batch: &Batch, train: bool) -> Losses {
///         let output = self.network.forward_t(batch.x(), train);
///         Losses::new().with("reconstruction", output.mse_loss(batch.x(), tch::Reduction::Mean))
///     }
///
///     fn step(&mut self, batch: &Batch, record: &mut Recorder<'_>) -> Losses {
///         let output = record.forward(|| self.network.forward_t(batch.x(), true));
///         let loss = output.mse_loss(batch.x(), tch::Reduction::Mean);
///         record.optimizer(&mut self.optimizer).backward_step(&loss);
///         Losses::new().with("reconstruction", loss)
///     }
/// }
/// # use nncheck::Optimize as _;
/// ```
pub trait Subject: 'static {
    /// Builds networks and optimizers. The generator of random numbers is seeded before, so that one seed gives the same
    /// program.
    fn build(setup: Setup, hyper: &Hyper) -> Self
    where
        Self: Sized;

    /// The networks by name. A parameter is called `<network>.<name in its store>`; a network with an empty name leaves
    /// the prefix out.
    fn networks(&self) -> Vec<(&str, &VarStore)>;

    /// The losses on a batch, without training.
    fn losses(&self, batch: &Batch, train: bool) -> Losses;

    /// One training step on a batch: clears gradients, runs backward, steps the optimizers. The losses are those before
    /// the update. Forward passes and optimizers go through `record`, so that checks see them.
    fn step(&mut self, batch: &Batch, record: &mut Recorder<'_>) -> Losses;

    /// What the program puts out for a batch, for checks that look at outputs; `None` where that means nothing.
    fn outputs(&self, _batch: &Batch, _train: bool) -> Option<Outputs> {
        None
    }
}
