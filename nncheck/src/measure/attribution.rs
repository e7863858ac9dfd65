//! Which part of an example a model's output answers to.

use nncheck_core::measurement::attribution::{AttributedRow, Attribution, AttributionAsk, GradCam, Saliency};
use tch::{Kind, Tensor};

use crate::observe::{Keep, Kept, Observer, Output};
use crate::subject::{Program, Score, Scores, SubjectError, named};
use crate::tensors::{sizes, values};
use crate::user::{Batch, Named};

/// Forward passes in eval mode, of the program itself: gradients are taken beside the parameters' own, and nothing is changed.
pub(super) fn measure(program: &Program<'_>, ask: &AttributionAsk) -> Result<Attribution, SubjectError> {
    let nothing = |why: String| Attribution { cannot: Some(why), ..Attribution::default() };
    let count = ask.rows.min(program.data.train_rows());
    if count == 0 {
        return Ok(nothing("the program has no data that could be shown to it".to_owned()));
    }
    let mut observer = Observer::new(&named(program.parameters()));
    let mut rows = Vec::with_capacity(count);
    for row in 0..count {
        let example = Example::new(&program.data.narrow(row, 1));
        let outputs = match program.outputs(&example.watched, false) {
            Ok(outputs) => outputs,
            // All that it can say is that it puts nothing out.
            Err(error) => return Ok(nothing(error.cause)),
        };
        if outputs.named().is_empty() {
            return Ok(nothing("the model puts nothing out".to_owned()));
        }
        let Scores { of_target, of_prediction } = Scores::of(program, &outputs, &example.watched)?;
        let saliency = example.saliency(of_target.as_ref())?;
        let (grad_cam, unseen) = maps(program, &mut observer, &example)?;
        let class = |score: Option<&Score>| score.and_then(|score| score.class);
        let (class, predicted) = (class(of_target.as_ref()), class(Some(&of_prediction)));
        rows.push(AttributedRow { row, class, predicted, saliency, grad_cam, unseen });
    }
    Ok(Attribution { cannot: None, rows })
}

/// One row, shown so that gradients with respect to its inputs can be had.
struct Example {
    /// What gradients are taken with respect to, where it can be changed by a little.
    leaves: Named,
    /// What the model is shown: not the leaves themselves, which autograd lets nobody overwrite.
    watched: Batch,
}

impl Example {
    fn new(row: &Batch) -> Self {
        let leaves = row.inputs().map(|input| {
            let alone = input.detach();
            if input.is_floating_point() { alone.set_requires_grad(true) } else { alone }
        });
        // Times one is exact, and has memory of its own.
        let shown = leaves.map(|leaf| if leaf.requires_grad() { leaf * 1.0 } else { leaf.shallow_clone() });
        Self { leaves, watched: Batch::of(shown, row.targets().clone()) }
    }

    fn trained(&self) -> Vec<Tensor> {
        self.leaves
            .iter()
            .map(|(_, leaf)| leaf)
            .filter(|leaf| leaf.requires_grad())
            .map(Tensor::shallow_clone)
            .collect()
    }

    fn saliency(&self, score: Option<&Score>) -> Result<Vec<Saliency>, SubjectError> {
        let leaves = self.trained();
        let mut gradients = match score {
            Some(score) if score.value.requires_grad() && !leaves.is_empty() => {
                Tensor::f_run_backward(&[&score.value], &leaves, false, false)?
            }
            _ => Vec::new(),
        }
        .into_iter();
        let of = |(name, leaf): (&str, &Tensor)| {
            let gradient = if leaf.requires_grad() { gradients.next().filter(Tensor::defined) } else { None };
            let cannot = match (&gradient, score) {
                (Some(_), _) => None,
                _ if !leaf.requires_grad() => {
                    Some(format!("`{name}` holds tokens, which cannot be changed by a little"))
                }
                (None, None) => Some("the row has no label".to_owned()),
                (None, Some(_)) => Some(format!("no gradient of the output reaches `{name}`")),
            };
            Saliency {
                input: name.to_owned(),
                shape: sizes(&leaf.size()).split_off(1),
                cannot,
                values: gradient.map(|gradient| values(&gradient.abs(), Kind::Double)).unwrap_or_default(),
            }
        };
        Ok(self.leaves.iter().map(of).collect())
    }
}

/// Grad-CAM of every layer that has channels and places, and the layers of which it cannot be had.
fn maps(
    program: &Program<'_>,
    observer: &mut Observer,
    example: &Example,
) -> Result<(Vec<GradCam>, Vec<String>), SubjectError> {
    let keep = |output: &Output| {
        let places = output.has_channels && output.shape.len() > 2 && output.shape[0] == 1;
        if places { Keep::Both } else { Keep::Nothing }
    };
    let (outputs, recorded) = observer.record(|| program.outputs(&example.watched, false), keep)?;
    let score = Scores::of(program, &outputs?, &example.watched)?.of_prediction.value;
    let mut leaves = example.trained();
    // Where inputs are tokens, layers are reached on the way to the parameters.
    leaves.extend(program.parameters().iter().map(|(_, p)| p).filter(|p| p.requires_grad()).map(Tensor::shallow_clone));
    let (done, kept) = recorded.during(|| {
        if score.requires_grad() && !leaves.is_empty() {
            Tensor::f_run_backward(&[&score], &leaves, false, false)?;
        }
        Ok::<_, SubjectError>(())
    });
    done?;
    let (mut maps, mut unseen) = (Vec::new(), Vec::new());
    for Kept { output, entries, gradient } in kept {
        match gradient {
            Some(gradient) => {
                let (channels, shape) = (sizes(&output.shape)[1], sizes(&output.shape).split_off(2));
                let values = grad_cam(&entries, &values::<f64>(&gradient, Kind::Double), channels, &shape);
                maps.push(GradCam { layer: output.layer, operator: output.operator, shape, values });
            }
            None => unseen.push(output.layer),
        }
    }
    Ok((maps, unseen))
}

/// Of one row's activations and their gradients, in the order of the axes.
fn grad_cam(activations: &[f64], gradients: &[f64], channels: usize, shape: &[usize]) -> Vec<f64> {
    let places: usize = shape.iter().product();
    let mut map = vec![0.0; places];
    if places == 0 {
        return map;
    }
    for (channel, gradient) in activations.chunks_exact(places).zip(gradients.chunks_exact(places)).take(channels) {
        let weight = gradient.iter().sum::<f64>() / places as f64;
        for (sum, activation) in map.iter_mut().zip(channel) {
            *sum += weight * activation;
        }
    }
    // What is not a number stays so, as in PyTorch's ReLU.
    map.iter_mut().filter(|sum| **sum <= 0.0).for_each(|sum| *sum = 0.0);
    map
}
