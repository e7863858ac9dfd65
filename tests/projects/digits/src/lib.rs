//! Classifiers of handwritten digits, 8 x 8 pixels, ten classes: what a user's library looks like to nncheck.

use tch::Tensor;
use tch::nn::{self, BatchNorm, Conv2D, Linear, Module, ModuleT};

/// A multilayer perceptron with two hidden layers of 64 units.
pub fn mlp(path: &nn::Path) -> impl Module {
    nn::seq()
        .add_fn(|xs| xs.flatten(1, -1))
        .add(nn::linear(path / "hidden1", 64, 64, Default::default()))
        .add_fn(Tensor::relu)
        .add(nn::linear(path / "hidden2", 64, 64, Default::default()))
        .add_fn(Tensor::relu)
        .add(nn::linear(path / "head", 64, 10, Default::default()))
}

/// A convolutional network with batch norm and dropout.
#[derive(Debug)]
pub struct ConvNet {
    conv1: Conv2D,
    norm1: BatchNorm,
    conv2: Conv2D,
    norm2: BatchNorm,
    head: Linear,
}

/// Two convolutions with batch norm, a max-pool, dropout, and a linear head.
pub fn convnet(path: &nn::Path) -> ConvNet {
    let same = nn::ConvConfig { padding: 1, bias: false, ..Default::default() };
    ConvNet {
        conv1: nn::conv2d(path / "conv1", 1, 8, 3, same),
        norm1: nn::batch_norm2d(path / "norm1", 8, Default::default()),
        conv2: nn::conv2d(path / "conv2", 8, 16, 3, same),
        norm2: nn::batch_norm2d(path / "norm2", 16, Default::default()),
        head: nn::linear(path / "head", 256, 10, Default::default()),
    }
}

impl ModuleT for ConvNet {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        xs.apply(&self.conv1)
            .apply_t(&self.norm1, train)
            .relu()
            .apply(&self.conv2)
            .apply_t(&self.norm2, train)
            .relu()
            .max_pool2d_default(2)
            .flatten(1, -1)
            .dropout(0.25, train)
            .apply(&self.head)
    }
}
