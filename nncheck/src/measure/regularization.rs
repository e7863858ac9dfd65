//! What the declared regularisation does.

use nncheck_core::measurement::Regularization;
use tch::Tensor;

use crate::subject::{Program, SubjectError, decays};
use crate::tensors::norm;
use crate::user::Mode;

/// Steps of the optimizer on the regularisation alone: more than one, since a warm-up may begin at a rate of zero.
const STEPS: usize = 5;

/// Holds the regularisation beside the data loss on the first batch, then lets it act alone.
pub(super) fn measure(program: &mut Program<'_>, seed: i64) -> Result<Regularization, SubjectError> {
    let batch = program.first_rows(program.spec.data.batch);
    let trainable: Vec<Tensor> = program
        .parameters()
        .iter()
        .filter(|(_, parameter)| parameter.requires_grad())
        .map(|(_, parameter)| parameter.shallow_clone())
        .collect();
    let length = |tensors: &[Tensor]| tensors.iter().map(|t| norm(t).powi(2)).sum::<f64>().sqrt();
    tch::manual_seed(seed);
    let data = program.losses(&batch, true)?.total();
    let data_loss = data.double_value(&[]);
    let mut added = program.regularised(&data).double_value(&[]) - data_loss;
    let gradients = Tensor::f_run_backward(&[data], &trainable, false, false)?;
    let gradients: Vec<Tensor> = gradients.into_iter().filter(Tensor::defined).collect();
    let l2 = program.spec.loss.l2;
    let all = length(&trainable);
    let (mut penalty, mut decoupled, mut count) = (0.0, 0.0, 0.0);
    let mut regularised = Vec::new();
    for (parameter, decay, apart) in decays(program)? {
        if decay + l2 > 0.0 {
            regularised.push(parameter.shallow_clone());
        }
        let square = norm(&parameter).powi(2);
        if apart {
            decoupled += decay * decay * square;
            count += parameter.numel() as f64;
            penalty += l2 * l2 * square;
        } else {
            penalty += (decay + l2).powi(2) * square;
        }
    }
    let norm = length(&regularised);
    let own_step = program.step().is_some();
    let mut trainer = program.trainer()?;
    if own_step {
        // What a step of the user's own adds shows in the loss that it returns.
        tch::manual_seed(seed);
        let step = trainer.step(&mut || batch.clone(), Mode::Dry)?;
        added = step.loss - data_loss;
    }
    let lr = trainer.lr();
    for _ in 0..STEPS {
        trainer.regularise()?;
    }
    Ok(Regularization {
        data_loss,
        added,
        declared: l2 / 2.0 * all * all,
        data_gradient: length(&gradients),
        penalty_gradient: penalty.sqrt(),
        decoupled: if count > 0.0 { (decoupled / count).sqrt() } else { 0.0 },
        norm,
        norm_after: length(&regularised),
        lr,
    })
}
