//! The library that the examples of the documentation are about.

use nncheck::{Batch, Dataset, Hyper, Losses, Model, Optimize, Outputs, Recorder, Setup, Subject};
use tch::nn::{self, Module, OptimizerConfig, VarStore};
use tch::{Kind, Reduction, Tensor};

/// A classifier of points in four dimensions, three classes.
pub fn mlp(path: &nn::Path, hyper: &Hyper) -> impl Module {
    let hidden = hyper.get("hidden", 16);
    nn::seq()
        .add(nn::linear(path / "hidden", 4, hidden, Default::default()))
        .add_fn(Tensor::relu)
        .add(nn::linear(path / "head", hidden, 3, Default::default()))
}

/// Averages the embeddings of the tokens that the mask leaves, for one or two heads.
#[derive(Debug)]
pub struct Masked {
    embedding: nn::Embedding,
    head: nn::Linear,
    length: Option<nn::Linear>,
}

impl Model for Masked {
    fn outputs(&self, batch: &Batch, _train: bool) -> Outputs {
        let mask = batch.input("mask").unsqueeze(-1);
        let embedded = self.embedding.forward(batch.input("ids")) * &mask;
        let sum = embedded.sum_dim_intlist([1_i64].as_slice(), false, embedded.kind());
        let count = mask.sum_dim_intlist([1_i64].as_slice(), false, mask.kind());
        let mean = &sum / count.clamp_min(1.0);
        let outputs = Outputs::new().with("logits", self.head.forward(&mean));
        match &self.length {
            None => outputs,
            Some(length) => outputs.with("length", length.forward(&sum)),
        }
    }
}

/// One head.
pub fn masked(path: &nn::Path) -> Masked {
    Masked {
        embedding: nn::embedding(path / "embedding", 12, 8, Default::default()),
        head: nn::linear(path / "head", 8, 2, Default::default()),
        length: None,
    }
}

/// A second head, for the length.
pub fn two_heads(path: &nn::Path) -> Masked {
    Masked { length: Some(nn::linear(path / "length", 8, 1, Default::default())), ..masked(path) }
}

/// Three classes that lie in different corners.
pub fn load() -> Dataset {
    let label = Tensor::arange(120, (Kind::Int64, tch::Device::Cpu)).remainder(3);
    let corners = Tensor::from_slice(&[1_f32, 1., 0., 0., 0., 1., 1., 0., 0., 0., 1., 1.]).reshape([3, 4]);
    let wave = (Tensor::arange(480, (Kind::Float, tch::Device::Cpu)) * 0.7).sin().reshape([120, 4]) * 0.3;
    Dataset::new(corners.index_select(0, &label) + wave, label)
}

/// Cross-entropy over the classes.
pub fn loss(output: &Tensor, target: &Tensor) -> Tensor {
    output.cross_entropy_for_logits(target)
}

/// SGD with momentum.
pub fn optimizer(store: &VarStore) -> Result<nn::Optimizer, tch::TchError> {
    nn::sgd(0.9, 0.0, 0.0, false).build(store, 0.02)
}

/// Clears, runs backward, steps.
pub fn step(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let loss = loss(model.outputs(batch, true).main(), batch.y());
    optimizer.backward_step(&loss);
    loss
}

/// The largest absolute weight after twenty steps.
pub fn largest_weight(program: &mut nncheck::Program) -> f64 {
    program.train(20);
    let largest = |tensor: &Tensor| tensor.abs().max().double_value(&[]);
    program.parameters().iter().map(|(_, parameter)| largest(parameter)).fold(0.0, f64::max)
}

/// Squeezes eight numbers through three.
pub struct Autoencoder {
    store: VarStore,
    network: nn::Sequential,
    optimizer: nn::Optimizer,
}

impl Autoencoder {
    fn loss(&self, batch: &Batch) -> Tensor {
        self.network.forward(batch.x()).mse_loss(batch.x(), Reduction::Mean)
    }
}

impl Subject for Autoencoder {
    fn build(setup: Setup, _hyper: &Hyper) -> Self {
        let store = setup.var_store();
        let path = store.root();
        let network = nn::seq()
            .add(nn::linear(&path / "encoder", 8, 3, Default::default()))
            .add_fn(Tensor::tanh)
            .add(nn::linear(&path / "decoder", 3, 8, Default::default()));
        let optimizer = nn::Adam::default().build(&store, 1e-2).expect("there are parameters");
        Self { store, network, optimizer }
    }

    fn networks(&self) -> Vec<(&str, &VarStore)> {
        vec![("", &self.store)]
    }

    fn losses(&self, batch: &Batch, _train: bool) -> Losses {
        Losses::new().with("reconstruction", self.loss(batch))
    }

    fn step(&mut self, batch: &Batch, record: &mut Recorder<'_>) -> Losses {
        let loss = record.forward(|| self.loss(batch));
        record.optimizer(&mut self.optimizer).backward_step(&loss);
        Losses::new().with("reconstruction", loss)
    }
}
