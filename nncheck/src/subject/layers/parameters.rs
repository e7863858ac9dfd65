//! Parameters of a layer while it is built.

use std::cell::RefCell;
use std::rc::Rc;

use tch::Tensor;
use tch::nn::{Init, Path};

/// Makes the parameters of a layer below its path, and knows those made, in PyTorch's order.
#[derive(Debug)]
pub(super) struct Parameters<'a> {
    path: Path<'a>,
    /// Of a part: its name with a dot behind it.
    prefix: String,
    made: Rc<RefCell<Vec<(String, Tensor)>>>,
}

impl<'a> Parameters<'a> {
    pub(super) fn below(path: Path<'a>) -> Self {
        Self { path, prefix: String::new(), made: Rc::default() }
    }

    /// Those of a part of the layer.
    pub(super) fn sub(&self, name: &str) -> Self {
        Self { path: self.path.sub(name), prefix: format!("{}{name}.", self.prefix), made: Rc::clone(&self.made) }
    }

    /// The place of the layer.
    pub(super) fn path(&self) -> &Path<'a> {
        &self.path
    }

    /// Drawn from `U(-bound, bound)`.
    pub(super) fn uniform(&self, name: &str, shape: &[i64], bound: f64) -> Tensor {
        self.make(name, shape, Init::Uniform { lo: -bound, up: bound })
    }

    /// All of one value.
    pub(super) fn constant(&self, name: &str, shape: &[i64], value: f64) -> Tensor {
        self.make(name, shape, Init::Const(value))
    }

    /// The names and tensors of all that were made, those of parts included.
    pub(super) fn made(&self) -> Vec<(String, Tensor)> {
        self.made.borrow().iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect()
    }

    fn make(&self, name: &str, shape: &[i64], init: Init) -> Tensor {
        let tensor = self.path.var(name, shape, init);
        self.made.borrow_mut().push((format!("{}{name}", self.prefix), tensor.shallow_clone()));
        tensor
    }
}
