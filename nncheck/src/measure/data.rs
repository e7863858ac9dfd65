//! What can be said of the data, and of a model that normalises it.

use nncheck_core::data::audit;
use nncheck_core::measurement::data::{Data, DataAsk};

use crate::observe::Observer;
use crate::subject::error::attempt;
use crate::subject::{Program, named};

/// Looks at the prepared data.
pub(super) fn measure(program: &Program<'_>, ask: &DataAsk) -> Data {
    match program.data.dataset() {
        Some(dataset) => Data { normalised_by_model: normalises(program), ..audit(dataset, program.batches(), ask) },
        None => Data {
            cannot: Some("the program makes its data itself: there is none in [data] to look at".to_owned()),
            ..Data::default()
        },
    }
}

/// Whether the first layer of the model is a normalisation: batch norm on raw pixels is as good as scaling them. A model
/// that does not run is for other checks to tell.
fn normalises(program: &Program<'_>) -> bool {
    let mut observer = Observer::new(&named(program.parameters()));
    let rows = program.first_rows(2);
    let seen = attempt(|| tch::no_grad(|| observer.watch(|| program.outputs(&rows, false))));
    let first = seen.ok().and_then(Result::ok).and_then(|(_, activations)| activations.into_iter().next());
    first.is_some_and(|first| first.operator.ends_with("_norm"))
}
