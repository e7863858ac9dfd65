//! Programs that are better on the rows that they are trained on than elsewhere, or better than can be.

use nncheck::{Batch, Dataset, Program};
use tch::nn::{self, Module};
use tch::{Kind, Tensor};

use crate::parts::{clusters, linear, uniform};

/// Room to learn anything by heart.
pub fn large(path: &nn::Path) -> impl Module {
    let (hidden, head) = (linear(path / "hidden", 8, 512), linear(path / "head", 512, 3));
    nn::func(move |x| head.forward(&hidden.forward(x).relu()))
}

/// Random labels, each for itself.
fn random(n: usize) -> Tensor {
    let mut uniform = uniform();
    let labels: Vec<i64> = (0..n + 1000).map(|_| (uniform() * 3.0) as i64).skip(1000).collect();
    Tensor::from_slice(&labels)
}

/// Labels that have nothing to do with their inputs.
pub fn random_labels() -> Dataset {
    let (x, y) = clusters();
    Dataset::new(x, random(y.size()[0] as usize))
}

/// Three labels of five mean nothing.
pub fn noisy_labels() -> Dataset {
    let (x, y) = clusters();
    let noise = random(y.size()[0] as usize);
    let keep: Vec<bool> = (0..y.size()[0]).map(|row| row % 5 < 2).collect();
    let keep = Tensor::from_slice(&keep);
    Dataset::new(x, y.where_self(&keep, &noise))
}

/// The first input is the label.
pub fn label_among_inputs() -> Dataset {
    let (x, y) = clusters();
    let noise = Tensor::cat(&[(y.to_kind(Kind::Float) - 1.0).unsqueeze(1) * 2.0, x.narrow(1, 1, 7) * 0.1], 1);
    Dataset::new(noise, y).classes(3)
}

/// Validation rows of which each has the label of the next class.
pub fn shifted_validation() -> Dataset {
    let (x, y) = clusters();
    let train = Dataset::new(x.narrow(0, 0, 192), y.narrow(0, 0, 192));
    train.validation(Batch::new(x.narrow(0, 192, 64), (y.narrow(0, 192, 64) + 1).remainder(3)))
}

/// The share of the first rows that are told rightly.
pub fn right(program: &mut Program<'_>) -> f64 {
    let rows = program.first_rows(128);
    match program.outputs(&rows, false) {
        Ok(outputs) => outputs
            .main()
            .argmax(-1, false)
            .eq_tensor(rows.y())
            .to_kind(Kind::Double)
            .mean(Kind::Double)
            .double_value(&[]),
        Err(_) => f64::NAN,
    }
}

/// A straight line between two classes.
pub fn straight(path: &nn::Path) -> impl Module + use<> {
    linear(path / "head", 8, 2)
}
