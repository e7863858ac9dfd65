//! A generative adversarial network (Goodfellow et al. 2014) on points of the plane: two networks and two optimizers, as
//! `nncheck::Subject` has them. Beside the sound one stand two with a mistake each.

use std::marker::PhantomData;

use nncheck::{Batch, Hyper, Losses, Optimize, Outputs, Recorder, Setup, Subject};
use tch::nn::{self, Module, OptimizerConfig, VarStore};
use tch::{Kind, Tensor};

const NOISE: i64 = 4;

/// Both networks with their optimizers.
struct Networks {
    generator_store: VarStore,
    generator: nn::Sequential,
    generator_optimizer: nn::Optimizer,
    discriminator_store: VarStore,
    discriminator: nn::Sequential,
    discriminator_optimizer: nn::Optimizer,
}

/// A layer that starts as PyTorch's does: tch's own starts wider.
fn linear(path: nn::Path, inputs: i64, outputs: i64) -> nn::Linear {
    let bound = 1.0 / (inputs as f64).sqrt();
    let init = nn::Init::Uniform { lo: -bound, up: bound };
    nn::linear(path, inputs, outputs, nn::LinearConfig { ws_init: init, bs_init: Some(init), bias: true })
}

fn network(path: &nn::Path, inputs: i64, width: i64, outputs: i64) -> nn::Sequential {
    nn::seq()
        .add(linear(path / "first", inputs, width))
        .add_fn(|xs| xs.leaky_relu())
        .add(linear(path / "second", width, width))
        .add_fn(|xs| xs.leaky_relu())
        .add(linear(path / "last", width, outputs))
}

fn adam(store: &VarStore) -> nn::Optimizer {
    nn::adam(0.5, 0.999, 0.0).build(store, 2e-3).expect("there are parameters")
}

impl Networks {
    fn build(setup: Setup, hyper: &Hyper) -> Self {
        let width = hyper.get("width", 32);
        let (generator_store, discriminator_store) = (setup.var_store(), setup.var_store());
        let generator = network(&generator_store.root(), NOISE, width, 2);
        let discriminator = network(&discriminator_store.root(), 2, width, 1);
        Self {
            generator_optimizer: adam(&generator_store),
            discriminator_optimizer: adam(&discriminator_store),
            generator_store,
            generator,
            discriminator_store,
            discriminator,
        }
    }

    fn names(&self) -> Vec<(&str, &VarStore)> {
        vec![("generator", &self.generator_store), ("discriminator", &self.discriminator_store)]
    }

    fn fakes(&self, like: &Tensor) -> Tensor {
        self.generator.forward(&Tensor::randn([like.size()[0], NOISE], (like.kind(), like.device())))
    }

    /// The discriminator's binary cross-entropy for points that are to be taken for real, or for fakes.
    fn judgement(&self, points: &Tensor, real: bool) -> Tensor {
        let logits = self.discriminator.forward(points);
        let target = if real { logits.ones_like() } else { logits.zeros_like() };
        logits.binary_cross_entropy_with_logits::<Tensor>(&target, None, None, tch::Reduction::Mean)
    }

    fn discriminator_loss(&self, real: &Tensor, fakes: &Tensor) -> Tensor {
        self.judgement(real, true) + self.judgement(&fakes.detach(), false)
    }

    fn losses(&self, batch: &Batch) -> Losses {
        let fakes = self.fakes(batch.x());
        Losses::new()
            .with("discriminator", self.discriminator_loss(batch.x(), &fakes))
            .with("generator", self.judgement(&fakes, true))
    }

    /// The discriminator's part of a step.
    fn step_discriminator(&mut self, real: &Tensor, record: &mut Recorder<'_>) -> Tensor {
        let fakes = record.forward(|| self.fakes(real));
        let loss = record.forward(|| self.discriminator_loss(real, &fakes));
        record.optimizer(&mut self.discriminator_optimizer).backward_step(&loss);
        loss
    }
}

/// What may be wrong with one.
pub trait Fault: 'static {
    /// The fakes are detached in the generator's own step: it never learns.
    const DETACHED: bool = false;
    /// The generator's optimizer was made from the discriminator's store: it trains the wrong network.
    const SWAPPED: bool = false;
}

/// Nothing is wrong.
pub struct Sound;
impl Fault for Sound {}

/// The fakes are detached.
pub struct Detached;
impl Fault for Detached {
    const DETACHED: bool = true;
}

/// The optimizers are swapped.
pub struct Swapped;
impl Fault for Swapped {
    const SWAPPED: bool = true;
}

/// Both networks, trained against each other.
pub struct Adversaries<F>(Networks, PhantomData<F>);

/// The sound one.
pub type Gan = Adversaries<Sound>;
/// Its generator never learns.
pub type DetachedGan = Adversaries<Detached>;
/// Its generator is not trained.
pub type SwappedGan = Adversaries<Swapped>;

impl<F: Fault> Subject for Adversaries<F> {
    fn build(setup: Setup, hyper: &Hyper) -> Self {
        let mut networks = Networks::build(setup, hyper);
        if F::SWAPPED {
            networks.generator_optimizer = adam(&networks.discriminator_store);
        }
        Self(networks, PhantomData)
    }

    fn networks(&self) -> Vec<(&str, &VarStore)> {
        self.0.names()
    }

    fn losses(&self, batch: &Batch, _train: bool) -> Losses {
        self.0.losses(batch)
    }

    fn step(&mut self, batch: &Batch, record: &mut Recorder<'_>) -> Losses {
        let discriminator = self.0.step_discriminator(batch.x(), record);
        let fakes = record.forward(|| self.0.fakes(batch.x()));
        let fakes = if F::DETACHED { fakes.detach() } else { fakes };
        let generator = self.0.judgement(&fakes, true);
        record.optimizer(&mut self.0.generator_optimizer).backward_step(&generator);
        Losses::new().with("discriminator", discriminator).with("generator", generator)
    }

    fn outputs(&self, batch: &Batch, _train: bool) -> Option<Outputs> {
        Some(self.0.fakes(batch.x()).into())
    }
}

/// How far the mean of the fakes is from that of the real points on average over the last moments of 500 steps.
pub fn distance_of_means(program: &mut nncheck::Program) -> f64 {
    let real = program.first_rows(512);
    program.train(300);
    // Fakes circle around the real points (Mescheder et al. 2018): the mean over many moments is what settles.
    let moments: Vec<Tensor> = (0..20)
        .map(|_| {
            program.train(10);
            let fakes = program.outputs(&real, false).expect("a GAN puts out fakes");
            fakes.main().mean_dim(0_i64, false, Kind::Double)
        })
        .collect();
    let fakes = Tensor::stack(&moments, 0).mean_dim(0_i64, false, Kind::Double);
    (real.x().mean_dim(0_i64, false, Kind::Double) - fakes).norm().double_value(&[])
}
