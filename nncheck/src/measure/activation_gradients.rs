//! The gradients of the outputs of layers.

use nncheck_core::measurement::activation_gradients::{
    ActivationGradient, ActivationGradients, ActivationGradientsAsk,
};
use tch::Kind;

use crate::observe::{Keep, Kept, Observer, Statistics};
use crate::subject::{Program, SubjectError, named};
use crate::tensors::{norm, sizes, values};

/// A forward and a backward pass in train mode, of a copy: running statistics and gradients of the program itself stay as
/// they are.
pub(super) fn measure(program: &Program<'_>, _: &ActivationGradientsAsk) -> Result<ActivationGradients, SubjectError> {
    let rows = program.spec.data.batch.min(program.data.train_rows());
    let nothing = |why: &str| ActivationGradients { cannot: Some(why.to_owned()), ..ActivationGradients::default() };
    if rows == 0 {
        return Ok(nothing("the program has no data that could be shown to it"));
    }
    let copy = Program::copy(program, program.spec)?;
    let batch = copy.data.narrow(0, rows);
    let mut observer = Observer::new(&named(copy.parameters()));
    let every = |_: &_| Keep::Gradient;
    let (losses, recorded) = if copy.loss().is_some() {
        let (outputs, recorded) = observer.record(|| copy.outputs(&batch, true), every)?;
        (copy.losses_of(&outputs?, &batch)?, recorded)
    } else {
        let (losses, recorded) = observer.record(|| copy.losses(&batch, true), every)?;
        (losses?, recorded)
    };
    let loss = losses.total();
    if !loss.requires_grad() {
        return Ok(nothing("in train mode the loss depends on no parameter that trains"));
    }
    let (done, kept) = recorded.during(|| loss.f_backward());
    done?;
    let mut result = ActivationGradients { rows, ..ActivationGradients::default() };
    for Kept { output, gradient, .. } in kept {
        match gradient {
            Some(gradient) => {
                let Statistics { mean, std, .. } = Statistics::of(&values::<f64>(&gradient, Kind::Double));
                result.layers.push(ActivationGradient {
                    shape: sizes(&output.shape),
                    layer: output.layer,
                    operator: output.operator,
                    norm: norm(&gradient),
                    mean,
                    std,
                });
            }
            None => result.unseen.push(output.layer),
        }
    }
    Ok(result)
}
