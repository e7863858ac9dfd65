//! What dropout does, from what the observer sees of a copy: operators whose outputs hold more zeros than their inputs, in
//! train mode and in eval mode.

use nncheck_core::measurement::dropout::{DropoutAsk, Dropouts, Dropped, Shift};
use tch::Tensor;

use super::normalisation;
use crate::observe::{Activation, Observer};
use crate::subject::{Program, SubjectError, named};
use crate::user::Batch;

/// Passes in train mode, each with other random numbers.
const PASSES: i64 = 4;
/// A share of zeros that is more than before by this was made.
const MADE: f64 = 0.005;

/// Share of zeros and mean square.
#[derive(Clone, Copy)]
struct Seen {
    zeros: f64,
    square: f64,
    variance: f64,
}

impl Seen {
    fn of(activation: &Activation) -> Self {
        let statistics = &activation.statistics;
        let (mean, std) = (statistics.mean, statistics.std);
        Self { zeros: statistics.zero_fraction, square: mean * mean + std * std, variance: std * std }
    }

    fn of_tensor(tensor: &Tensor) -> Self {
        let x = tensor.to_kind(tch::Kind::Double);
        let mean = |t: &Tensor| t.mean(tch::Kind::Double).double_value(&[]);
        Self { zeros: mean(&x.eq(0.0)), square: mean(&x.square()), variance: x.var(false).double_value(&[]) }
    }
}

/// Runs the model in both modes.
pub(super) fn measure(program: &Program<'_>, ask: DropoutAsk) -> Result<Dropouts, SubjectError> {
    let _no_grad = tch::no_grad_guard();
    let nothing = |why: &str| Dropouts {
        cannot: Some(why.to_owned()),
        layers: Vec::new(),
        in_eval: Vec::new(),
        shifts: Vec::new(),
    };
    let copy = Program::copy(program, program.spec)?;
    let batch = program.first_rows(ask.rows);
    if batch.is_empty() {
        return Ok(nothing("the program brings its own data: there are no rows to show it"));
    }
    if program.network().is_none() && copy.outputs(&batch, true).is_err() {
        return Ok(nothing("the program puts nothing out that could be looked at"));
    }
    let mut observer = Observer::new(&named(copy.parameters()));
    let mut look = |seed: i64, train: bool| -> Result<Vec<Activation>, SubjectError> {
        tch::manual_seed(seed);
        let (outputs, activations) = observer.watch(|| copy.outputs(&batch, train))?;
        outputs?;
        Ok(activations)
    };
    let mut passes = Vec::new();
    for seed in 0..PASSES {
        passes.push(look(seed, true)?);
    }
    let names = |pass: &[Activation]| pass.iter().map(|a| a.layer.clone()).collect::<Vec<_>>();
    if passes.windows(2).any(|pair| names(&pair[0]) != names(&pair[1])) {
        return Ok(nothing("the model runs other operators each time"));
    }
    let input = Seen::of_tensor(batch.x());
    let eval = [look(0, false)?, look(1, false)?];
    let in_eval: Vec<String> = found(&eval, input).into_iter().map(|(at, _)| eval[0][at].layer.clone()).collect();
    let dropped = found(&passes, input);
    let shifts = match dropped.first() {
        Some(&(first, _)) => shifts(&copy, &batch, &passes, first, &mut look)?,
        None => Vec::new(),
    };
    Ok(Dropouts { cannot: None, layers: dropped.into_iter().map(|(_, d)| d).collect(), in_eval, shifts })
}

/// The operators that zero entries at random, by their place among those of a pass.
fn found(passes: &[Vec<Activation>], input: Seen) -> Vec<(usize, Dropped)> {
    let Some(first) = passes.first() else { return Vec::new() };
    let seen = |pass: &Vec<Activation>, at: usize| pass.get(at).map_or(input, Seen::of);
    let mean = |of: &dyn Fn(&Vec<Activation>) -> f64| {
        #[expect(clippy::cast_precision_loss, reason = "a handful of passes")]
        let passes_taken = passes.len() as f64;
        passes.iter().map(of).sum::<f64>() / passes_taken
    };
    // Behind libtorch's own dropout, a product holds its zeros.
    let by_hand = !first.iter().any(|a| a.operator.contains("dropout"));
    let mut all = Vec::new();
    for (at, activation) in first.iter().enumerate() {
        let before = |pass: &Vec<Activation>| if at == 0 { input } else { seen(pass, at - 1) };
        let zero_in = mean(&|pass| before(pass).zeros);
        let zero_out = mean(&|pass| seen(pass, at).zeros);
        let named = activation.operator.contains("dropout");
        let masks = matches!(activation.operator.as_str(), "mul" | "where" | "masked_fill");
        let varies = passes.iter().any(|pass| Seen::of(&pass[at]).zeros != seen(first, at).zeros);
        if zero_out - zero_in <= MADE || !(named || by_hand && masks && varies) {
            continue;
        }
        // One's own dropout may scale in an operator of its own.
        let scales = |a: &Activation| matches!(a.operator.as_str(), "mul" | "div");
        let after = first
            .get(at + 1)
            .filter(|a| !named && scales(a) && a.statistics.zero_fraction == activation.statistics.zero_fraction);
        let out = if after.is_some() { at + 1 } else { at };
        all.push((
            at,
            Dropped {
                layer: activation.layer.clone(),
                entries: activation.shape.iter().map(|&size| usize::try_from(size).unwrap_or(0)).product(),
                zero_in,
                zero_out,
                square_in: mean(&|pass| before(pass).square),
                square_out: mean(&|pass| seen(pass, out).square),
            },
        ));
    }
    all
}

/// The variance before each batch norm behind dropout, with dropout and, in eval mode, without: normalised by the statistics of
/// the same batch both times.
fn shifts(
    copy: &Program<'_>,
    batch: &Batch,
    passes: &[Vec<Activation>],
    dropout: usize,
    look: &mut dyn FnMut(i64, bool) -> Result<Vec<Activation>, SubjectError>,
) -> Result<Vec<Shift>, SubjectError> {
    let first = &passes[0];
    let norms: Vec<usize> =
        (dropout + 1..first.len()).filter(|&at| first[at].operator.contains("batch_norm")).collect();
    if norms.is_empty() {
        return Ok(Vec::new());
    }
    normalisation::take_statistics(copy, batch)?;
    let eval = look(0, false)?;
    let shift = |at: usize| {
        let layer = &first[at].layer;
        let then = eval.iter().position(|a| a.layer == *layer)?;
        let off = Seen::of(eval.get(then.checked_sub(1)?)?).variance;
        #[expect(clippy::cast_precision_loss, reason = "a handful of passes")]
        let on = passes.iter().map(|pass| Seen::of(&pass[at - 1]).variance).sum::<f64>() / passes.len() as f64;
        Some(Shift { layer: layer.clone(), on, off })
    };
    Ok(norms.into_iter().filter_map(shift).collect())
}
