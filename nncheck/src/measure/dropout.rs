//! What dropout does, from what the observer sees of a copy: operators whose outputs hold more zeros than their inputs, in
//! train mode and in eval mode.

use nncheck_core::measurement::dropout::{DropoutAsk, Dropouts, Dropped, Shift};

use super::normalisation;
use crate::observe::{Activation, Observer, Operator, Statistics};
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
    fn of(statistics: &Statistics) -> Self {
        let (mean, std) = (statistics.mean, statistics.std);
        Self { zeros: statistics.zero_fraction, square: mean * mean + std * std, variance: std * std }
    }
}

/// What an operator put out.
fn out(operator: &Operator) -> Seen {
    Seen::of(&operator.seen.statistics)
}

/// What an operator drops from: of two that are multiplied, the one that is no mask.
fn input(operator: &Operator) -> Option<Seen> {
    let whole = || operator.inputs.iter().filter(|input| input.count == operator.seen.statistics.count);
    whole().find(|input| !is_mask(input)).or_else(|| whole().next()).map(Seen::of)
}

/// Whether all entries are either zero or one and the same number: only then is their mean square the product of the largest
/// and the mean.
fn is_mask(statistics: &Statistics) -> bool {
    let square = Seen::of(statistics).square;
    let other = statistics.max * statistics.mean;
    statistics.min >= 0.0 && statistics.zero_fraction > 0.0 && (square - other).abs() <= 1e-3 * other.abs()
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
    let mut look = |seed: i64, train: bool| -> Result<Vec<Operator>, SubjectError> {
        tch::manual_seed(seed);
        let (outputs, operators) = observer.watch_with_inputs(|| copy.outputs(&batch, train))?;
        outputs?;
        Ok(operators)
    };
    let mut passes = Vec::new();
    for seed in 0..PASSES {
        passes.push(look(seed, true)?);
    }
    let names = |pass: &[Operator]| pass.iter().map(|a| a.seen.layer.clone()).collect::<Vec<_>>();
    if passes.windows(2).any(|pair| names(&pair[0]) != names(&pair[1])) {
        return Ok(nothing("the model runs other operators each time"));
    }
    let eval = [look(0, false)?, look(1, false)?];
    let in_eval: Vec<String> = found(&eval).into_iter().map(|(_, dropped)| dropped.layer).collect();
    let dropped = found(&passes);
    let shifts = match dropped.first() {
        Some(&(first, _)) => shifts(&copy, &batch, &passes, first, &mut look)?,
        None => Vec::new(),
    };
    Ok(Dropouts { cannot: None, layers: dropped.into_iter().map(|(_, d)| d).collect(), in_eval, shifts })
}

/// The operators that zero entries at random, by their place among those of a pass.
fn found(passes: &[Vec<Operator>]) -> Vec<(usize, Dropped)> {
    let Some(first) = passes.first() else { return Vec::new() };
    // Behind libtorch's own dropout, a product holds its zeros.
    let by_hand = !first.iter().any(|a| a.seen.operator.contains("dropout"));
    let mut all = Vec::new();
    for (at, Operator { seen, .. }) in first.iter().enumerate() {
        let Some(before) = passes.iter().map(|pass| input(&pass[at])).collect::<Option<Vec<_>>>() else { continue };
        let after = |at: usize| passes.iter().map(move |pass| out(&pass[at]));
        let zero_in = mean(before.iter().map(|seen| seen.zeros));
        let zero_out = mean(after(at).map(|seen| seen.zeros));
        let named = seen.operator.contains("dropout");
        let masks = matches!(seen.operator.as_str(), "mul" | "where" | "masked_fill");
        let varies = after(at).any(|other| other.zeros != out(&first[at]).zeros);
        if zero_out - zero_in <= MADE || !(named || by_hand && masks && varies) {
            continue;
        }
        // One's own dropout may scale in an operator of its own.
        let scales = |next: &Activation| {
            matches!(next.operator.as_str(), "mul" | "div")
                && next.statistics.zero_fraction == seen.statistics.zero_fraction
        };
        let scaled = !named && first.get(at + 1).is_some_and(|next| scales(&next.seen));
        let dropped = Dropped {
            layer: seen.layer.clone(),
            entries: seen.shape.iter().map(|&size| usize::try_from(size).unwrap_or(0)).product(),
            zero_in,
            zero_out,
            square_in: mean(before.iter().map(|seen| seen.square)),
            square_out: mean(after(if scaled { at + 1 } else { at }).map(|seen| seen.square)),
        };
        all.push((at, dropped));
    }
    all
}

/// Of one number a pass.
fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), number| (sum + number, count + 1.0));
    sum / count
}

/// The variance before each batch norm behind dropout, with dropout and, in eval mode, without: normalised by the statistics of
/// the same batch both times.
fn shifts(
    copy: &Program<'_>,
    batch: &Batch,
    passes: &[Vec<Operator>],
    dropout: usize,
    look: &mut dyn FnMut(i64, bool) -> Result<Vec<Operator>, SubjectError>,
) -> Result<Vec<Shift>, SubjectError> {
    let first = &passes[0];
    let norms: Vec<usize> =
        (dropout + 1..first.len()).filter(|&at| first[at].seen.operator.contains("batch_norm")).collect();
    if norms.is_empty() {
        return Ok(Vec::new());
    }
    normalisation::take_statistics(copy, batch)?;
    let eval = look(0, false)?;
    let shift = |at: usize| {
        let layer = &first[at].seen.layer;
        let off = input(eval.iter().find(|a| a.seen.layer == *layer)?)?.variance;
        let on = passes.iter().map(|pass| Some(input(&pass[at])?.variance)).collect::<Option<Vec<_>>>()?;
        Some(Shift { layer: layer.clone(), on: mean(on.into_iter()), off })
    };
    Ok(norms.into_iter().filter_map(shift).collect())
}
