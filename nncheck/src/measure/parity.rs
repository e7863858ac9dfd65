//! Whether a model puts out the same in another number format, or on another device.

use nncheck_core::measurement::parity::{Other, Parity, ParityAsk};
use nncheck_core::spec::Subject;
use nncheck_core::spec::run::{Device, Dtype};
use tch::Tensor;

use super::forward::{Forward, Stop, copied, difference, is_finite, nothing, or_nothing, rms, spread};
use crate::generator::undisturbed;
use crate::observe::Activation;
use crate::subject::error::attempt;
use crate::subject::{Program, SubjectError};
use crate::user::Named;

/// What a layer's statistics may differ by without being named.
const WORTH: f64 = 1e-5;

/// Runs two copies of the model, and compares what they put out.
pub(super) fn measure(program: &Program<'_>, ask: &ParityAsk) -> Result<Parity, SubjectError> {
    or_nothing(undisturbed(|| look(program, ask)), |cannot| Parity { cannot, ..Parity::default() })
}

fn look(program: &Program<'_>, ask: &ParityAsk) -> Result<Parity, Stop> {
    let there = program.data.train_rows();
    if there == 0 {
        return nothing("the program brings its own data: there are no rows to show it");
    }
    let (spec, one, two) = other(program.spec, ask.other)?;
    let here = copied(program, program.spec)?;
    let model = Forward::new(&here);
    let rows: Vec<usize> = (0..ask.rows.min(there)).collect();
    let outputs = model.run(&model.rows(&rows))?;
    let again = model.run_on(&model.rows(&rows), false)?;
    if difference(&outputs, &again, &outputs.iter().map(|(_, output)| spread(output)).collect::<Vec<_>>()) > 0.0 {
        return nothing(format!("the model draws random numbers in eval mode, which are others in {two}"));
    }
    let tried = attempt(|| {
        let there = Program::copy(&here, &spec)?;
        let model = Forward::seeded(&there, program.seed());
        let batch = model.rows(&rows);
        Ok::<_, Stop>((model.run(&batch)?, model.layers(&batch)?))
    });
    let (others, other_layers) = match tried {
        Ok(Ok(found)) => found,
        Ok(Err(stop)) => return Err(stop),
        Err(words) => {
            let words = words.lines().next().unwrap_or_default().to_owned();
            return nothing(format!("the model does not run in {two}: {words}"));
        }
    };
    let one_of = |name: &str, output: &Tensor| std::iter::once((name, output.shallow_clone())).collect::<Named>();
    let finite = |outputs: &Named| outputs.iter().all(|(_, output)| is_finite(output));
    let differences: Vec<(String, f64)> = outputs
        .iter()
        .map(|(name, output)| (name.to_owned(), difference(&one_of(name, output), &others, &[scale(output)])))
        .collect();
    let layers = model.layers(&model.rows(&rows))?;
    let first =
        layers.iter().zip(&other_layers).map(|(a, b)| (a, apart(a, b))).find(|(_, by)| by.is_nan() || *by > WORTH);
    Ok(Parity {
        cannot: None,
        between: (one, two),
        outputs: differences,
        finite: (finite(&outputs), finite(&others)),
        first: first.map(|(layer, by)| (layer.operator.clone(), layer.layer.clone(), by)),
    })
}

/// What differences are held against: how far rows are apart, or, of a single row or equal ones, how large they are.
fn scale(output: &Tensor) -> f64 {
    match spread(output) {
        0.0 => rms(output),
        spread => spread,
    }
}

/// The same program with the other number format or device, and the names of both.
fn other(spec: &Subject, other: Other) -> Result<(Subject, String, String), Stop> {
    let mut changed = spec.clone();
    match other {
        Other::Precision => {
            let name = |dtype| match dtype {
                Dtype::Float32 => "float32".to_owned(),
                Dtype::Float64 => "float64".to_owned(),
            };
            changed.dtype = match spec.dtype {
                Dtype::Float32 => Dtype::Float64,
                Dtype::Float64 => Dtype::Float32,
            };
            Ok((changed.clone(), name(spec.dtype), name(changed.dtype)))
        }
        Other::Device => {
            changed.device = match spec.device {
                Device::Cpu if tch::Cuda::is_available() => Device::Cuda(0),
                Device::Cpu if tch::utils::has_mps() => Device::Mps,
                Device::Cpu => return nothing("there is no GPU that this libtorch sees"),
                Device::Cuda(_) | Device::Mps => Device::Cpu,
            };
            Ok((changed.clone(), spec.device.to_string(), changed.device.to_string()))
        }
    }
}

/// How far two layers' outputs are from each other, as far as their statistics tell.
fn apart(a: &Activation, b: &Activation) -> f64 {
    let (a, b) = (&a.statistics, &b.statistics);
    let by = f64::max((a.mean - b.mean).abs(), (a.std - b.std).abs());
    if by == 0.0 { 0.0 } else { by / b.std.max(b.mean.abs()) }
}
