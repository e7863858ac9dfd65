//! What a model puts out, for batches of several sizes.

use nncheck_core::measurement::contract::{Contract, ContractAsk, OfBatch, Output, Sums};
use tch::{Kind, Tensor};

use super::forward::{Forward, Stop, nothing, or_nothing};
use crate::subject::error::attempt;
use crate::subject::{Program, SubjectError};
use crate::tensors::shape;

/// Runs the model in eval mode on batches as large as in training, and on the others.
pub(super) fn measure(program: &Program<'_>, ask: &ContractAsk) -> Result<Contract, SubjectError> {
    or_nothing(look(program, ask), |cannot| Contract { cannot, ..Contract::default() })
}

fn look(program: &Program<'_>, ask: &ContractAsk) -> Result<Contract, Stop> {
    let there = program.data.train_rows();
    if there == 0 {
        return nothing("the program brings its own data: there are no rows to show it");
    }
    let model = Forward::new(program);
    let usual = program.spec.data.batch.min(there);
    let mut result = Contract::default();
    let mut sizes = vec![usual];
    sizes.extend(ask.batches.iter().copied().filter(|&rows| rows != usual));
    for rows in sizes {
        let batch = model.rows(&(0..rows).collect::<Vec<_>>());
        // The usual batch is that of all training: where it fails, all else does, and says so.
        let outputs = if rows == usual { Ok(model.run(&batch)) } else { attempt(|| model.run(&batch)) };
        let outputs = match outputs {
            Ok(outputs) => Ok(outputs?.iter().map(|(name, output)| of(name, output)).collect()),
            Err(words) => Err(words),
        };
        result.batches.push(OfBatch { rows, outputs });
    }
    Ok(result)
}

fn of(name: &str, output: &Tensor) -> Output {
    let finite = output.isfinite();
    let share = finite.to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
    let entries = output.masked_select(&finite);
    let edge = |of: fn(&Tensor) -> Tensor| if entries.numel() == 0 { f64::NAN } else { of(&entries).double_value(&[]) };
    // Classes stand on the second axis, of language models on the last: whichever sums up better.
    let sums = |axis: i64| {
        let from_one = |x: Tensor| (x.sum_dim_intlist([axis].as_slice(), false, Kind::Double) - 1).abs().max();
        Sums {
            of_entries: from_one(output.shallow_clone()).double_value(&[]),
            of_exponentials: from_one(output.exp()).double_value(&[]),
        }
    };
    let several = output.dim() > 1 && output.numel() > 0;
    let sums = several.then(|| {
        let (second, last) = (sums(1), sums(-1));
        Sums {
            of_entries: second.of_entries.min(last.of_entries),
            of_exponentials: second.of_exponentials.min(last.of_exponentials),
        }
    });
    Output {
        name: name.to_owned(),
        shape: shape(output),
        finite: if output.numel() == 0 { 1.0 } else { share },
        min: edge(Tensor::min),
        max: edge(Tensor::max),
        sums,
    }
}
