//! What a sequence model's outputs owe to the positions of its input, and to their order.

use nncheck_core::measurement::sequence::{Ahead, Sequence, SequenceAsk};
use nncheck_core::measurement::trace::LayerSeen;
use tch::{Kind, Tensor};

use super::forward::{self, Forward, Stop, difference_of, nothing, or_nothing};
use crate::subject::{Program, SubjectError};
use crate::tensors::is_next;
use crate::user::{Batch, Named};

/// Below this, nothing changed.
const CHANGED: f64 = 1e-9;
/// At most so many positions are changed one by one.
const SINGLE: usize = 16;

/// Changes positions of sequences, and compares what is put out for them.
pub(super) fn measure(program: &Program<'_>, ask: &SequenceAsk) -> Result<Sequence, SubjectError> {
    let measured = forward::connected(program, |model| look(model, ask.rows));
    or_nothing(measured, |cannot| Sequence { cannot, ..Sequence::default() })
}

fn look(model: &Forward<'_, '_>, wanted: usize) -> Result<Sequence, Stop> {
    let rows = model.row_count(wanted, 1)?;
    let batch = model.rows(&(0..rows).collect::<Vec<_>>());
    // A decoder's input is what must not be looked ahead at, whatever its encoder reads.
    let decoder = batch.inputs().iter().map(|(_, input)| input).find(|input| foretells(input, &batch));
    let first = || batch.inputs().iter().find_map(|(_, input)| positions(input));
    let length = match decoder.and_then(positions).or_else(first) {
        Some(length) if length > 1 => length,
        _ => return nothing("the input is no sequence: tokens [n, positions] or features [n, positions, features]"),
    };
    let outputs = model.by_row(&batch)?;
    let spreads = Forward::spreads(&outputs)?;
    model.is_repeatable(&batch, &outputs, &spreads)?;
    let of_position = |tensor: &Tensor| tensor.dim() > 1 && tensor.size()[1] == size(length);
    let targets: Vec<&Tensor> = batch.targets().iter().map(|(_, target)| target).filter(|t| of_position(t)).collect();
    let per_position = !targets.is_empty() && outputs.iter().any(|(_, output)| of_position(output));
    let mut result = Sequence { length, per_position, mixers: mixers(model, &batch)?, ..Sequence::default() };
    result.next = decoder.is_some();
    result.reversed = reversed(model, &batch, &outputs, &spreads, per_position, length)?;
    if !per_position {
        return Ok(result);
    }
    let in_front = |changed: &Named, position: usize, from: usize| {
        let part = |output: &Tensor| {
            if of_position(output) {
                output.narrow(1, size(from), size(position - from))
            } else {
                output.narrow(0, 0, 0)
            }
        };
        difference_of(&outputs, changed, &spreads, part)
    };
    let mut cuts = vec![1, length / 2, length - 1];
    cuts.dedup();
    for position in cuts.into_iter().filter(|&position| position > 0) {
        let changed = changed_from(&batch, length, result.next, position, length - position);
        if batch.inputs().iter().zip(changed.inputs().iter()).all(|((_, a), (_, b))| a.equal(b)) {
            continue;
        }
        let changed = model.by_row(&changed)?;
        result.ahead.push(Ahead { position, difference: in_front(&changed, position, 0) });
    }
    if result.ahead.is_empty() {
        return nothing("the rows are so alike that there is nothing to change a position to");
    }
    if result.ahead.iter().all(|a| a.difference <= CHANGED) {
        return Ok(result);
    }
    let step = length.div_ceil(SINGLE);
    for position in (1..length).rev().step_by(step) {
        let changed = model.by_row(&changed_from(&batch, length, result.next, position, 1))?;
        let first = (0..position).find(|&t| in_front(&changed, t + 1, t) > CHANGED);
        if let Some(first) = first {
            result.reach = result.reach.max(position - first);
            result.whole |= position == length - 1 && first == 0;
        }
    }
    Ok(result)
}

/// The number of positions of an input, where it is one of sequences.
fn positions(input: &Tensor) -> Option<usize> {
    match (input.size()[..].len(), input.is_floating_point()) {
        (2, false) | (3, true) => usize::try_from(input.size()[1]).ok(),
        _ => None,
    }
}

/// Inputs of sequences of this length. A mask, of zeros and ones beside another sequence, says which positions there are,
/// and stays; alone, zeros and ones are tokens of a small vocabulary.
fn is_sequence(input: &Tensor, length: usize, batch: &Batch) -> bool {
    let of_length = |input: &Tensor| positions(input) == Some(length);
    let others = || batch.inputs().iter().any(|(_, other)| of_length(other) && !is_mask(other));
    of_length(input) && (!is_mask(input) || !others())
}

/// Whether it holds nothing but zeros and ones.
pub(super) fn is_mask(input: &Tensor) -> bool {
    input.kind() == Kind::Bool
        || input.square().equal(&(input * input * input * input)) && input.max().double_value(&[]) <= 1.0
}

/// The same batch with other contents at `count` positions from `from` on: tokens one further, features of the next row; where
/// there is a decoder, in its own input alone.
fn changed_from(batch: &Batch, length: usize, has_decoder: bool, from: usize, count: usize) -> Batch {
    batch.with_inputs(|input| {
        if !is_sequence(input, length, batch) || has_decoder && !foretells(input, batch) {
            return input.shallow_clone();
        }
        let changed = input.copy();
        let mut part = changed.narrow(1, size(from), size(count));
        let other = if input.is_floating_point() {
            part.roll([1_i64].as_slice(), [0_i64].as_slice())
        } else {
            (&part + 1).remainder_tensor(&(input.max() + 1))
        };
        part.copy_(&other);
        changed
    })
}

/// What changes when the inner positions are put in reverse.
fn reversed(
    model: &Forward<'_, '_>,
    batch: &Batch,
    outputs: &Named,
    spreads: &[f64],
    per_position: bool,
    length: usize,
) -> Result<Option<f64>, Stop> {
    // The first and the last may be read out by themselves.
    let inner = if length > 3 { 1..length - 1 } else { 0..length };
    let order: Vec<i64> = (0..length)
        .map(|place| size(if inner.contains(&place) { inner.end - 1 - (place - inner.start) } else { place }))
        .collect();
    let order = Tensor::from_slice(&order);
    let reverse = |tensor: &Tensor| tensor.index_select(1, &order.to_device(tensor.device()));
    let turned = batch.with_inputs(|input| {
        // A mask goes with its positions.
        let with_positions = input.dim() > 1 && input.size()[1] == size(length);
        if with_positions { reverse(input) } else { input.shallow_clone() }
    });
    if batch.inputs().iter().zip(turned.inputs().iter()).all(|((_, a), (_, b))| a.equal(b)) {
        return Ok(None);
    }
    let turned = model.by_row(&turned)?.map(|output| {
        let with_positions = per_position && output.dim() > 1 && output.size()[1] == size(length);
        if with_positions { reverse(output) } else { output.shallow_clone() }
    });
    Ok(Some(forward::difference(outputs, &turned, spreads)))
}

/// Whether some target is what the input holds one position later.
fn foretells(input: &Tensor, batch: &Batch) -> bool {
    batch.targets().iter().any(|(_, target)| is_next(input, target))
}

/// The layers that attend or recur.
fn mixers(model: &Forward<'_, '_>, batch: &Batch) -> Result<Vec<LayerSeen>, Stop> {
    let activations = model.layers(batch)?;
    // A softmax at the end makes probabilities of the output.
    let last = activations.len().saturating_sub(1);
    let mixes = |(index, operator): (usize, &str)| {
        ["attention", "lstm", "gru", "rnn"].iter().any(|word| operator.contains(word))
            || (operator == "softmax" && index < last)
    };
    let found = activations.iter().enumerate().filter(|(index, a)| mixes((*index, &a.operator)));
    Ok(found.map(|(_, a)| LayerSeen { name: a.layer.clone(), operator: a.operator.clone() }).collect())
}

fn size(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
