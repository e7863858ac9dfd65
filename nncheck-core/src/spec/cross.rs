//! What one table says and another contradicts; without opening a data file.

use super::data::{Data, DataPlaces, DataSource};
use super::layer;
use super::loss::{Loss, Task};
use super::model::{Model, ModelSource};
use super::read::Reader;
use crate::diagnostic::Span;

/// `[data]` against `[loss]`.
pub(super) fn data_and_loss(
    reader: &mut Reader<'_>,
    (data, places): &(Data, DataPlaces),
    loss: &Loss,
    loss_span: Span,
) {
    let Some(task) = loss.task() else { return };
    let mut contradiction = |span: Span, message: &str, label: &str, help: &str| {
        let error = reader.error("contradiction", span, message).label(label).also(loss_span, "the loss").help(help);
        reader.push(error);
    };
    if let (Some(span), Task::Multiclass | Task::Binary) = (places.normalize_target, task) {
        contradiction(
            span,
            "`normalize_target` is for regression, and this loss is for classes",
            "class ids are not numbers to be scaled",
            "remove it, or use a loss such as \"mse\"",
        );
    }
    if let (Some(classes), Task::Regression) = (&data.classes, task) {
        contradiction(
            classes.span,
            "`classes` is for classification, and this loss is for regression",
            "real-valued targets have no classes",
            "remove it, or use a loss such as \"cross_entropy\"",
        );
    }
    if let (Some(classes), Task::Binary) = (data.classes.as_ref().filter(|k| k.value != 2), task) {
        contradiction(
            classes.span,
            "this loss is for two classes",
            "expected 2",
            "remove it, or use \"cross_entropy\"",
        );
    }
    for term in &loss.terms {
        if let (Some(weights), Some(classes)) = (&term.class_weights, &data.classes)
            && weights.value.len() != classes.value
        {
            contradiction(
                weights.span,
                "there are not as many `class_weights` as classes",
                &format!("{} numbers for {} classes", weights.value.len(), classes.value),
                "give each class its weight, in the order of their ids",
            );
        }
    }
    let DataSource::Synthetic(synthetic) = &data.source else { return };
    match (task, synthetic.value.classes) {
        (Task::Regression, Some(_)) => contradiction(
            synthetic.span,
            "made-up classes under a loss for regression",
            "this has `classes`, and the loss wants `targets`",
            "write `targets = 1`, or use a loss such as \"cross_entropy\"",
        ),
        (Task::Regression | Task::Binary, None) if synthetic.value.tokens.is_some() => contradiction(
            synthetic.span,
            "made-up tokens under a loss that is not for classes",
            "the target at each place is the next token",
            "use \"cross_entropy\"",
        ),
        (Task::Multiclass | Task::Binary, None) if synthetic.value.tokens.is_none() => contradiction(
            synthetic.span,
            "made-up real-valued targets under a loss for classes",
            "this has `targets`, and the loss wants `classes`",
            "write `classes = 2`, or use a loss such as \"mse\"",
        ),
        (Task::Binary, Some(3..)) => contradiction(
            synthetic.span,
            "this loss is for two classes",
            "expected `classes = 2`",
            "write `classes = 2`, or use \"cross_entropy\"",
        ),
        _ => {}
    }
}

/// `[data]` against itself and against `[model]`.
pub(super) fn model_and_data(reader: &mut Reader<'_>, model: &Model, data: &Data) {
    let made_up = match &data.source {
        DataSource::Synthetic(made) => {
            Some(made.value.length.map_or_else(|| made.value.inputs.clone(), |length| vec![length]))
        }
        _ => None,
    };
    let size = |shape: &[usize]| shape.iter().try_fold(1_usize, |all, &n| all.checked_mul(n));
    if let (Some(shape), Some(inputs)) = (&data.shape, &made_up)
        && size(&shape.value) != size(inputs)
    {
        let error = reader
            .error("shape-mismatch", shape.span, "`shape` and `synthetic` in [data] are of different sizes")
            .label(format!("this holds {} numbers", words(size(&shape.value))))
            .help(format!("`inputs = {inputs:?}` holds {}", words(size(inputs))));
        reader.push(error);
        return;
    }
    let shape = data.shape.as_ref().map(|shape| &shape.value).or(made_up.as_ref());
    if let (ModelSource::Layers(layers), Some(shape)) = (&model.source, shape)
        && let Err(why) = layer::infer(layers, shape)
    {
        let mut error = reader.error("shape-mismatch", why.span, why.message).label("does not fit");
        if let (0, Some(shape)) = (why.index, &data.shape) {
            error = error.also(shape.span, "the data's shape");
        }
        error.help.extend(why.help);
        reader.push(error);
    }
}

fn words(size: Option<usize>) -> String {
    size.map_or_else(|| "too many".to_owned(), |n| n.to_string())
}
