//! The signatures of the user's own functions. A marker tells the forms of one trait apart.
//!
//! References that a returned type may capture are `'static` (what they point at is leaked, a few bytes a
//! measurement): in edition 2024 `impl Trait` captures the lifetimes of the arguments, and no bound over all lifetimes
//! accepts such a function.

use std::fmt::Display;

use tch::Tensor;
use tch::nn::{Path, VarStore};

use crate::hyper::Hyper;
use crate::subject::Program;
use crate::user::{Batch, Dataset, Losses, Model, Optimize, Outputs};

/// A function that builds a model: `fn(&nn::Path) -> M` or `fn(&nn::Path, &Hyper) -> M`, `M` a `tch::nn::ModuleT` or a
/// [`Model`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot build a model",
    label = "not a builder",
    note = "a builder is `fn(&nn::Path) -> M` or `fn(&nn::Path, &nncheck::Hyper) -> M`, where `M` is a `tch::nn::ModuleT` or an `nncheck::Model`"
)]
pub trait Builder<Marker>: Send + Sync + 'static {
    /// Builds the model below `path`.
    fn build(&self, path: &'static Path<'static>, hyper: &'static Hyper) -> Box<dyn Model>;
}

impl<F, M> Builder<fn(&'static Path<'static>) -> M> for F
where
    F: Fn(&'static Path<'static>) -> M + Send + Sync + 'static,
    M: Model + 'static,
{
    fn build(&self, path: &'static Path<'static>, _hyper: &'static Hyper) -> Box<dyn Model> {
        Box::new(self(path))
    }
}

impl<F, M> Builder<fn(&'static Path<'static>, &'static Hyper) -> M> for F
where
    F: Fn(&'static Path<'static>, &'static Hyper) -> M + Send + Sync + 'static,
    M: Model + 'static,
{
    fn build(&self, path: &'static Path<'static>, hyper: &'static Hyper) -> Box<dyn Model> {
        Box::new(self(path, hyper))
    }
}

/// A loss: `fn(&Tensor, &Tensor) -> Tensor` of output and target, or `-> Losses` with named terms; or of everything,
/// `fn(&Outputs, &Batch) -> Losses`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no loss",
    label = "not a loss",
    note = "a loss is `fn(&Tensor, &Tensor) -> Tensor` (output, target), `fn(&Tensor, &Tensor) -> nncheck::Losses` or `fn(&nncheck::Outputs, &nncheck::Batch) -> nncheck::Losses`"
)]
pub trait LossFunction<Marker>: Send + Sync + 'static {
    /// The losses of these outputs against the batch's targets.
    fn losses(&self, outputs: &Outputs, batch: &Batch) -> Losses;
}

impl<F, R> LossFunction<fn(&Tensor, &Tensor) -> R> for F
where
    F: Fn(&Tensor, &Tensor) -> R + Send + Sync + 'static,
    R: Into<Losses>,
{
    fn losses(&self, outputs: &Outputs, batch: &Batch) -> Losses {
        self(outputs.main(), batch.y()).into()
    }
}

impl<F, R> LossFunction<fn(&Outputs, &Batch) -> R> for F
where
    F: Fn(&Outputs, &Batch) -> R + Send + Sync + 'static,
    R: Into<Losses>,
{
    fn losses(&self, outputs: &Outputs, batch: &Batch) -> Losses {
        self(outputs, batch).into()
    }
}

/// A function that makes an optimizer: `fn(&nn::VarStore) -> O` or `-> Result<O, E>`, `O` a `tch::nn::Optimizer` or an
/// [`Optimize`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` makes no optimizer",
    label = "not a function that makes an optimizer",
    note = "it is `fn(&nn::VarStore) -> O`, where `O` is a `tch::nn::Optimizer` or implements `nncheck::Optimize`"
)]
pub trait OptimizerFunction<Marker>: Send + Sync + 'static {
    /// The optimizer over a store's variables.
    ///
    /// # Errors
    /// The user's own.
    fn optimizer(&self, store: &'static VarStore) -> Result<Box<dyn Optimize>, String>;
}

impl<F, O> OptimizerFunction<fn(&'static VarStore) -> O> for F
where
    F: Fn(&'static VarStore) -> O + Send + Sync + 'static,
    O: Optimize + 'static,
{
    fn optimizer(&self, store: &'static VarStore) -> Result<Box<dyn Optimize>, String> {
        Ok(Box::new(self(store)))
    }
}

impl<F, O, E> OptimizerFunction<fn(&'static VarStore) -> Result<O, E>> for F
where
    F: Fn(&'static VarStore) -> Result<O, E> + Send + Sync + 'static,
    O: Optimize + 'static,
    E: Display,
{
    fn optimizer(&self, store: &'static VarStore) -> Result<Box<dyn Optimize>, String> {
        match self(store) {
            Ok(optimizer) => Ok(Box::new(optimizer)),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A training step: `fn(&dyn Model, &mut dyn Optimize, &Batch) -> Tensor`, the loss before the update, or `-> Losses`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no training step",
    label = "not a training step",
    note = "a step is `fn(&dyn nncheck::Model, &mut dyn nncheck::Optimize, &nncheck::Batch) -> Tensor` (the loss)"
)]
pub trait StepFunction<Marker>: Send + Sync + 'static {
    /// Runs one step.
    fn step(&self, model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Losses;
}

impl<F, R> StepFunction<fn(&dyn Model, &mut dyn Optimize, &Batch) -> R> for F
where
    F: Fn(&dyn Model, &mut dyn Optimize, &Batch) -> R + Send + Sync + 'static,
    R: Into<Losses>,
{
    fn step(&self, model: &dyn Model, optimizer: &mut dyn Optimize, batch: &Batch) -> Losses {
        self(model, optimizer, batch).into()
    }
}

/// A function that reads data: `fn() -> Dataset` or `fn() -> Result<Dataset, E>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` reads no data",
    label = "not a function that reads data",
    note = "it is `fn() -> nncheck::Dataset` or `fn() -> Result<nncheck::Dataset, E>`"
)]
pub trait DataFunction<Marker>: Send + Sync + 'static {
    /// The data.
    ///
    /// # Errors
    /// The user's own.
    fn dataset(&self) -> Result<Dataset, String>;
}

impl<F, D> DataFunction<fn() -> D> for F
where
    F: Fn() -> D + Send + Sync + 'static,
    D: Into<Dataset>,
{
    fn dataset(&self) -> Result<Dataset, String> {
        Ok(self().into())
    }
}

impl<F, D, E> DataFunction<fn() -> Result<D, E>> for F
where
    F: Fn() -> Result<D, E> + Send + Sync + 'static,
    D: Into<Dataset>,
    E: Display,
{
    fn dataset(&self) -> Result<Dataset, String> {
        self().map(Into::into).map_err(|error| error.to_string())
    }
}

/// A number of the user's own: `fn(&mut nncheck::Program) -> f64`, for `check = "value"`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` gives no number",
    label = "not a function that gives a number",
    note = "it is `fn(&mut nncheck::Program) -> f64`"
)]
pub trait ValueFunction: Send + Sync + 'static {
    /// The number.
    fn value(&self, program: &mut Program<'_>) -> f64;
}

impl<F> ValueFunction for F
where
    F: Fn(&mut Program<'_>) -> f64 + Send + Sync + 'static,
{
    fn value(&self, program: &mut Program<'_>) -> f64 {
        self(program)
    }
}
