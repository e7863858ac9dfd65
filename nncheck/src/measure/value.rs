//! A number of the user's own.

use nncheck_core::measurement::ValueAsk;

use crate::subject::{Program, SubjectError};

/// Calls the user's function.
pub(super) fn measure(program: &mut Program<'_>, ask: &ValueAsk) -> Result<f64, SubjectError> {
    let function = program.bindings.value_at(&ask.function)?;
    Ok(function(program))
}
