//! What a model puts out.

use tch::Tensor;

use super::Named;

/// What a model puts out, by name. A single tensor is called `output`.
#[derive(Clone, Debug, Default)]
pub struct Outputs(Named);

impl Outputs {
    /// Nothing yet; [`Outputs::with`] adds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another output.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, tensor: Tensor) -> Self {
        self.0.insert(name, tensor);
        self
    }

    /// The first output: the only one of most models.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn main(&self) -> &Tensor {
        self.0.first().expect("a model puts something out")
    }

    /// An output by name.
    ///
    /// # Panics
    /// When there is none of that name; the panic is reported as the property's error and lists the names.
    #[track_caller]
    pub fn get(&self, name: &str) -> &Tensor {
        self.0.expect("output", name)
    }

    /// All outputs.
    #[must_use]
    pub fn named(&self) -> &Named {
        &self.0
    }

    /// The same names with each tensor changed.
    #[must_use]
    pub fn map(&self, change: impl Fn(&Tensor) -> Tensor) -> Self {
        Self(self.0.map(change))
    }
}

impl From<Tensor> for Outputs {
    fn from(output: Tensor) -> Self {
        Self::new().with("output", output)
    }
}
