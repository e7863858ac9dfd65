//! The loss of outputs whose loss is known: that of the spec, and that which the user's own step returns.

use ndarray::{ArrayD, IxDyn};
use nncheck_core::measurement::{LossCase, LossFunction, LossFunctionAsk};
use nncheck_core::reference::{self, Reference, Target};
use tch::{Kind, Tensor};

use crate::subject::{Program, SubjectError, checked};
use crate::tensors::shape;
use crate::user::{Batch, Losses, Model, Optimize, Outputs};

/// A model that puts out what it is told to.
struct Fixed(Outputs);

impl Model for Fixed {
    fn outputs(&self, _batch: &Batch, _train: bool) -> Outputs {
        self.0.clone()
    }
}

/// An optimizer of nothing.
struct Still;

impl Optimize for Still {
    fn zero_grad(&mut self) {}

    fn step(&mut self) {}

    fn set_lr(&mut self, _lr: f64) {}
}

/// Tries the losses on the model's outputs and on made-up ones, on one batch of the first rows.
pub(super) fn measure(program: &Program<'_>, ask: &LossFunctionAsk) -> Result<LossFunction, SubjectError> {
    let rows = ask.rows.min(program.spec.data.batch).min(program.data.train_rows());
    let mut result =
        LossFunction { cannot: None, rows, output_shape: Vec::new(), declared: Vec::new(), of_step: Vec::new() };
    let cannot = |why: &str| Ok(LossFunction { cannot: Some(why.to_owned()), ..result.clone() });
    let Some(loss) = program.loss() else {
        return cannot(
            "the losses of a program of its own have no reference: write a property of `check = \"value\"` for them",
        );
    };
    let [term] = &program.spec.loss.terms[..] else {
        return cannot("the loss is a sum of several terms, and the reference is of one");
    };
    let Some(reference) = Reference::of(term) else {
        return cannot("the spec names no `kind` beside `function` that it should agree with");
    };
    if term.weight <= 0.0 {
        return cannot("the loss has the weight zero");
    }
    let batch = program.first_rows(rows);
    let outputs = tch::no_grad(|| program.outputs(&batch, true))?;
    if program.step().is_some() && outputs.named().len() != 1 {
        return cannot("the step may read several outputs, and the reference knows one");
    }
    let (output, target) = loss.only(&outputs, &batch)?;
    let target = self::target(target);
    let shape = shape(output);
    let mut tried = vec![(reference::Outputs::Model, output.detach().copy())];
    tried.extend(reference::try_out(reference.kind, &shape, &target).into_iter().map(|(what, made_up)| {
        let flat: Vec<f64> = made_up.iter().copied().collect();
        (what, Tensor::from_slice(&flat).reshape(output.size()).to_kind(output.kind()).to_device(output.device()))
    }));
    result.output_shape = shape;
    for (what, tensor) in tried {
        let seen = array(&tensor);
        let right = match reference.loss(&seen, &target) {
            Ok(right) => right,
            Err(why) => return Ok(LossFunction { cannot: Some(why), ..result }),
        };
        let case = |losses: &Losses, weight: f64| LossCase {
            outputs: what,
            value: losses.total().double_value(&[]) / weight,
            reference: right,
            faulty: reference::faulty(&reference, &seen, &target),
        };
        // A loss may refuse to be differentiated by outputs that ask for no gradient.
        let leaf = || loss.only_output(tensor.detach().copy().set_requires_grad(true)).unwrap_or_default();
        result.declared.push(case(&program.losses_of(&leaf(), &batch)?, term.weight));
        if let Some(step) = program.step() {
            result.of_step.push(case(&checked(step(&Fixed(leaf()), &mut Still, &batch))?, 1.0));
        }
    }
    Ok(result)
}

fn array(tensor: &Tensor) -> ArrayD<f64> {
    let flat: Vec<f64> = values(tensor, Kind::Double);
    ArrayD::from_shape_vec(IxDyn(&shape(tensor)), flat).unwrap_or_default()
}

fn target(y: &Tensor) -> Target {
    if y.kind() == Kind::Int64 {
        let ids: Vec<i64> = values(y, Kind::Int64);
        Target::Ids(ArrayD::from_shape_vec(IxDyn(&shape(y)), ids).unwrap_or_default())
    } else {
        Target::Values(array(y))
    }
}

fn values<T: tch::kind::Element + Copy + Default>(tensor: &Tensor, kind: Kind) -> Vec<T> {
    let flat = tensor.detach().to_device(tch::Device::Cpu).to_kind(kind).contiguous().reshape([-1]);
    let mut values = vec![T::default(); flat.numel()];
    flat.copy_data(&mut values, flat.numel());
    values
}
