//! What the faulty programs are built of.

pub use own_step::Descent;

use nncheck::{Batch, Dataset, Model, Optimize};
use tch::Tensor;
use tch::nn::{self, Module};

/// A layer that starts as PyTorch's does.
pub fn linear(path: nn::Path, inputs: i64, outputs: i64) -> nn::Linear {
    let bound = 1.0 / (inputs as f64).sqrt();
    let init = nn::Init::Uniform { lo: -bound, up: bound };
    nn::linear(path, inputs, outputs, nn::LinearConfig { ws_init: init, bs_init: Some(init), bias: true })
}

/// 8 features, 3 classes.
pub fn classifier(path: &nn::Path) -> impl Module + use<> {
    nn::seq().add(linear(path / "hidden", 8, 32)).add_fn(Tensor::relu).add(linear(path / "head", 32, 3))
}

/// A uniform generator that depends on no seed (the linear congruence of Numerical Recipes).
pub fn uniform() -> impl FnMut() -> f64 {
    let mut state = 1_u32;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1_u32 << 24)
    }
}

/// 256 points around 3 centres in 8 dimensions, in random order: inputs of unit variance, and class ids.
pub fn clusters() -> (Tensor, Tensor) {
    let mut uniform = uniform();
    let centres: Vec<f64> = (0..3 * 8).map(|_| 4.0 * uniform() - 2.0).collect();
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for _ in 0..256 {
        let class = (uniform() * 3.0) as usize;
        y.push(class as i64);
        for feature in 0..8 {
            let noise = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            x.push((0.65 * (centres[class * 8 + feature] + noise)) as f32);
        }
    }
    (Tensor::from_slice(&x).reshape([-1, 8]), Tensor::from_slice(&y))
}

/// The clusters as training data.
pub fn load() -> Dataset {
    let (x, y) = clusters();
    Dataset::new(x, y)
}

/// The usual step.
pub fn step(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let loss = loss(model, batch);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    loss
}

/// Cross-entropy of the model's outputs in train mode.
pub fn loss(model: &dyn Model, batch: &Batch) -> Tensor {
    model.outputs(batch, true).main().cross_entropy_for_logits(batch.y())
}
