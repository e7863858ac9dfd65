//! Programs whose gradients are not those of one batch.

use std::sync::atomic::{AtomicU32, Ordering};

use nncheck::{Batch, Model, Optimize};
use tch::Tensor;
use tch::nn::VarStore;

use crate::parts::{Descent, loss};

/// Two optimizers, of which only one clears.
pub struct Two {
    first: Descent,
    second: Descent,
}

impl Optimize for Two {
    fn zero_grad(&mut self) {
        self.first.zero_grad();
    }

    fn step(&mut self) {
        self.first.step();
        self.second.step();
    }

    fn set_lr(&mut self, lr: f64) {
        self.first.set_lr(lr);
        self.second.set_lr(lr);
    }
}

/// Clears the head's gradients alone.
pub fn two(store: &VarStore) -> Two {
    Two {
        first: Descent::over(store, 0.05, |name| name.starts_with("head")),
        second: Descent::over(store, 0.05, |name| !name.starts_with("head")),
    }
}

/// Every second call ends an accumulation of two; the losses are summed.
pub fn step_that_sums(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let loss = loss(model, batch);
    if call.is_multiple_of(2) {
        optimizer.zero_grad();
    }
    loss.backward();
    if !call.is_multiple_of(2) {
        optimizer.step();
    }
    loss
}

/// Draws from a generator of its own, which nobody seeds.
pub fn step_with_own_noise(model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Tensor {
    static STATE: AtomicU32 = AtomicU32::new(1);
    let state = STATE.load(Ordering::Relaxed).wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    STATE.store(state, Ordering::Relaxed);
    let loss = loss(model, batch);
    optimizer.zero_grad();
    (&loss * (0.5 + f64::from(state >> 8) / f64::from(1_u32 << 24))).backward();
    optimizer.step();
    loss
}
