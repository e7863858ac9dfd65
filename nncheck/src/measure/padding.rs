//! What a model's outputs owe to positions that a mask takes out.

use nncheck_core::measurement::padding::{Padding, PaddingAsk};
use tch::{Kind, Tensor};

use super::forward::{self, Forward, Stop, difference_of, nothing, or_nothing, rms};
use super::sequence::is_mask;
use crate::subject::{Program, SubjectError};
use crate::user::{Batch, Named};

/// Rows are looked for among so many times as many as are wanted.
const AMONG: usize = 16;

/// Puts other contents under the mask, and compares what is put out.
pub(super) fn measure(program: &Program<'_>, ask: &PaddingAsk) -> Result<Padding, SubjectError> {
    let measured = forward::connected(program, |model| look(model, ask));
    or_nothing(measured, |cannot| Padding { cannot, ..Padding::default() })
}

fn look(model: &Forward<'_, '_>, ask: &PaddingAsk) -> Result<Padding, Stop> {
    let rows = model.row_count(ask.rows, 1)?;
    let mask = find(&model.rows(&(0..rows).collect::<Vec<_>>()), ask.mask.as_deref())?;
    // Rows that have padding, if there are any.
    let many = model.rows(&(0..rows * AMONG).collect::<Vec<_>>());
    let out_of = |batch: &Batch| taken_out(batch.input(&mask), ask.masked);
    let padded = Vec::<i64>::try_from(out_of(&many).any_dim(1, false).nonzero().flatten(0, -1)).unwrap_or_default();
    let chosen: Vec<usize> = padded.iter().filter_map(|&row| usize::try_from(row).ok()).take(rows).collect();
    if chosen.len() < 2 {
        return nothing(format!("`{mask}` takes out nothing in the first {} rows", rows * AMONG));
    }
    let batch = model.rows(&chosen);
    let masked = out_of(&batch);
    let outputs = model.by_row(&batch)?;
    // Padding is the same everywhere: a model that sees nothing else puts out the same for every row.
    let spreads = match Forward::spreads(&outputs) {
        Err(Stop::Nothing(_)) => outputs.iter().map(|(_, output)| rms(output)).collect(),
        spreads => spreads?,
    };
    model.is_repeatable(&batch, &outputs, &spreads)?;
    // Of outputs for each position, only those count that are left.
    let left = masked.logical_not();
    let counts = |output: &Tensor| {
        if output.dim() > 1 && output.size()[1] == masked.size()[1] {
            output * unsqueezed(&left, output).to_kind(output.kind())
        } else {
            output.shallow_clone()
        }
    };
    let change = |inputs: Named| -> Result<f64, Stop> {
        let changed = model.by_row(&Batch::of(inputs, batch.targets().clone()))?;
        Ok(difference_of(&outputs, &changed, &spreads, counts))
    };
    let with = |name: &str, where_to: &Tensor| {
        let mut inputs = batch.inputs().clone();
        inputs.insert(name, other(batch.input(name), where_to));
        inputs
    };
    let mut of: Vec<&str> =
        batch.inputs().iter().filter(|(n, i)| belongs(n, i, &mask, &batch)).map(|(n, _)| n).collect();
    // `src_mask` is of `src`, and not of another sequence that is as long.
    if of.iter().any(|name| mask.contains(name)) {
        of.retain(|name| mask.contains(name));
    }
    let changed = of
        .iter()
        .map(|name| Ok(((*name).to_owned(), change(with(name, &masked))?)))
        .collect::<Result<Vec<_>, Stop>>()?;
    let mut contents = batch.inputs().clone();
    for name in &of {
        contents.insert(*name, other(batch.input(name), &left));
    }
    let mut open = batch.inputs().clone();
    let none = batch.input(&mask).full_like(if ask.masked { 0.0 } else { 1.0 });
    open.insert(mask.as_str(), none);
    let count = usize::try_from(masked.sum(Kind::Int64).int64_value(&[])).unwrap_or(0);
    Ok(Padding {
        cannot: None,
        masked: (count, masked.numel()),
        changed,
        left: change(contents)?,
        unmasked: change(open)?,
        mask,
    })
}

/// The name of the mask.
fn find(batch: &Batch, name: Option<&str>) -> Result<String, Stop> {
    if let Some(name) = name {
        return match batch.inputs().get(name) {
            Some(input) if input.dim() == 2 => Ok(name.to_owned()),
            Some(_) => Err(SubjectError::new(format!("the mask `{name}` is not of shape [n, positions]")).into()),
            None => {
                let known: Vec<&str> = batch.inputs().names().collect();
                Err(SubjectError::new(format!("there is no input `{name}` to be the mask"))
                    .help(format!("the inputs are {}", known.join(", ")))
                    .into())
            }
        };
    }
    let masks = batch.inputs().iter().filter(|(name, input)| {
        input.dim() == 2
            && is_mask(input)
            && batch.inputs().iter().any(|(other, input)| other != *name && belongs(other, input, name, batch))
    });
    let mut names = masks.map(|(name, _)| name);
    match (names.next(), names.next()) {
        (Some(mask), None) => Ok(mask.to_owned()),
        (Some(one), Some(two)) => nothing(format!("`{one}` and `{two}` both look like a mask: name one by `mask`")),
        (None, _) => nothing("no input is a mask: zeros and ones for each position of another input"),
    }
}

/// Whether an input has the positions of the mask, and is none itself.
fn belongs(name: &str, input: &Tensor, mask: &str, batch: &Batch) -> bool {
    name != mask && input.dim() > 1 && input.size()[1] == batch.input(mask).size()[1] && !is_mask(input)
}

/// Where a mask takes out.
fn taken_out(mask: &Tensor, masked: bool) -> Tensor {
    let ones = mask.ne(0.0);
    if masked { ones } else { ones.logical_not() }
}

/// Other contents at these positions: tokens one further, features of the next row and a little more.
fn other(input: &Tensor, at: &Tensor) -> Tensor {
    let other = if input.is_floating_point() {
        input.roll([1_i64].as_slice(), [0_i64].as_slice()) + 1.0
    } else {
        (input + 1).remainder_tensor(&(input.max() + 1))
    };
    other.where_self(&unsqueezed(at, input), input)
}

/// As many axes as another tensor has.
fn unsqueezed(mask: &Tensor, like: &Tensor) -> Tensor {
    (mask.dim()..like.dim()).fold(mask.shallow_clone(), |mask, _| mask.unsqueeze(-1))
}
