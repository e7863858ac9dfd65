//! Whether saving and loading brings back the same model.

use nncheck_core::measurement::checkpoint::{Checkpoint, CheckpointAsk};

use super::forward::{Forward, Stop, difference, nothing, or_nothing, spread};
use crate::subject::{Program, SubjectError, weights};
use crate::user::Named;

/// Rows that the two are compared on.
const ROWS: usize = 16;

/// Trains for a little, saves, builds the program anew from another seed, loads, and compares what both put out.
pub(super) fn measure(program: &mut Program<'_>, ask: &CheckpointAsk) -> Result<Checkpoint, SubjectError> {
    if ask.steps > 0 {
        let _loss = program.try_train(ask.steps)?;
    }
    or_nothing(look(program), |cannot| Checkpoint { cannot, ..Checkpoint::default() })
}

fn look(program: &Program<'_>) -> Result<Checkpoint, Stop> {
    let there = program.data.train_rows();
    if there == 0 {
        return nothing("the program brings its own data: there are no rows to show it");
    }
    let model = Forward::new(program);
    let batch = model.rows(&(0..ROWS.min(there)).collect::<Vec<_>>());
    let outputs = model.by_row(&batch)?;
    let spreads: Vec<f64> = outputs.iter().map(|(_, output)| spread(output)).collect();
    model.is_repeatable(&batch, &outputs, &spreads)?;
    let folder = tempfile::tempdir().map_err(|e| SubjectError::new(format!("no folder for a checkpoint: {e}")))?;
    let file = |at: usize| folder.path().join(format!("{at}.safetensors"));
    for (at, (_, store)) in program.stores().into_iter().enumerate() {
        store.save(file(at)).map_err(SubjectError::from)?;
    }
    // What is not among the saved tensors is drawn anew.
    let other = Program::build(program.spec, program.data, program.bindings, !program.seed())?;
    for (at, (network, store)) in other.stores().into_iter().enumerate() {
        if let Err(error) = weights::load(store, &file(at), &[]) {
            let of = if network.is_empty() { String::new() } else { format!("network `{network}`: ") };
            return Ok(Checkpoint { refused: Some(format!("{of}{}", error.cause)), ..Checkpoint::default() });
        }
    }
    let loaded = Forward::seeded(&other, program.seed());
    let again = loaded.run(&batch)?;
    let one = |name: &str, output: &tch::Tensor| std::iter::once((name, output.shallow_clone())).collect::<Named>();
    let differences: Vec<(String, f64)> = outputs
        .iter()
        .zip(&spreads)
        .map(|((name, output), &spread)| (name.to_owned(), difference(&one(name, output), &again, &[spread])))
        .collect();
    let first = if differences.iter().any(|(_, by)| *by > 0.0) {
        let (a, b) = (model.layers(&batch)?, loaded.layers(&batch)?);
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
        let differs = a
            .iter()
            .zip(&b)
            .find(|(a, b)| !same(a.statistics.mean, b.statistics.mean) || !same(a.statistics.std, b.statistics.std));
        differs.map(|(a, _)| format!("{} in {}", a.operator, a.layer))
    } else {
        None
    };
    Ok(Checkpoint { outputs: differences, first, ..Checkpoint::default() })
}
