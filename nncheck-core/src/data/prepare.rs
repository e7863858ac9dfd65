//! From arrays as they were read to data that is ready to train on: targets as the loss wants them, split, scale,
//! normalise. Everything happens in place: no row is copied.

use super::normalize::Affine;
use super::{Array, DataError, Dataset, Table, facts, source_span, split, targets};
use crate::diagnostic::Span;
use crate::spec::data::Data;
use crate::spec::loss::Task;
use crate::spec::run::Dtype;

/// Settles the targets, divides the rows, brings the numbers to scale.
pub(super) fn finish(
    data: &Data,
    task: Task,
    dtype: Dtype,
    table: Table,
    train: Option<usize>,
) -> Result<Dataset, DataError> {
    let Table { mut inputs, mut targets, origin, target } = table;
    let source = source_span(&data.source);
    let rows = inputs.first().map_or(0, |input| input.rows);
    settle_inputs(&mut inputs, data, dtype, source)?;
    let place = |row| origin.as_ref().and_then(|origin| origin.target_place(row));
    let classes = match targets.split_first_mut() {
        None => None,
        Some((first, others)) => {
            let origin = targets::Origin { span: target, place: &place };
            for other in others.iter_mut().filter(|other| !other.values.is_ids()) {
                targets::settle_numbers(other, dtype);
            }
            targets::settle(first, data, task, dtype, &origin)?
        }
    };
    let strata = targets.first().and_then(|first| targets::strata(first, task));
    let division = match train {
        Some(train) => split::Division {
            train: (0..train.min(rows)).collect(),
            validation: Some((train.min(rows)..rows).collect()),
        },
        None => {
            split::split(rows, strata.as_deref(), data.split).map_err(|fault| fault.into_error(source, rows, data))?
        }
    };
    let train = &division.train;
    for input in inputs.iter_mut().filter(|input| !input.values.is_ids()) {
        if let Some(factor) = data.scale.filter(|&factor| factor != 1.0) {
            Affine::scale(factor, input.row_len()).apply(&mut input.values);
        }
        if let Some(kind) = data.normalize {
            Affine::fit(kind, input, train).apply(&mut input.values);
        }
    }
    if let (Some(kind), Task::Regression, Some(first)) = (data.normalize_target, task, targets.first_mut()) {
        Affine::fit(kind, first, train).apply(&mut first.values);
    }
    if inputs.iter().chain(&targets).any(|array| array.values.non_finite().is_some()) {
        return Err(overflow(dtype, source));
    }
    let validation = division.validation.as_ref().map_or(0, Vec::len);
    let facts = facts::facts(&inputs, &targets, train, validation, classes);
    Ok(Dataset { inputs, targets, train: division.train, validation: division.validation, facts })
}

fn overflow(dtype: Dtype, source: Span) -> DataError {
    let bits = match dtype {
        Dtype::Float32 => 32,
        Dtype::Float64 => 64,
    };
    let error = DataError::new(
        "data-overflow",
        format!("scaling and normalising takes the numbers beyond what {bits} bits hold"),
    )
    .about(source)
    .help("look for values far beyond the others, and at `scale`");
    match dtype {
        Dtype::Float32 => error.help("or use `dtype = \"float64\"` in [run]"),
        Dtype::Float64 => error,
    }
}

/// Quantities in the format of the run; integers are tokens unless `scale` or `normalize` says otherwise.
fn settle_inputs(inputs: &mut [Array], data: &Data, dtype: Dtype, source: Span) -> Result<(), DataError> {
    let key = if data.scale.is_some() { "scale" } else { "normalize" };
    let wanted = data.scale.is_some() || data.normalize.is_some();
    let alone = inputs.len() == 1;
    for input in inputs.iter_mut() {
        if !input.values.is_ids() || (wanted && alone) {
            let values = std::mem::replace(&mut input.values, super::Values::I64(Vec::new()));
            input.values = values.into_floats(dtype);
        }
    }
    if wanted && inputs.iter().all(|input| input.values.is_ids()) {
        return Err(DataError::new("data-tokens", format!("`{key}` is for quantities, and all inputs are integers"))
            .about(source)
            .help("save those that are quantities as floats"));
    }
    Ok(())
}

/// Whether arrays that somebody else made fit together.
pub(super) fn check_arrays(table: &Table, span: Span) -> Result<(), DataError> {
    let refuse = |message: String| Err(DataError::new("data-arrays", message).about(span));
    let (Some(first), false) = (table.inputs.first(), table.targets.is_empty()) else {
        return refuse("data needs at least one input and one target".to_owned());
    };
    for (index, array) in table.inputs.iter().chain(&table.targets).enumerate() {
        let Array { name, rows, shape, values } = array;
        let role = if index < table.inputs.len() { "input" } else { "target" };
        let row = shape.iter().try_fold(1_usize, |all, &size| all.checked_mul(size));
        if row.and_then(|row| row.checked_mul(*rows)) != Some(values.len()) {
            return refuse(format!(
                "the {role} `{name}` of shape {:?} holds {} numbers",
                array.whole_shape(),
                values.len()
            ));
        }
        if values.is_empty() {
            return refuse(format!("the {role} `{name}` of shape {:?} holds no numbers", array.whole_shape()));
        }
        if *rows != first.rows {
            return refuse(format!(
                "the {role} `{name}` has {rows} rows, but the input `{}` has {}",
                first.name, first.rows
            ));
        }
        if let Some(at) = values.non_finite() {
            let (row, what) = (at / array.row_len(), if values.at(at).is_nan() { "NaN" } else { "an infinity" });
            return Err(DataError::new(
                "data-non-finite",
                format!("the {role} `{name}` holds {what} in row {row} (rows count from 0)"),
            )
            .about(span)
            .help("what is not finite in the data makes every loss NaN: drop the row or fill in the value"));
        }
    }
    Ok(())
}
