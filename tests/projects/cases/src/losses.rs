//! Losses, targets and models that do not suit one another.

use nncheck::{Batch, Dataset, Model, Named, Outputs};
use tch::nn::{self, Init, Module};
use tch::{Kind, Reduction, Tensor};

use crate::parts::{classifier, clusters, linear};

/// 8 features, one number.
pub fn regressor(path: &nn::Path) -> impl Module + use<> {
    nn::seq().add(linear(path / "hidden", 8, 32)).add_fn(Tensor::relu).add(linear(path / "head", 32, 1))
}

/// A number of each point: the sum of some of its features, of mean 0 and variance 1.
fn sizes(x: &Tensor) -> Tensor {
    let sum = x.narrow(1, 0, 3).sum_dim_intlist(1, true, Kind::Float);
    (&sum - sum.mean(Kind::Float)) / sum.std(false)
}

/// The points with a number each.
pub fn load_numbers() -> Dataset {
    let (x, _) = clusters();
    let y = sizes(&x);
    Dataset::new(x, y)
}

/// The points, and whether their number is above zero.
pub fn load_halves() -> Dataset {
    let (x, _) = clusters();
    let y = sizes(&x).gt(0.0).to_kind(Kind::Float);
    Dataset::new(x, y)
}

/// The points with a label and a number each.
pub fn load_pair() -> Dataset {
    let (x, y) = clusters();
    let size = sizes(&x);
    pair(x, y, size)
}

fn pair(x: Tensor, label: Tensor, size: Tensor) -> Dataset {
    let targets: Named = [("label", label), ("size", size)].into_iter().collect();
    Dataset::named([("x", x)].into_iter().collect(), targets)
}

/// The numbers lie around 1000; they come first.
pub fn raw_pair() -> Dataset {
    let (x, y) = clusters();
    let size = sizes(&x) * 300 + 1000;
    let targets: Named = [("size", size), ("label", y)].into_iter().collect();
    Dataset::named([("x", x)].into_iter().collect(), targets)
}

/// Numbers around 1000.
pub fn raw() -> Dataset {
    let (x, _) = clusters();
    let y = sizes(&x) * 300 + 1000;
    Dataset::new(x, y)
}

/// Every number is zero.
pub fn zeros() -> Dataset {
    let (x, _) = clusters();
    let y = sizes(&x).zeros_like();
    Dataset::new(x, y)
}

/// Every label is the same.
pub fn one_label() -> Dataset {
    let (x, y) = clusters();
    let y = y.zeros_like();
    Dataset::new(x, y)
}

/// Inputs of a hundred times their size.
pub fn large_inputs() -> Dataset {
    let (x, y) = clusters();
    Dataset::new(x * 100, y)
}

/// The first three features say the class.
pub fn leaked() -> Dataset {
    let (x, y) = clusters();
    let said = y.one_hot(3).to_kind(Kind::Float) * 5;
    Dataset::new(Tensor::cat(&[said, x.narrow(1, 0, 5)], 1), y)
}

/// Adds its first three inputs to its outputs.
pub fn leaking(path: &nn::Path) -> impl Module {
    let model = classifier(path);
    nn::func(move |x| model.forward(x) + x.narrow(1, 0, 3))
}

/// Five outputs.
pub fn five(path: &nn::Path) -> impl Module {
    nn::seq().add(linear(path / "hidden", 8, 32)).add_fn(Tensor::relu).add(linear(path / "head", 32, 5))
}

/// Two outputs.
pub fn two_outputs(path: &nn::Path) -> impl Module {
    nn::seq().add(linear(path / "hidden", 8, 32)).add_fn(Tensor::relu).add(linear(path / "head", 32, 2))
}

/// A softmax over one unit.
pub fn one_softmax(path: &nn::Path) -> impl Module {
    let model = regressor(path);
    nn::func(move |x| model.forward(x).softmax(-1, Kind::Float))
}

/// A sigmoid on one unit.
pub fn one_sigmoid(path: &nn::Path) -> impl Module {
    let model = regressor(path);
    nn::func(move |x| model.forward(x).sigmoid())
}

/// Weights far too large.
pub fn large(path: &nn::Path) -> impl Module {
    let config = nn::LinearConfig { ws_init: Init::Randn { mean: 0.0, stdev: 2.0 }, ..Default::default() };
    let hidden = nn::linear(path / "hidden", 8, 32, config);
    nn::seq().add(hidden).add_fn(Tensor::relu).add(nn::linear(path / "head", 32, 3, config))
}

/// A last bias far from zero.
pub fn offset(path: &nn::Path) -> impl Module {
    let config = nn::LinearConfig { bs_init: Some(Init::Const(10.0)), ..Default::default() };
    nn::seq().add(linear(path / "hidden", 8, 32)).add_fn(Tensor::relu).add(nn::linear(path / "head", 32, 1, config))
}

/// One body, a head for the classes and one for a number.
pub struct TwoHeads {
    body: nn::Linear,
    class: nn::Linear,
    size: nn::Linear,
    fault: Fault,
}

/// What is wrong with the second head.
enum Fault {
    None,
    CutOff,
    Infinite,
}

impl TwoHeads {
    fn new(path: &nn::Path, fault: Fault) -> Self {
        let (body, class) = (linear(path / "body", 8, 32), linear(path / "class", 32, 3));
        Self { body, class, size: linear(path / "size", 32, 1), fault }
    }
}

impl Model for TwoHeads {
    fn outputs(&self, batch: &Batch, _train: bool) -> Outputs {
        let hidden = self.body.forward(batch.x()).relu();
        let size = self.size.forward(&hidden);
        let size = match self.fault {
            Fault::None => size,
            Fault::CutOff => size.detach(),
            Fault::Infinite => size.sqrt(),
        };
        Outputs::new().with("class", self.class.forward(&hidden)).with("box", size)
    }
}

/// Two heads on one body.
pub fn two_heads(path: &nn::Path) -> TwoHeads {
    TwoHeads::new(path, Fault::None)
}

/// The second head is detached.
pub fn cut_off(path: &nn::Path) -> TwoHeads {
    TwoHeads::new(path, Fault::CutOff)
}

/// The second head puts out roots of negative numbers.
pub fn infinite_size(path: &nn::Path) -> TwoHeads {
    TwoHeads::new(path, Fault::Infinite)
}

/// Cross-entropy as it should be.
pub fn plain(output: &Tensor, target: &Tensor) -> Tensor {
    output.cross_entropy_for_logits(target)
}

/// A softmax over the batch.
pub fn over_the_batch(output: &Tensor, target: &Tensor) -> Tensor {
    output.log_softmax(0, Kind::Float).nll_loss(target)
}

/// A softmax before a loss that has its own.
pub fn softmax_twice(output: &Tensor, target: &Tensor) -> Tensor {
    output.softmax(1, Kind::Float).cross_entropy_for_logits(target)
}

/// Logits taken for logarithms of probabilities.
pub fn no_softmax(output: &Tensor, target: &Tensor) -> Tensor {
    output.nll_loss(target)
}

/// A sign turned.
pub fn turned(output: &Tensor, target: &Tensor) -> Tensor {
    -plain(output, target)
}

/// Summed over the rows.
pub fn summed(output: &Tensor, target: &Tensor) -> Tensor {
    plain(output, target) * target.size()[0]
}

/// Half of it.
pub fn halved(output: &Tensor, target: &Tensor) -> Tensor {
    plain(output, target) / 2
}

/// A constant more.
pub fn shifted(output: &Tensor, target: &Tensor) -> Tensor {
    plain(output, target) + 0.3
}

/// Of the targets alone.
pub fn constant(output: &Tensor, _target: &Tensor) -> Tensor {
    output.sum(Kind::Float) * 0 + 1.1
}

/// Exponentials that no single precision holds.
pub fn underflows(output: &Tensor, target: &Tensor) -> Tensor {
    let powers = (output * 20).exp();
    let shares = &powers / powers.sum_dim_intlist(1, true, Kind::Float);
    shares.log().nll_loss(target) / 20
}

/// All rows but the last.
pub fn last_row_left_out(output: &Tensor, target: &Tensor) -> Tensor {
    let rows = target.size()[0] - 1;
    plain(&output.narrow(0, 0, rows), &target.narrow(0, 0, rows))
}

/// Rows that are sure count for less (Lin et al. 2017).
fn focal_rows(output: &Tensor, target: &Tensor) -> Tensor {
    let logs = output.log_softmax(1, Kind::Float).gather(1, &target.unsqueeze(1), false);
    let unsure: Tensor = 1 - logs.exp();
    unsure.square() * -logs
}

/// A focal loss.
pub fn focal(output: &Tensor, target: &Tensor) -> Tensor {
    focal_rows(output, target).mean(Kind::Float)
}

/// Focal losses, summed.
pub fn focal_sum(output: &Tensor, target: &Tensor) -> Tensor {
    focal_rows(output, target).sum(Kind::Float)
}

/// A focal loss with its sign turned.
pub fn focal_turned(output: &Tensor, target: &Tensor) -> Tensor {
    -focal(output, target)
}

/// `[N, 1]` against `[N]`.
pub fn broadcast(output: &Tensor, target: &Tensor) -> Tensor {
    (output - target.reshape([-1])).square().mean(Kind::Float)
}

/// The root of each difference, of `[N, 1]` against `[N]`.
pub fn broadcast_root(output: &Tensor, target: &Tensor) -> Tensor {
    ((output - target.reshape([-1])).square() + 1e-4).sqrt().sqrt().mean(Kind::Float)
}

/// Absolute errors.
pub fn absolute(output: &Tensor, target: &Tensor) -> Tensor {
    output.l1_loss(target, Reduction::Mean)
}

/// Layers that start as tch's own do: 2.4 times as wide as PyTorch's.
fn as_tch_starts(path: &nn::Path, outputs: i64) -> impl Module + use<> {
    let hidden = nn::linear(path / "hidden", 8, 32, nn::LinearConfig::default());
    let head = nn::linear(path / "head", 32, outputs, nn::LinearConfig::default());
    nn::seq().add(hidden).add_fn(Tensor::relu).add(head)
}

/// Three classes, from layers that start as tch's own do.
pub fn tch_classifier(path: &nn::Path) -> impl Module {
    as_tch_starts(path, 3)
}

/// One number, from layers that start as tch's own do.
pub fn tch_regressor(path: &nn::Path) -> impl Module {
    as_tch_starts(path, 1)
}

/// Puts out probabilities beside the logits.
pub struct WithProbabilities(nn::Sequential);

impl Model for WithProbabilities {
    fn outputs(&self, batch: &Batch, _train: bool) -> Outputs {
        let logits = self.0.forward(batch.x());
        let probabilities = logits.softmax(1, Kind::Float);
        Outputs::new().with("logits", logits).with("probabilities", probabilities)
    }
}

/// Probabilities beside the logits.
pub fn with_probabilities(path: &nn::Path) -> WithProbabilities {
    let (hidden, head) = (linear(path / "hidden", 8, 32), linear(path / "head", 32, 3));
    WithProbabilities(nn::seq().add(hidden).add_fn(Tensor::relu).add(head))
}
