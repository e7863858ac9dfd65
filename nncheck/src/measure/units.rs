//! What each layer's units do over many rows.

mod tally;

use nncheck_core::measurement::{UnitLayer, Units, UnitsAsk};

use self::tally::Tally;
use crate::observe::{Observer, Output};
use crate::subject::{Program, SubjectError, named};

/// Forward passes in train mode, in batches as in training, of a copy: the running statistics of the program itself stay as
/// they are.
pub(super) fn measure(program: &Program<'_>, ask: &UnitsAsk) -> Result<Units, SubjectError> {
    let rows = ask.rows.min(program.data.train_rows());
    let mut units = Units { facts: program.facts().clone(), cannot: None, rows, layers: Vec::new() };
    if rows == 0 {
        units.cannot = Some("the program has no data that could be shown to it".to_owned());
        return Ok(units);
    }
    let copy = Program::copy(program, program.spec)?;
    let mut observer = Observer::new(&named(copy.parameters()));
    let mut tallies: Vec<(Output, Tally)> = Vec::new();
    let _no_grad = tch::no_grad_guard();
    for (start, count) in super::initial::chunks(rows, program.spec.data.batch) {
        let batch = program.data.narrow(start, count);
        let outputs = observer.inspect(|| copy.outputs(&batch, true), &mut |output, entries| {
            let known = tallies.iter().position(|(known, _)| known.layer == output.layer);
            let at = known.unwrap_or_else(|| {
                tallies.push((output.clone(), Tally::new(output)));
                tallies.len() - 1
            });
            tallies[at].1.add(output, entries);
        })?;
        if let Err(error) = outputs {
            units.cannot = Some(error.cause);
            return Ok(units);
        }
    }
    units.layers = tallies.into_iter().filter_map(|(output, tally)| layer(output, &tally)).collect();
    Ok(units)
}

fn layer(output: Output, tally: &Tally) -> Option<UnitLayer> {
    let found = tally.found()?;
    Some(UnitLayer {
        name: output.layer,
        operator: output.operator,
        has_parameters: output.has_parameters,
        units: found.units,
        mean: found.mean,
        std: found.std,
        zero_fraction: found.zero_fraction,
        dead: found.dead,
        spread: found.spread,
        plateau: found.plateau,
    })
}
