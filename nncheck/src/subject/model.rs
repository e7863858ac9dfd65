//! The network of a subject: built from the user's function or from layers, loaded, frozen, cast.

use nncheck_core::spec::Subject;
use nncheck_core::spec::layer;
use nncheck_core::spec::model::ModelSource;
use tch::nn::{ModuleT, Path, VarStore};
use tch::{Kind, Tensor};

use super::{SubjectError, layers, weights};
use crate::bindings::Bindings;
use crate::hyper::Hyper;

/// A network with its parameters.
#[derive(Debug)]
pub struct Network {
    module: Box<dyn ModuleT>,
    store: &'static VarStore,
    /// Trainable and frozen parameters, sorted by name; buffers left out.
    parameters: Vec<(String, Tensor)>,
    frozen: Vec<String>,
}

impl Network {
    /// Builds the network for examples of `shape`.
    pub(super) fn build(subject: &Subject, shape: &[usize], bindings: &Bindings) -> Result<Self, SubjectError> {
        let kind = super::kind(subject.dtype);
        let mut store = VarStore::new(super::device(subject.device)?);
        // New variables are then drawn in this format, as PyTorch draws them under its default dtype.
        store.set_kind(kind);
        let store: &'static VarStore = Box::leak(Box::new(store));
        let module = match &subject.model.source {
            ModelSource::Builder { path, hyper } => build_by_path(store, &path.value, hyper, bindings)?,
            ModelSource::Layers(spec) => {
                let inferred = layer::infer(spec, shape)
                    .map_err(|e| SubjectError { cause: e.message, help: e.help.into_iter().collect() })?;
                Box::new(layers::build(&store.root(), &inferred.layers))
            }
        };
        if kind != Kind::Float {
            // Some layers of tch make their buffers in single precision whatever the store says.
            store.root().double();
        }
        if let Some(file) = &subject.model.weights {
            weights::load(store, &file.file.value, &file.ignore)?;
        }
        let mut network = Self { module, store, parameters: Vec::new(), frozen: Vec::new() };
        network.freeze(&subject.model.frozen, matches!(subject.model.source, ModelSource::Layers(_)))?;
        if network.parameters.is_empty() {
            return Err(SubjectError::new("the model has no parameters")
                .help("build every layer below the `&nn::Path` that the builder is given"));
        }
        Ok(network)
    }

    /// Runs the model on inputs `[n, shape...]`.
    pub fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        self.module.forward_t(x, train)
    }

    /// Parameters, sorted by name; buffers such as running statistics left out.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.parameters.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Parameters as the observer wants them.
    #[must_use]
    pub fn named_parameters(&self) -> Vec<(String, Tensor)> {
        self.parameters.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect()
    }

    /// Whether the spec's `frozen` names a parameter.
    #[must_use]
    pub fn is_frozen(&self, name: &str) -> bool {
        self.frozen.iter().any(|f| f == name)
    }

    pub(super) fn store(&self) -> &VarStore {
        self.store
    }

    /// Sorts out parameters and buffers; freezes what `frozen` names where nncheck built the model itself.
    fn freeze(&mut self, frozen: &[String], ours: bool) -> Result<(), SubjectError> {
        let trainable: Vec<*const _> = {
            let variables =
                self.store.variables_.lock().map_err(|_| SubjectError::new("the builder left its variables locked"))?;
            variables.trainable_variables.iter().map(|v| v.tensor.data_ptr().cast_const()).collect()
        };
        let mut parameters: Vec<(String, Tensor)> = self
            .store
            .variables()
            .into_iter()
            .filter(|(_, tensor)| tensor.requires_grad() || trainable.contains(&tensor.data_ptr().cast_const()))
            .collect();
        parameters.sort_by(|a, b| a.0.cmp(&b.0));
        for pattern in frozen {
            let glob = weights::glob(pattern)?;
            let mut hit = false;
            for (name, tensor) in parameters.iter().filter(|(name, _)| glob.is_match(name)) {
                hit = true;
                if ours {
                    let _frozen = tensor.set_requires_grad(false);
                }
                self.frozen.push(name.clone());
            }
            if !hit {
                let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
                return Err(SubjectError::new(format!("`frozen = [\"{pattern}\"]` names no parameter of the model"))
                    .help(format!("its parameters are {}", names.join(", "))));
            }
        }
        self.parameters = parameters;
        Ok(())
    }
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

fn build_by_path(
    store: &'static VarStore,
    path: &str,
    hyper: &str,
    bindings: &Bindings,
) -> Result<Box<dyn ModuleT>, SubjectError> {
    let Some(builder) = bindings.find_builder(path) else {
        let known: Vec<&str> = bindings.builder_paths().collect();
        let mut error = SubjectError::new(format!("no entry of the harness binds `{path}`"))
            .help(format!("list it in the harness: `nncheck::harness! {{ specs: \"specs\", builder: [{path}] }}`"));
        if !known.is_empty() {
            error = error.help(format!("bound are {}", known.join(", ")));
        }
        return Err(error);
    };
    let root: &'static Path<'static> = Box::leak(Box::new(store.root()));
    let hyper: &'static Hyper = Box::leak(Box::new(Hyper::from_json(hyper)));
    Ok(builder(root, hyper))
}
