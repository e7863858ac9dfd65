//! A number of the user's own.

use nncheck_core::measurement::score::Training;
use nncheck_core::measurement::{Value, ValueAsk};

use crate::subject::{Program, SubjectError};

/// Calls the user's function.
pub(super) fn measure(program: &mut Program<'_>, ask: &ValueAsk) -> Result<Value, SubjectError> {
    let function = program.bindings.value_at(&ask.function)?;
    // Whoever wants no training takes no step, and keeps the optimizer for the function.
    if ask.after != Training::Steps(0) {
        program.train(super::score::steps(program, ask.after));
    }
    let value = function(program);
    Ok(Value { value, facts: program.facts().clone() })
}
