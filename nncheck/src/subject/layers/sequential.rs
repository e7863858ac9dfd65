//! Layers one after another.

use tch::Tensor;
use tch::nn::ModuleT;

/// Runs its layers in their order.
#[derive(Debug, Default)]
pub struct Sequential {
    layers: Vec<Box<dyn ModuleT>>,
}

impl Sequential {
    pub(super) fn push(&mut self, layer: Box<dyn ModuleT>) {
        self.layers.push(layer);
    }
}

impl ModuleT for Sequential {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let mut layers = self.layers.iter();
        let Some(first) = layers.next() else { return xs.shallow_clone() };
        layers.fold(first.forward_t(xs, train), |xs, layer| layer.forward_t(&xs, train))
    }
}
