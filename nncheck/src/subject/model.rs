//! The network of a subject: built from the user's function or from layers, loaded, frozen, cast.

use nncheck_core::diagnostic::Located;
use nncheck_core::spec::Subject;
use nncheck_core::spec::layer;
use nncheck_core::spec::model::ModelSource;
use tch::nn::{Path, VarStore};
use tch::{Kind, Tensor};

use super::torchscript::TorchScript;
use super::{SubjectError, layers, weights};
use crate::bindings::Bindings;
use crate::hyper::Hyper;
use crate::user::{Batch, Model, Outputs};

/// A network with its parameters.
pub struct Network {
    model: Box<dyn Model>,
    store: &'static VarStore,
    /// Trainable and frozen parameters, sorted by name; buffers left out.
    parameters: Vec<(String, Tensor)>,
    frozen: Vec<String>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("parameters", &self.parameters).finish_non_exhaustive()
    }
}

impl Network {
    /// Builds the network for examples of `shape`.
    pub(super) fn build(subject: &Subject, shape: &[usize], bindings: &Bindings) -> Result<Self, SubjectError> {
        let kind = super::kind(subject.dtype);
        let mut store = VarStore::new(super::device(subject.device)?);
        // New variables are then drawn in this format, as PyTorch draws them under its default dtype.
        store.set_kind(kind);
        let store: &'static VarStore = Box::leak(Box::new(store));
        let model: Box<dyn Model> = match &subject.model.source {
            ModelSource::Builder { path, hyper } => {
                let builder = bindings.builder_at(&path.value)?;
                let root: &'static Path<'static> = Box::leak(Box::new(store.root()));
                let hyper: &'static Hyper = Box::leak(Box::new(Hyper::from_json(hyper)));
                builder(root, hyper)
            }
            ModelSource::Layers(spec) => {
                let inferred = layer::infer(spec, shape)
                    .map_err(|e| SubjectError { cause: e.message, help: e.help.into_iter().collect() })?;
                Box::new(layers::build(&store.root(), &inferred.layers))
            }
            ModelSource::TorchScript(file) => Box::new(TorchScript::load(store, &file.value, kind)?),
            ModelSource::Subject { .. } => {
                return Err(SubjectError::new("a whole program is no network (this is a fault in nncheck)"));
            }
        };
        if kind != Kind::Float {
            // Some layers of tch make their buffers in single precision whatever the store says.
            store.root().double();
        }
        if let Some(file) = &subject.model.weights {
            weights::load(store, &file.file.value, &file.ignore)?;
        }
        let parameters = parameters_of(store)?;
        let ours = matches!(subject.model.source, ModelSource::Layers(_) | ModelSource::TorchScript(_));
        let frozen = freeze(&parameters, &subject.model.frozen, ours)?;
        if parameters.is_empty() {
            return Err(SubjectError::new("the model has no parameters")
                .help("build every layer below the `&nn::Path` that the builder is given"));
        }
        Ok(Self { model, store, parameters, frozen })
    }

    /// Runs the model on a batch.
    pub fn forward(&self, batch: &Batch, train: bool) -> Outputs {
        self.model.outputs(batch, train)
    }

    /// The model itself.
    pub(super) fn model(&self) -> &dyn Model {
        &*self.model
    }

    /// Parameters, sorted by name; buffers such as running statistics left out.
    pub fn parameters(&self) -> &[(String, Tensor)] {
        &self.parameters
    }

    /// The parameters that the spec's `frozen` names.
    #[must_use]
    pub fn frozen(&self) -> &[String] {
        &self.frozen
    }

    pub(super) fn store(&self) -> &'static VarStore {
        self.store
    }
}

/// The trainable and the frozen parameters of a store, sorted by name; buffers left out.
pub(super) fn parameters_of(store: &VarStore) -> Result<Vec<(String, Tensor)>, SubjectError> {
    let trainable: Vec<*const _> = {
        let variables =
            store.variables_.lock().map_err(|_| SubjectError::new("the builder left its variables locked"))?;
        variables.trainable_variables.iter().map(|v| v.tensor.data_ptr().cast_const()).collect()
    };
    let mut parameters: Vec<(String, Tensor)> = store
        .variables()
        .into_iter()
        .filter(|(_, tensor)| tensor.requires_grad() || trainable.contains(&tensor.data_ptr().cast_const()))
        .collect();
    parameters.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(parameters)
}

/// The parameters that `frozen` names; they are frozen here where nncheck built the model itself (`ours`).
pub(super) fn freeze(
    parameters: &[(String, Tensor)],
    frozen: &[Located<String>],
    ours: bool,
) -> Result<Vec<String>, SubjectError> {
    let mut names = Vec::new();
    for Located { value: pattern, .. } in frozen {
        let glob = weights::glob(pattern)?;
        let mut hit = false;
        for (name, tensor) in parameters.iter().filter(|(name, _)| glob.is_match(name)) {
            hit = true;
            if ours {
                let _frozen = tensor.set_requires_grad(false);
            }
            names.push(name.clone());
        }
        if !hit {
            let known: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
            return Err(SubjectError::new(format!("`frozen = [\"{pattern}\"]` names no parameter of the model"))
                .help(format!("its parameters are {}", known.join(", "))));
        }
    }
    Ok(names)
}

impl Drop for Network {
    fn drop(&mut self) {
        // The store itself is leaked (see `Builder`); its tensors, which are the memory, are not.
        if let Ok(mut variables) = self.store.variables_.lock() {
            variables.named_variables.clear();
            variables.trainable_variables.clear();
        }
    }
}
