//! A number of the user's own.

use nncheck_core::measurement::{Value, ValueAsk};

use crate::subject::{Program, SubjectError};

/// Calls the user's function.
pub(super) fn measure(program: &mut Program<'_>, ask: &ValueAsk) -> Result<Value, SubjectError> {
    let function = program.bindings.value_at(&ask.function)?;
    let value = function(program);
    Ok(Value { value, facts: program.facts().clone() })
}
