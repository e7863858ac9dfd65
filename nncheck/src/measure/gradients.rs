//! Autograd's gradients against central differences.
//!
//! Each tensor is moved along a random direction in which every entry takes part, so that two evaluations of the loss tell
//! of all its entries; only where the two derivatives differ is the direction halved until the entry is found. All this
//! happens to a copy of the program in double precision, with its parameters moved a little: there a bias is not exactly
//! zero, and a rectifier behind it not exactly at its kink.

mod function;
mod line;
mod noise;
mod place;

use nncheck_core::measurement::gradients::{Answer, Gradients, GradientsAsk, TensorGradient};
use nncheck_core::spec::run::{Device, Dtype};
use tch::{Kind, Tensor};

use self::function::Function;
use self::line::{Line, Point};
use crate::observe::Observer;
use crate::subject::error::attempt;
use crate::subject::{Program, SubjectError, named};
use crate::tensors::{norm, shape};

/// How far parameters are moved from where they start, in shares of their size.
const MOVED: f64 = 0.01;
/// Random directions a tensor: one in which a wrong gradient hides by chance is rare, and two such are rarer by far.
const DIRECTIONS: u64 = 2;
/// A derivative that is this small beside the whole gradient's length is excused.
const NEGLIGIBLE: f64 = 1e-8;
/// The error of a single entry that a comparison has to see to be worth something.
const PLANTED: f64 = 0.01;

/// Compares the gradients of all tensors that ask for one, on the first rows.
pub(super) fn measure(program: &Program<'_>, ask: GradientsAsk, seed: i64) -> Result<Gradients, SubjectError> {
    let rows = ask.rows.min(program.spec.data.batch);
    let mut spec = program.spec.clone();
    (spec.dtype, spec.device) = (Dtype::Float64, Device::Cpu);
    let batch = program.first_rows(rows).map(|tensor| {
        let tensor = tensor.to_device(tch::Device::Cpu);
        if tensor.is_floating_point() { tensor.to_kind(Kind::Double) } else { tensor }
    });
    let built = attempt(|| {
        let copy = Program::copy(program, &spec)?;
        move_a_little(&copy);
        tch::manual_seed(seed);
        let _runs = copy.losses(&batch, true)?;
        Ok::<_, SubjectError>(copy)
    });
    let copy = match built {
        Ok(Ok(copy)) => copy,
        Ok(Err(SubjectError { cause: why, .. })) | Err(why) => {
            // What fails in its own number format as well is no matter of precision.
            let _fails_or_not = program.losses(&program.first_rows(rows), true)?;
            let fixed =
                ["Double but found Float", "Float but found Double", "same dtype"].iter().any(|w| why.contains(w));
            let hint =
                if fixed { "; write `softmax(-1, x.kind())` and the like where `Kind::Float` is fixed" } else { "" };
            return Ok(Gradients::nothing(format!("the program does not run in double precision: {why}{hint}")));
        }
    };
    let parameters: Vec<(String, Tensor)> =
        named(copy.parameters()).into_iter().filter(|(_, p)| p.requires_grad() && p.numel() > 0).collect();
    if parameters.is_empty() {
        return Ok(Gradients::nothing("no parameter asks for a gradient"));
    }
    let mut function = Function::new(&copy, batch, seed);
    let terms = function.terms()?;
    let mut result = Gradients { cannot: None, loss: 0.0, noise: 0.0, evaluations: 0, tensors: Vec::new() };
    for term in terms {
        function.choose(term);
        let (loss, again) = (function.value()?, function.value()?);
        if !loss.is_finite() {
            return Ok(Gradients::nothing("the loss is not finite: `finite` finds where it begins"));
        }
        if (loss - again).abs() > 1e-12 * loss.abs() {
            return Ok(Gradients::nothing(
                "the loss of the same parameters is not the same twice: something beside libtorch's generator is random, or the program keeps a state",
            ));
        }
        let noise = noise::estimate(&function, &parameters, loss)?;
        result.loss += loss;
        result.noise = result.noise.max(noise);
        result.tensors.extend(compare(&function, &parameters, &Around { loss, noise, seed })?);
    }
    result.evaluations = function.evaluations();
    result.tensors.sort_by(|a, b| (&a.parameter, &a.term).cmp(&(&b.parameter, &b.term)));
    Ok(result)
}

/// Parameters a little away from where they start, those that are all zero too.
fn move_a_little(program: &Program<'_>) {
    tch::no_grad(|| {
        for (_, parameter) in program.parameters().iter().filter(|(_, p)| p.requires_grad() && p.numel() > 0) {
            let size = rms(parameter);
            let by = if size == 0.0 { MOVED } else { MOVED * size };
            let _moved = parameter.shallow_clone().g_add_(&(parameter.randn_like() * by));
        }
    });
}

/// The loss where the derivatives are taken.
struct Around {
    loss: f64,
    noise: f64,
    seed: i64,
}

/// Compares every tensor for one loss.
fn compare(
    function: &Function<'_, '_>,
    parameters: &[(String, Tensor)],
    around: &Around,
) -> Result<Vec<TensorGradient>, SubjectError> {
    let gradients = function.gradients(parameters)?;
    let length = gradients.iter().flatten().map(|g| norm(g).powi(2)).sum::<f64>().sqrt();
    let looked_up = embeddings(function, parameters)?;
    let mut compared = Vec::new();
    for ((name, parameter), gradient) in parameters.iter().zip(gradients) {
        // A loss of a program of several need not reach every network.
        if gradient.is_none() && function.is_of_own_program() {
            continue;
        }
        let without = gradient.as_ref().is_none_or(|g| norm(g) == 0.0);
        let gradient = gradient.unwrap_or_else(|| parameter.zeros_like()).detach().reshape([-1]);
        let point = Point {
            function,
            parameter,
            base: parameter.detach().copy(),
            gradient,
            loss: around.loss,
            noise: around.noise,
            negligible: NEGLIGIBLE * length,
        };
        let found = tensor(&point, around.seed, looked_up.contains(name))?;
        let not_finite = if found.differences.is_finite() { place::not_finite(&point)? } else { None };
        let answer = if not_finite.is_some() { Answer::Differs } else { found.answer };
        let wrong = match (not_finite, found.answer) {
            (Some(wrong), _) => Some(wrong),
            (None, Answer::Differs) => Some(place::find(&point, &found.direction, without)?),
            _ => None,
        };
        let relative = match &wrong {
            // There is no difference from a number that is none.
            Some(wrong) if !wrong.autograd.is_finite() => f64::INFINITY,
            Some(wrong) => line::relative(wrong.autograd, wrong.differences),
            None => found.relative,
        };
        compared.push(TensorGradient {
            parameter: name.clone(),
            term: function.term_name(),
            shape: shape(parameter),
            autograd: found.autograd,
            differences: found.differences,
            answer,
            relative,
            resolution: found.resolution,
            sees_an_entry: found.sees_an_entry,
            wrong,
        });
    }
    Ok(compared)
}

/// What random directions say of a tensor.
struct Found {
    direction: Tensor,
    autograd: f64,
    differences: f64,
    answer: Answer,
    relative: f64,
    resolution: f64,
    sees_an_entry: bool,
}

/// Compares along random directions: the first that differs, else the worst.
fn tensor(point: &Point<'_, '_>, seed: i64, looked_up: bool) -> Result<Found, SubjectError> {
    let mut worst: Option<Found> = None;
    let mut sees_an_entry = false;
    for turn in 0..DIRECTIONS {
        tch::manual_seed(seed.wrapping_add(turn.cast_signed()));
        let mut direction = direction(&point.gradient);
        let mut line = Line::along(point, &direction);
        let mut seen = line.compare(line.derivative())?;
        if seen.answer == Answer::Differs && looked_up && mask_padding(point, &mut direction)? {
            line = Line::along(point, &direction);
            seen = line.compare(line.derivative())?;
        }
        if seen.answer == Answer::Agrees && turn == 0 {
            // The negative control: with a wrong gradient planted, the same numbers must not agree.
            let typical = typical(&(&point.gradient * &direction));
            sees_an_entry = line.compare(line.derivative() + PLANTED * typical)?.answer == Answer::Differs;
            if !sees_an_entry && line.compare(line.derivative() + line.scale())?.answer != Answer::Differs {
                seen.answer = Answer::TooSmall;
            }
        }
        let found = Found {
            direction,
            autograd: seen.autograd,
            differences: seen.differences,
            answer: seen.answer,
            relative: seen.relative,
            resolution: seen.resolution,
            sees_an_entry,
        };
        if found.answer == Answer::Differs {
            return Ok(found);
        }
        let rank = |found: &Found| (found.answer == Answer::Kink, found.answer == Answer::Agrees, found.relative);
        if worst.as_ref().is_none_or(|worst| rank(&found) > rank(worst)) {
            worst = Some(found);
        }
    }
    worst.ok_or_else(|| SubjectError::new("no direction was tried (this is a fault in nncheck)"))
}

/// Every entry between 0.5 and 1.5, of random sign: none is left out, and no two cancel.
fn direction(like: &Tensor) -> Tensor {
    let sign = like.rand_like().ge(0.5).to_kind(Kind::Double) * 2.0 - 1.0;
    sign * (like.rand_like() + 0.5)
}

/// A lookup table may have a row whose gradient is masked on purpose (`padding_idx`). Takes the row out of the direction in
/// which the two differ most, if autograd's gradient is zero all along it.
fn mask_padding(point: &Point<'_, '_>, direction: &mut Tensor) -> Result<bool, SubjectError> {
    let size = point.parameter.size();
    let [_, width] = size[..] else { return Ok(false) };
    let place = place::narrow(point, direction)?;
    let row = |of: &Tensor| of.narrow(0, place.from / width * width, width);
    let masked = norm(&row(&point.gradient)) == 0.0;
    if masked {
        let _zeroed = row(direction).zero_();
    }
    Ok(masked)
}

/// The median of the sizes of all entries that are not zero; 0 where all are.
fn typical(entries: &Tensor) -> f64 {
    let sizes = entries.abs();
    let there = sizes.masked_select(&sizes.gt(0.0));
    if there.numel() == 0 { 0.0 } else { there.median().double_value(&[]) }
}

/// The names of tables that entries are looked up in.
fn embeddings(function: &Function<'_, '_>, parameters: &[(String, Tensor)]) -> Result<Vec<String>, SubjectError> {
    let mut observer = Observer::new(parameters);
    let (value, activations) = observer.watch(|| function.value())?;
    value?;
    let tables = activations.iter().filter(|a| a.operator == "embedding" || a.operator == "embedding_bag");
    let layers: Vec<&str> = tables.map(|a| a.layer.split('#').next().unwrap_or_default()).collect();
    let layer = |name: &str| name.rsplit_once('.').map_or(name.to_owned(), |(layer, _)| layer.to_owned());
    Ok(parameters.iter().map(|(name, _)| name.clone()).filter(|name| layers.contains(&layer(name).as_str())).collect())
}

/// Root of the mean square.
fn rms(tensor: &Tensor) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 entries")]
    let entries = tensor.numel().max(1) as f64;
    norm(tensor) / entries.sqrt()
}
