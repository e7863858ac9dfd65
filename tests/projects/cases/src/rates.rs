//! Optimizers and steps whose rates, lengths or times are hidden or wrong.

use std::cell::RefCell;

use nncheck::{Batch, Model, Optimize};
use tch::nn::{self, Module, OptimizerConfig, VarStore};
use tch::{Device, Kind, Tensor};

use crate::parts::{Descent, linear, loss};

/// libtorch's own optimizer, which has no way to ask for its rate.
pub fn silent(store: &VarStore) -> Result<nn::Optimizer, tch::TchError> {
    nn::Sgd::default().build(store, 0.05)
}

/// Zeros for outputs, whatever the parameters.
pub fn untrainable(path: &nn::Path) -> impl Module {
    let head = linear(path / "head", 8, 3);
    nn::func(move |x| head.forward(x) * 0)
}

/// Two updates of one batch.
pub fn step_twice(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let loss = loss(model, batch);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    optimizer.step();
    loss
}

/// Knows better than the schedule.
pub fn step_that_sets(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    let loss = loss(model, batch);
    optimizer.set_lr(0.01);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    loss
}

/// Gradient descent that clips what it is given.
pub struct Clipped {
    inner: Descent,
    clipped: Vec<Tensor>,
}

/// Clips all gradients together to a norm of 2.
pub fn clipped(store: &VarStore) -> Clipped {
    Clipped { inner: Descent::over(store, 0.05, |_| true), clipped: store.variables().into_values().collect() }
}

/// Clips the head's gradients alone.
pub fn clipped_head(store: &VarStore) -> Clipped {
    let head = store.variables().into_iter().filter(|(name, _)| name.starts_with("head"));
    Clipped { inner: Descent::over(store, 0.05, |_| true), clipped: head.map(|(_, tensor)| tensor).collect() }
}

impl Optimize for Clipped {
    fn zero_grad(&mut self) {
        self.inner.zero_grad();
    }

    fn step(&mut self) {
        tch::no_grad(|| {
            let gradients: Vec<Tensor> = self.clipped.iter().map(Tensor::grad).filter(Tensor::defined).collect();
            let norm = gradients.iter().map(|g| g.square().sum(Kind::Double).double_value(&[])).sum::<f64>().sqrt();
            for mut gradient in gradients {
                let _shorter = gradient.g_mul_scalar_((2.0 / norm).min(1.0));
            }
        });
        self.inner.step();
    }

    fn set_lr(&mut self, lr: f64) {
        self.inner.set_lr(lr);
    }

    fn lr(&self) -> Option<f64> {
        self.inner.lr()
    }
}

thread_local! {
    /// What a step keeps from one to the next.
    static KEPT: RefCell<Vec<Tensor>> = const { RefCell::new(Vec::new()) };
}

/// Runs the model again and again, to have a look.
pub fn slow_step(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    for _ in 0..40 {
        let _looked_at = loss(model, batch).double_value(&[]);
    }
    crate::parts::step(model, optimizer, batch)
}

/// Keeps four megabytes of each step.
pub fn hoarding_step(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    KEPT.with_borrow_mut(|kept| kept.push(Tensor::ones([1 << 20], (Kind::Float, Device::Cpu))));
    crate::parts::step(model, optimizer, batch)
}
