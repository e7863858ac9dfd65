//! The operator observer: what a model's layers put out, seen without any change to the model.
//!
//! libtorch calls back for every operator of a thread (`at::RecordFunction`). `observer.cpp` hands the outermost ones
//! on, `ffi` takes them, `naming` says which are layers and what they are called, `statistics` sums up their output, at
//! once, in the operator's own end callback: a moment later an in-place activation may have overwritten it. For the same
//! reason `hooks` asks for gradients there and then, where they are wanted.

mod depth;
mod ffi;
mod hooks;
mod naming;
mod statistics;

use std::collections::HashSet;

use tch::Tensor;

pub(crate) use self::depth::depth;
pub(crate) use self::hooks::{Keep, Kept, Recorded};
use self::naming::{Namer, Parameters, Storage};
pub use self::statistics::Statistics;

/// The output of one operator inside a model's forward pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    /// The layer's name, from its parameters' (`hidden.weight` makes `hidden`); an operator without parameters is named
    /// after the layer before it (`hidden.relu`). The second of a name is `hidden.relu#2`: names are unique in a forward
    /// pass and the same in every pass that runs the same operators.
    pub layer: String,
    /// The operator, as libtorch calls it, without namespace or the underscore of its in-place form: `linear`, `relu`.
    pub operator: String,
    /// The output's shape.
    pub shape: Vec<i64>,
    /// What is known of its entries.
    pub statistics: Statistics,
}

/// One operator of a pass, with what it read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operator {
    /// Its output.
    pub(crate) seen: Activation,
    /// Its inputs that are floating point and no parameters, as they were before it ran, in the order of its arguments.
    pub(crate) inputs: Vec<Statistics>,
}

/// What is told of an operator's output beside its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// The layer's name, as [`Activation::layer`].
    pub(crate) layer: String,
    /// The operator, as [`Activation::operator`].
    pub(crate) operator: String,
    /// The output's shape.
    pub(crate) shape: Vec<i64>,
    /// Whether the operator reads parameters.
    pub(crate) has_parameters: bool,
    /// Whether units are channels on the second axis, as behind a convolution.
    pub(crate) has_channels: bool,
}

/// Looks at an operator's output while it is there.
type Look<'l> = dyn FnMut(&Output, &ffi::Output) -> Result<(), String> + 'l;

impl Output {
    /// The axis of the units: features of `[N, F]`, channels of `[N, C, ...]`, the last axis of `[N, T, F]`.
    pub(crate) fn unit_axis(&self) -> Option<usize> {
        match self.shape.len() {
            0 | 1 => None,
            2 => Some(1),
            _ if self.has_channels => Some(1),
            axes => Some(axes - 1),
        }
    }
}

/// A tensor that requires a gradient and is read by an operator, but that is none of the model's known parameters: it
/// gets a gradient, and no optimizer over those parameters will ever move it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unregistered {
    /// The layer that reads it.
    pub layer: String,
    /// Its shape.
    pub shape: Vec<i64>,
}

/// Why a forward pass could not be observed.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// libtorch did not accept the callbacks.
    #[error("libtorch refused to report the operators of this thread: {0}")]
    Install(String),
    /// An output's entries could not be read.
    #[error("the output of `{layer}` could not be read: {reason}")]
    Read {
        /// The layer whose output it was.
        layer: String,
        /// libtorch's reason.
        reason: String,
    },
}

/// Watches the forward passes of one model.
///
/// It knows the model's parameters by the memory that they lie in, so slices of a parameter and tied parameters are
/// known too. It changes nothing: not the mode, the random stream, the running statistics, the gradients, nor a bit of
/// any result.
pub struct Observer {
    names: Vec<String>,
    tensors: Vec<Tensor>,
    storages: Vec<Storage>,
    parameters: Parameters,
    read: HashSet<Storage>,
    unregistered: Vec<Unregistered>,
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observer").field("parameters", &self.names).finish_non_exhaustive()
    }
}

impl Observer {
    /// An observer of the model with these parameters, named `layer.parameter`. Buffers may be among them (a pruning
    /// mask that is multiplied into a weight is then known to be no input). Of tied parameters the first is asked first.
    #[must_use]
    pub fn new(parameters: &[(String, Tensor)]) -> Self {
        let mut observer = Self {
            names: parameters.iter().map(|(name, _)| name.clone()).collect(),
            // Holding the tensors keeps their memory from being used for something else.
            tensors: parameters.iter().map(|(_, tensor)| tensor.shallow_clone()).collect(),
            storages: Vec::new(),
            parameters: Parameters::default(),
            read: HashSet::new(),
            unregistered: Vec::new(),
        };
        observer.locate();
        observer
    }

    /// Runs `forward` on this thread and returns its result with the activations seen, in order.
    ///
    /// Only `forward` is observed, and only on this thread; a backward pass inside it is not. Operators that only make,
    /// move or convert entries (views, copies, `flatten`, `cat`) are no activations, nor are outputs that are not
    /// floating point; of several outputs the first is taken. When `forward` panics, so does this, and nothing is
    /// observed any more.
    ///
    /// # Errors
    /// When libtorch refuses the callbacks, or the entries of an output cannot be read.
    pub fn watch<R>(&mut self, forward: impl FnOnce() -> R) -> Result<(R, Vec<Activation>), ObserveError> {
        let (result, operators) = self.run(forward, None, false)?;
        Ok((result, operators.into_iter().map(|operator| operator.seen).collect()))
    }

    /// As [`Observer::watch`], with what the operators read.
    ///
    /// # Errors
    /// As [`Observer::watch`].
    pub(crate) fn watch_with_inputs<R>(
        &mut self,
        forward: impl FnOnce() -> R,
    ) -> Result<(R, Vec<Operator>), ObserveError> {
        self.run(forward, None, true)
    }

    /// Runs `forward` on this thread and shows each output's entries, as doubles in the order of its axes, to `look`.
    ///
    /// # Errors
    /// As [`Observer::watch`].
    pub(crate) fn inspect<R>(
        &mut self,
        forward: impl FnOnce() -> R,
        look: &mut dyn FnMut(&Output, &[f64]),
    ) -> Result<R, ObserveError> {
        let mut read = |seen: &Output, raw: &ffi::Output| raw.read(|entries| look(seen, entries));
        self.run(forward, Some(&mut read), false).map(|(result, _)| result)
    }

    /// Runs `forward` on this thread and keeps of each output what `keep` says, for a backward pass that follows.
    ///
    /// # Errors
    /// As [`Observer::watch`].
    pub(crate) fn record<R>(
        &mut self,
        forward: impl FnOnce() -> R,
        keep: impl Fn(&Output) -> Keep,
    ) -> Result<(R, Recorded), ObserveError> {
        let mut recorded = Recorded::new().map_err(ObserveError::Install)?;
        let mut add = |seen: &Output, raw: &ffi::Output| recorded.add(seen, raw, keep(seen));
        let (result, _) = self.run(forward, Some(&mut add), false)?;
        Ok((result, recorded))
    }

    fn run<'l, R>(
        &mut self,
        forward: impl FnOnce() -> R,
        look: Option<&'l mut Look<'l>>,
        reads_inputs: bool,
    ) -> Result<(R, Vec<Operator>), ObserveError> {
        self.locate();
        let mut pass = Pass {
            namer: Namer::new(&self.parameters),
            parameters: &self.parameters,
            operators: Vec::new(),
            look,
            has_channels: false,
            read: std::mem::take(&mut self.read),
            strangers: Vec::new(),
            unregistered: Vec::new(),
            reads_inputs,
            inputs: Vec::new(),
            error: None,
        };
        let result = ffi::watch(&mut pass, forward).map_err(ObserveError::Install)?;
        self.read = pass.read;
        self.unregistered = pass.unregistered;
        match pass.error {
            Some(error) => Err(error),
            None => Ok((result, pass.operators)),
        }
    }

    /// Whether any operator in any pass so far read the parameter of this name.
    #[must_use]
    pub fn has_read(&self, parameter: &str) -> bool {
        self.names.iter().position(|name| name == parameter).is_some_and(|at| self.read.contains(&self.storages[at]))
    }

    /// The tensors of the last pass that require a gradient and are no known parameters.
    #[must_use]
    pub fn unregistered(&self) -> &[Unregistered] {
        &self.unregistered
    }

    /// Finds where the parameters lie. They move when a model changes its device or its kind.
    fn locate(&mut self) {
        let storages: Vec<Storage> = self.tensors.iter().map(ffi::storage).collect();
        if storages != self.storages {
            self.read.clear();
            self.parameters = Parameters::new(self.names.iter().map(String::as_str).zip(storages.iter().copied()));
            self.storages = storages;
        }
    }
}

/// One watched forward pass.
struct Pass<'a, 'l> {
    namer: Namer<'a>,
    parameters: &'a Parameters,
    operators: Vec<Operator>,
    /// Looks at the outputs in place of statistics.
    look: Option<&'l mut Look<'l>>,
    /// Units are channels, by the last operator that tells.
    has_channels: bool,
    /// Where the parameters lie that were read.
    read: HashSet<Storage>,
    /// Shapes of the current operator's trained inputs that are no parameters.
    strangers: Vec<Vec<i64>>,
    unregistered: Vec<Unregistered>,
    /// Whether statistics of what operators read are wanted.
    reads_inputs: bool,
    /// Those of the current operator.
    inputs: Vec<Statistics>,
    error: Option<ObserveError>,
}

impl ffi::Watcher for Pass<'_, '_> {
    fn start(&mut self, operator: &str, inputs: &[ffi::Input]) {
        let storages: Vec<Storage> = inputs.iter().map(ffi::Input::storage).collect();
        self.strangers.clear();
        for (input, storage) in inputs.iter().zip(&storages) {
            if self.parameters.lie_in(*storage) {
                self.read.insert(*storage);
            } else if let Some(shape) = input.trained_shape() {
                self.strangers.push(shape.to_vec());
            }
        }
        if self.reads_inputs {
            // What cannot be read is no input that could be told apart.
            let others = inputs.iter().zip(&storages).filter(|(_, storage)| !self.parameters.lie_in(**storage));
            self.inputs = others.filter_map(|(input, _)| input.statistics()?.ok()).collect();
        }
        self.namer.start(operator, &storages);
    }

    fn end(&mut self, outputs: &[ffi::Output]) {
        let storages: Vec<Storage> = outputs.iter().map(ffi::Output::storage).collect();
        let first = outputs.iter().find(|output| output.is_floating());
        let Some(name) = self.namer.end(&storages, first.map(ffi::Output::storage)) else { return };
        let Some(output) = first else { return };
        self.unregistered
            .extend(self.strangers.drain(..).map(|shape| Unregistered { layer: name.layer.clone(), shape }));
        self.has_channels = naming::has_channels(&name.operator).unwrap_or(self.has_channels);
        if let Some(look) = &mut self.look {
            let seen = Output {
                layer: name.layer,
                operator: name.operator,
                shape: output.shape().to_vec(),
                has_parameters: name.has_parameters,
                has_channels: self.has_channels,
            };
            if let Err(reason) = look(&seen, output) {
                self.error.get_or_insert(ObserveError::Read { layer: seen.layer, reason });
            }
            return;
        }
        match output.statistics() {
            Ok(statistics) => self.operators.push(Operator {
                seen: Activation {
                    layer: name.layer,
                    operator: name.operator,
                    shape: output.shape().to_vec(),
                    statistics,
                },
                inputs: std::mem::take(&mut self.inputs),
            }),
            Err(reason) => {
                self.error.get_or_insert(ObserveError::Read { layer: name.layer, reason });
            }
        }
    }
}
