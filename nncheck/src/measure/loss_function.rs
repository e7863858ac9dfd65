//! The loss of outputs whose loss is known: each term of the spec's loss, and that which the user's own step returns.

use ndarray::{ArrayD, IxDyn};
use nncheck_core::measurement::{LossCase, LossFunction, LossFunctionAsk, Tried, TriedTerm};
use nncheck_core::reference::{self, Reference, Target};
use nncheck_core::spec::loss::LossKind;
use tch::{Kind, Tensor};

use crate::subject::error::attempt;
use crate::subject::{OneTerm, Program, SubjectError, checked};
use crate::tensors::{shape, values};
use crate::user::{Batch, Model, Optimize, Outputs};

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
    let mut result = LossFunction { cannot: None, rows, terms: Vec::new(), of_step: Vec::new() };
    let Some(loss) = program.loss() else {
        let why =
            "the losses of a program of its own have no reference: write a property of `check = \"value\"` for them";
        return Ok(LossFunction { cannot: Some(why.to_owned()), ..result });
    };
    let batch = program.first_rows(rows);
    let outputs = tch::no_grad(|| program.outputs(&batch, true))?;
    for term in loss.each() {
        result.terms.push(Trial { term, program, batch: &batch, outputs: &outputs }.run()?);
    }
    // The step's loss is of all terms: a single one of a kind can be told from it.
    if let (Some(step), Some(term), 1, 1) =
        (program.step(), loss.each().next(), result.terms.len(), outputs.named().len())
        && let Some(reference) = Reference::of(term.spec())
        && result.terms.iter().all(|tried| tried.cannot.is_none())
    {
        let trial = Trial { term, program, batch: &batch, outputs: &outputs };
        let taken = |given| Ok(checked(step(&Fixed(given), &mut Still, &batch))?.total().double_value(&[]));
        for (what, tensor) in trial.outputs_of(&reference)? {
            if let Ok(case) = trial.case(&reference, what, &tensor, &taken)? {
                result.of_step.push(case);
            }
        }
    }
    Ok(result)
}

/// One term that is tried on one batch.
struct Trial<'t> {
    term: OneTerm<'t>,
    program: &'t Program<'t>,
    batch: &'t Batch,
    outputs: &'t Outputs,
}

/// What becomes of outputs.
type Taken<'l> = dyn Fn(Outputs) -> Result<f64, SubjectError> + 'l;

impl Trial<'_> {
    fn run(&self) -> Result<TriedTerm, SubjectError> {
        let spec = self.term.spec();
        let mut tried = TriedTerm {
            name: self.term.name().map(str::to_owned),
            cannot: None,
            declared: spec.kind.is_some(),
            output_shape: Vec::new(),
            tried: Vec::new(),
            reshaped: None,
            doubled: None,
            shifted: None,
            logarithms: None,
        };
        if spec.weight <= 0.0 {
            return Ok(TriedTerm { cannot: Some("it has the weight zero".to_owned()), ..tried });
        }
        let output = self.term.output(self.outputs)?;
        tried.output_shape = shape(output);
        if let Some(reference) = Reference::of(spec) {
            match self.of_kind(&reference) {
                Ok(cases) => tried.tried = vec![Tried { kind: reference.kind, cases }],
                Err(Unlike::Apart(why)) => tried.cannot = Some(why),
                Err(Unlike::Failed(error)) => return Err(error),
            }
            return Ok(tried);
        }
        let target = target(self.term.target(self.batch)?);
        for kind in candidates(&target) {
            // A loss refuses what it is not made for: libtorch throws, which arrives as a panic.
            let cases = attempt(|| self.of_kind(&Reference::new(kind)));
            if let Ok(Ok(cases)) = cases {
                tried.tried.push(Tried { kind, cases });
            }
        }
        if tried.tried.is_empty() {
            let why = format!(
                "the spec names no `kind` beside `function`, and the outputs {:?} suit none for targets {:?}",
                tried.output_shape,
                shape(self.term.target(self.batch)?)
            );
            return Ok(TriedTerm { cannot: Some(why), ..tried });
        }
        tried.doubled = self.quietly(|| self.doubled());
        tried.reshaped = self.quietly(|| self.reshaped());
        tried.shifted = self.quietly(|| self.shifted());
        tried.logarithms = self.quietly(|| self.logarithms(&target));
        Ok(tried)
    }

    /// A pair of numbers, where the loss takes what it is given.
    fn quietly(&self, pair: impl FnOnce() -> Option<[f64; 2]>) -> Option<[f64; 2]> {
        attempt(pair).ok().flatten()
    }

    fn of_kind(&self, reference: &Reference) -> Result<Vec<LossCase>, Unlike> {
        let mut cases = Vec::new();
        for (what, tensor) in self.outputs_of(reference).map_err(Unlike::Failed)? {
            cases.push(self.case(reference, what, &tensor, &|given| self.value(&given, self.batch))??);
        }
        Ok(cases)
    }

    /// The model's outputs, and those made up for a loss of this kind.
    fn outputs_of(&self, reference: &Reference) -> Result<Vec<(reference::Outputs, Tensor)>, SubjectError> {
        let output = self.term.output(self.outputs)?;
        let target = target(self.term.target(self.batch)?);
        let made_up = reference::try_out(reference, &shape(output), &target).into_iter();
        let made_up = made_up.map(|(what, array)| {
            let flat: Vec<f64> = array.iter().copied().collect();
            (what, Tensor::from_slice(&flat).reshape(output.size()).to_kind(output.kind()).to_device(output.device()))
        });
        Ok(std::iter::once((reference::Outputs::Model, output.detach().copy())).chain(made_up).collect())
    }

    fn case(
        &self,
        reference: &Reference,
        what: reference::Outputs,
        tensor: &Tensor,
        taken: &Taken<'_>,
    ) -> Result<Result<LossCase, Unlike>, SubjectError> {
        let (seen, target) = (array(tensor), target(self.term.target(self.batch)?));
        let right = match reference.loss(&seen, &target) {
            Ok(right) => right,
            Err(why) => return Ok(Err(Unlike::Apart(why))),
        };
        // A loss may refuse to be differentiated by outputs that ask for no gradient.
        let leaf = tensor.detach().copy().set_requires_grad(true);
        Ok(Ok(LossCase {
            outputs: what,
            value: taken(self.term.with_output(self.outputs, leaf))?,
            reference: right,
            faulty: reference::faulty(reference, &seen, &target),
        }))
    }

    fn value(&self, outputs: &Outputs, batch: &Batch) -> Result<f64, SubjectError> {
        self.term.value(outputs, batch, self.program.facts().classes)
    }

    /// Arbitrary outputs in the shape of the model's.
    fn arbitrary(&self) -> Option<Tensor> {
        let kind = *candidates(&target(self.term.target(self.batch).ok()?)).first()?;
        let all = self.outputs_of(&Reference::new(kind)).ok()?;
        all.into_iter().find(|(what, _)| *what == reference::Outputs::Arbitrary).map(|(_, tensor)| tensor)
    }

    fn doubled(&self) -> Option<[f64; 2]> {
        let rows: Vec<usize> = (0..self.batch.len()).chain(0..self.batch.len()).collect();
        let once = self.arbitrary()?;
        let twice = Tensor::cat(&[&once, &once], 0);
        let of = |tensor, batch: &Batch| self.value(&self.term.with_output(self.outputs, tensor), batch).ok();
        Some([of(once, self.batch)?, of(twice, &self.batch.select(&rows))?])
    }

    fn reshaped(&self) -> Option<[f64; 2]> {
        let (output, y) = (self.arbitrary()?, self.term.target(self.batch).ok()?);
        if y.kind() == Kind::Int64 || y.size() == output.size() || y.numel() != output.numel() {
            return None;
        }
        let fitting = self.term.with_target(self.batch, y.reshape_as(&output));
        let of = |batch: &Batch| self.value(&self.term.with_output(self.outputs, output.shallow_clone()), batch).ok();
        Some([of(self.batch)?, of(&fitting)?])
    }

    fn shifted(&self) -> Option<[f64; 2]> {
        let (output, y) = (self.arbitrary()?, self.term.target(self.batch).ok()?);
        let next = y.roll([1], [0]);
        if y.allclose(&next, 0.0, 0.0, false) {
            return None;
        }
        let of = |batch: &Batch| self.value(&self.term.with_output(self.outputs, output.shallow_clone()), batch).ok();
        Some([of(self.batch)?, of(&self.term.with_target(self.batch, next))?])
    }

    fn logarithms(&self, target: &Target) -> Option<[f64; 2]> {
        let Target::Values(values) = target else { return None };
        if values.iter().any(|v| *v < 0.0) {
            return None;
        }
        let output = self.term.output(self.outputs).ok()?;
        let logs = self.term.target(self.batch).ok()?.reshape_as(output).to_kind(output.kind()).clamp_min(1e-3).log();
        let of = |tensor| self.value(&self.term.with_output(self.outputs, tensor), self.batch).ok();
        Some([of(output.zeros_like())?, of(logs)?])
    }
}

/// Why a loss could not be held against a reference.
enum Unlike {
    /// Outputs and targets do not suit each other.
    Apart(String),
    /// The loss itself failed.
    Failed(SubjectError),
}

impl From<SubjectError> for Unlike {
    fn from(error: SubjectError) -> Self {
        Self::Failed(error)
    }
}

/// The kinds that a loss against these targets could be of.
fn candidates(target: &Target) -> Vec<LossKind> {
    match target {
        Target::Ids(_) => vec![LossKind::CrossEntropy, LossKind::Nll],
        Target::Values(values) if values.iter().all(|v| (0.0..=1.0).contains(v)) => {
            vec![LossKind::BceWithLogits, LossKind::Bce, LossKind::Mse, LossKind::L1, LossKind::Huber]
        }
        Target::Values(_) => vec![LossKind::Mse, LossKind::L1, LossKind::Huber],
    }
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
