//! What can be said of the data without a model.

use nncheck_core::data::audit;
use nncheck_core::measurement::data::{Data, DataAsk};

use crate::subject::Program;

/// Looks at the prepared data.
pub(super) fn measure(program: &Program<'_>, ask: &DataAsk) -> Data {
    match program.data.dataset() {
        Some(dataset) => audit(dataset, program.batches(), ask),
        None => Data {
            cannot: Some("the program makes its data itself: there is none in [data] to look at".to_owned()),
            ..Data::default()
        },
    }
}
