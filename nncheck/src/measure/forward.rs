//! A program's model on chosen rows, in eval mode: for measurements that compare outputs by position.
//!
//! What is asked of the way in which a model is connected is asked of a copy of it: in double precision where the model runs
//! in it, so that what is the same differs by 1e-16, and with constant parameters moved a little, so that a head or a
//! branch that starts at zero hides nothing.

use nncheck_core::spec::run::Dtype;
use nncheck_core::spec::{self};
use tch::{Device, Kind, Tensor};

use crate::generator::undisturbed;
use crate::observe::{self, Activation, ObserveError, Observer};
use crate::subject::error::attempt;
use crate::subject::{Program, SubjectError, named};
use crate::tensors::sizes;
use crate::user::{Batch, Named, Outputs};

/// How far a constant parameter is moved.
const MOVED: f64 = 0.1;

/// Why there is nothing to look at, or why it cannot be looked at.
#[derive(Debug)]
pub(super) enum Stop {
    /// There is nothing to look at, for this reason.
    Nothing(String),
    /// It failed.
    Failed(SubjectError),
}

impl From<SubjectError> for Stop {
    fn from(error: SubjectError) -> Self {
        Self::Failed(error)
    }
}

impl From<ObserveError> for Stop {
    fn from(error: ObserveError) -> Self {
        Self::Failed(error.into())
    }
}

/// There is nothing to look at.
pub(super) fn nothing<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Nothing(why.into()))
}

/// What was measured, or an empty measurement that says why there is nothing to look at.
pub(super) fn or_nothing<M>(
    measured: Result<M, Stop>,
    empty: impl FnOnce(Option<String>) -> M,
) -> Result<M, SubjectError> {
    match measured {
        Ok(measured) => Ok(measured),
        Err(Stop::Nothing(why)) => Ok(empty(Some(why))),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// A program whose model is run in eval mode.
pub(super) struct Forward<'p, 'a> {
    program: &'p Program<'a>,
    seed: i64,
    kind: Kind,
}

/// Runs `look` on a copy of the program that shows how its model is connected.
pub(super) fn connected<R>(
    program: &Program<'_>,
    look: impl FnOnce(&Forward<'_, '_>) -> Result<R, Stop>,
) -> Result<R, Stop> {
    if program.data.train_rows() == 0 {
        return nothing("the program brings its own data: there are no rows to show it");
    }
    undisturbed(|| {
        let mut spec = program.spec.clone();
        spec.dtype = Dtype::Float64;
        // Constants of single precision in the user's own code keep some models from running in double precision.
        let precise = attempt(|| {
            let copy = copied(program, &spec)?;
            let forward = Forward::new(&copy);
            forward.run(&forward.rows(&[0, 1]))?;
            Ok::<_, Stop>(copy)
        });
        match precise {
            Ok(Ok(copy)) => look(&Forward::new(&copy)),
            Ok(Err(Stop::Nothing(why))) => nothing(why),
            Ok(Err(Stop::Failed(_))) | Err(_) => look(&Forward::new(&copied(program, program.spec)?)),
        }
    })
}

/// The same program in another number format or elsewhere, its constant parameters moved.
pub(super) fn copied<'s>(program: &Program<'s>, spec: &'s spec::Subject) -> Result<Program<'s>, SubjectError> {
    let copy = Program::copy(program, spec)?;
    tch::no_grad(|| {
        for (_, parameter) in copy.parameters().iter().filter(|(_, p)| p.requires_grad() && p.numel() > 0) {
            if parameter.max().equal(&parameter.min()) {
                let _moved = parameter.shallow_clone().g_add_(&(parameter.randn_like() * MOVED));
            }
        }
    });
    Ok(copy)
}

impl<'p, 'a> Forward<'p, 'a> {
    /// The model of a program as it is.
    pub(super) fn new(program: &'p Program<'a>) -> Self {
        Self { program, seed: program.seed().cast_signed(), kind: crate::subject::kind(program.spec.dtype) }
    }

    /// The same with the generator as that of another program.
    pub(super) fn seeded(program: &'p Program<'a>, seed: u64) -> Self {
        Self { seed: seed.cast_signed(), ..Self::new(program) }
    }

    /// Whether it runs in double precision.
    pub(super) fn is_precise(&self) -> bool {
        self.kind == Kind::Double
    }

    /// Training rows, in the model's number format.
    pub(super) fn rows(&self, rows: &[usize]) -> Batch {
        let all = self.program.data.train_rows().max(1);
        let rows: Vec<usize> = rows.iter().map(|row| row % all).collect();
        let device = self.program.parameters().first().map_or(Device::Cpu, |(_, parameter)| parameter.device());
        self.program.data.train(&rows).map(|tensor| {
            let tensor = tensor.to_device(device);
            if tensor.is_floating_point() { tensor.to_kind(self.kind) } else { tensor }
        })
    }

    /// How many rows to take of `wanted`, where there have to be `groups` times as many: unlike any other axis of the
    /// inputs, so that no axis is taken for that of the rows.
    pub(super) fn row_count(&self, wanted: usize, groups: usize) -> Result<usize, Stop> {
        let there = self.program.data.train_rows();
        let most = there / groups;
        if most < 2 {
            return nothing(format!("{there} training rows are too few to compare"));
        }
        let first = self.program.data.first(1);
        let axes: Vec<usize> = first.inputs().iter().flat_map(|(_, input)| sizes(&input.size()).split_off(1)).collect();
        let wanted = wanted.clamp(2, most);
        let unlike = |n: &usize| !axes.contains(n);
        Ok((2..=wanted).rev().find(unlike).or_else(|| (wanted..=most).find(unlike)).unwrap_or(wanted))
    }

    /// What the model puts out in eval mode, as double precision on the CPU; the generator is in the same state each time.
    pub(super) fn run(&self, batch: &Batch) -> Result<Named, Stop> {
        tch::manual_seed(self.seed);
        self.run_on(batch, false)
    }

    /// The same with the generator as it is, in either mode.
    pub(super) fn run_on(&self, batch: &Batch, train: bool) -> Result<Named, Stop> {
        let outputs = tch::no_grad(|| match self.program.outputs(batch, train) {
            Ok(outputs) => Ok(outputs.named().map(|o| o.detach().to_device(Device::Cpu).to_kind(Kind::Double))),
            // All that it can say is that it puts nothing out.
            Err(error) => nothing(error.cause),
        })?;
        if outputs.is_empty() {
            return nothing("the model puts nothing out");
        }
        Ok(outputs)
    }

    /// The outputs that have a row for each of the batch's, all of them finite.
    pub(super) fn by_row(&self, batch: &Batch) -> Result<Named, Stop> {
        let outputs = self.run(batch)?;
        let rows = i64::try_from(batch.len()).unwrap_or(0);
        let with_rows: Named = outputs
            .iter()
            .filter(|(_, o)| o.size().first() == Some(&rows))
            .map(|(name, o)| (name, o.shallow_clone()))
            .collect();
        if with_rows.is_empty() {
            return nothing(format!("no output has an axis of {rows} rows"));
        }
        if let Some((name, _)) = with_rows.iter().find(|(_, o)| !is_finite(o)) {
            return nothing(format!("`{name}` holds a NaN or an infinity: `finite` finds where it begins"));
        }
        Ok(with_rows)
    }

    /// The spread of each of these outputs: the root of their mean variance over the rows.
    ///
    /// # Errors
    /// Where none of them varies.
    pub(super) fn spreads(outputs: &Named) -> Result<Vec<f64>, Stop> {
        let spreads: Vec<f64> = outputs.iter().map(|(_, o)| spread(o)).collect();
        if spreads.iter().all(|&spread| spread == 0.0) {
            return nothing("the outputs are the same for every row: see `input_dependence`");
        }
        Ok(spreads)
    }

    /// The operators of a pass in eval mode, with the layers that they belong to.
    pub(super) fn layers(&self, batch: &Batch) -> Result<Vec<Activation>, Stop> {
        let mut observer = Observer::new(&named(self.program.parameters()));
        let (outputs, activations) = observer.watch(|| self.run(batch))?;
        outputs?;
        Ok(activations)
    }

    /// How many layers of weights stand one behind another in a pass in eval mode.
    pub(super) fn depth(&self, batch: &Batch) -> Result<usize, Stop> {
        let inputs = batch.inputs().iter().map(|(_, input)| input);
        let (outputs, depth) =
            observe::depth(inputs, self.program.parameters(), || self.run(batch)).map_err(ObserveError::Install)?;
        outputs?;
        Ok(depth)
    }

    /// Whether the same pass puts out the same twice, with the generator in the same state.
    pub(super) fn is_repeatable(&self, batch: &Batch, outputs: &Named, spreads: &[f64]) -> Result<(), Stop> {
        let again = self.by_row(batch)?;
        if difference(outputs, &again, spreads) > 1e-9 {
            return nothing(
                "the model does not put out the same twice, with libtorch's generator in the same state: see `modes`",
            );
        }
        Ok(())
    }
}

/// The root of the mean variance over the rows; 0 where it is less than rounding makes it.
pub(super) fn spread(output: &Tensor) -> f64 {
    let around = output - output.mean_dim(&[0_i64][..], true, Kind::Double);
    let (spread, size) = (rms(&around), rms(output));
    if spread <= 1e-13 * size { 0.0 } else { spread }
}

/// Root of the mean square.
pub(super) fn rms(tensor: &Tensor) -> f64 {
    tensor.square().mean(Kind::Double).double_value(&[]).sqrt()
}

/// The largest entry.
pub(super) fn largest(tensor: &Tensor) -> f64 {
    if tensor.numel() == 0 { 0.0 } else { tensor.abs().max().double_value(&[]) }
}

/// The largest difference of any entry, over each output's spread; what has no spread must be equal.
pub(super) fn difference(a: &Named, b: &Named, spreads: &[f64]) -> f64 {
    difference_of(a, b, spreads, Tensor::shallow_clone)
}

/// The same of a part of each output.
pub(super) fn difference_of(a: &Named, b: &Named, spreads: &[f64], part: impl Fn(&Tensor) -> Tensor) -> f64 {
    let each = a.iter().zip(spreads).map(|((name, a), spread)| {
        let Some(b) = b.get(name).filter(|b| b.size() == a.size()) else { return f64::INFINITY };
        let by = largest(&(part(a) - part(b)));
        if by == 0.0 {
            0.0
        } else if *spread == 0.0 {
            f64::INFINITY
        } else {
            by / spread
        }
    });
    // `max` would drop a NaN.
    each.fold(0.0, |worst, by| if by.is_nan() || by > worst { by } else { worst })
}

/// The operator that made a model's output; of several outputs nobody can tell which one came last.
pub(super) fn last_operator(outputs: &Outputs, activations: &[Activation]) -> Option<String> {
    activations.last().filter(|_| outputs.named().len() == 1).map(|last| last.operator.clone())
}

/// Whether every entry is finite.
pub(super) fn is_finite(tensor: &Tensor) -> bool {
    tensor.isfinite().all().int64_value(&[]) != 0
}

/// Row `row` of an output.
pub(super) fn one_row(row: usize) -> impl Fn(&Tensor) -> Tensor {
    move |output| output.select(0, i64::try_from(row).unwrap_or(0))
}
