//! Data that is not what was meant.

use nncheck::Dataset;
use tch::nn::{self, Module, ModuleT};
use tch::{Kind, Tensor};

use crate::parts::{classifier, clusters, uniform};

/// Every row four times, as if to balance, before anything is split.
pub fn copied() -> Dataset {
    let (x, y) = clusters();
    Dataset::new(x.repeat([4, 1]), y.repeat([4]))
}

/// All of class 0, then all of class 1, then all of class 2.
pub fn sorted() -> Dataset {
    let (x, y) = clusters();
    let order = y.argsort(0, false);
    Dataset::new(x.index_select(0, &order), y.index_select(0, &order))
}

/// One column in thousands.
pub fn units() -> Dataset {
    let (x, y) = clusters();
    let units = Tensor::from_slice(&[1.0_f32, 1.0, 1.0, 1.0, 1000.0, 1.0, 1.0, 1.0]);
    Dataset::new(x * units, y)
}

/// Whole numbers of hundreds, where the inputs are of the size one: all but one column are zero.
pub fn rounded() -> Dataset {
    let (x, y) = clusters();
    let rounded = (&x / 100).round();
    Dataset::new(Tensor::cat(&[x.narrow(1, 0, 1), rounded.narrow(1, 1, 7)], 1), y)
}

/// Mean 0 and deviation 1 over all rows, before they are split.
pub fn standardised_whole() -> Dataset {
    let (x, y) = clusters();
    let deviation = x.std_dim([0_i64].as_slice(), false, true);
    Dataset::new((&x - x.mean_dim([0_i64].as_slice(), true, Kind::Float)) / deviation, y)
}

/// Labels 1, 2 and 3.
pub fn from_one() -> Dataset {
    let (x, y) = clusters();
    Dataset::new(x, y + 1)
}

/// Three rows of class 1.
pub fn rare() -> Dataset {
    let (x, y) = clusters();
    let labels = Tensor::zeros_like(&y);
    let _one = labels.narrow(0, 0, 3).fill_(1);
    Dataset::new(x, labels)
}

/// Two thousand rows, of which all of one class are nearly the same.
pub fn all_alike() -> Dataset {
    let (x, y) = clusters();
    let first = |class: i64| (0..256).find(|&row| y.int64_value(&[row]) == class).unwrap_or(0);
    let rows: Vec<i64> = (0..2048).map(|row| first(row % 3)).collect();
    let shade = Tensor::arange(2048, (Kind::Float, x.device())).unsqueeze(1) * 1e-6;
    let order = Tensor::from_slice(&rows);
    Dataset::new(x.index_select(0, &order) + shade, y.index_select(0, &order))
}

/// Above and below a parabola in the first two of eight inputs, which a line tells apart in part.
pub fn parabola() -> Dataset {
    let mut uniform = uniform();
    let x: Vec<f32> = (0..600 * 8).map(|_| (3.4 * uniform() - 1.7) as f32).collect();
    let x = Tensor::from_slice(&x).reshape([-1, 8]);
    let above = x.select(1, 0) + (x.select(1, 1).square() - 1) * 1.2;
    Dataset::new(x, above.gt(0.0).to_kind(Kind::Int64))
}

/// Batch norm comes first.
pub fn normalising(path: &nn::Path) -> impl ModuleT {
    let (norm, model) = (nn::batch_norm1d(path / "norm", 8, Default::default()), classifier(path));
    nn::func_t(move |x, train| model.forward(&norm.forward_t(x, train)))
}
