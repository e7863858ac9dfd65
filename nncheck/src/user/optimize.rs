//! The optimizer as nncheck runs it.

use tch::Tensor;
use tch::nn;

/// An optimizer over the parameters that it was built for.
pub trait Optimize {
    /// Clears the gradients.
    fn zero_grad(&mut self);

    /// Moves the parameters along their gradients.
    fn step(&mut self);

    /// Sets the learning rate.
    fn set_lr(&mut self, lr: f64);

    /// The learning rate, where it tells: `tch::nn::Optimizer` does not.
    fn lr(&self) -> Option<f64> {
        None
    }

    /// Is told the loss of each step after it was taken: for rates that follow it.
    fn see_loss(&mut self, _loss: f64) {}

    /// Clears the gradients, runs backward from `loss`, steps.
    fn backward_step(&mut self, loss: &Tensor) {
        self.zero_grad();
        loss.backward();
        self.step();
    }
}

impl Optimize for nn::Optimizer {
    fn zero_grad(&mut self) {
        nn::Optimizer::zero_grad(self);
    }

    fn step(&mut self) {
        nn::Optimizer::step(self);
    }

    fn set_lr(&mut self, lr: f64) {
        nn::Optimizer::set_lr(self, lr);
    }
}

impl<O: Optimize + ?Sized> Optimize for Box<O> {
    fn zero_grad(&mut self) {
        (**self).zero_grad();
    }

    fn step(&mut self) {
        (**self).step();
    }

    fn set_lr(&mut self, lr: f64) {
        (**self).set_lr(lr);
    }

    fn lr(&self) -> Option<f64> {
        (**self).lr()
    }

    fn see_loss(&mut self, loss: f64) {
        (**self).see_loss(loss);
    }
}
