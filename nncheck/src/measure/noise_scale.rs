//! How much gradients differ from example to example.

use nncheck_core::measurement::noise_scale::{NoiseScale, NoiseScaleAsk};
use tch::{Kind, Tensor};

use crate::subject::{Program, SubjectError};

/// The gradient of each of the first rows, taken alone in eval mode: their mean and their spread.
pub(super) fn measure(program: &Program<'_>, ask: &NoiseScaleAsk) -> Result<NoiseScale, SubjectError> {
    let rows = ask.rows.min(program.data.train_rows());
    let mut result = NoiseScale { facts: program.facts().clone(), cannot: None, rows, trace: 0.0, mean_square: 0.0 };
    if rows < 2 {
        result.cannot = Some("the program makes its data itself: there are no examples to take one by one".to_owned());
        return Ok(result);
    }
    let parameters: Vec<&Tensor> = program.parameters().iter().map(|(_, p)| p).filter(|p| p.requires_grad()).collect();
    let mut sums: Vec<Tensor> = parameters.iter().map(|p| p.detach().zeros_like().to_kind(Kind::Double)).collect();
    let mut squares = 0.0;
    for row in 0..rows {
        let loss = program.losses(&program.data.narrow(row, 1), false)?.total();
        if !loss.requires_grad() {
            result.cannot = Some("in eval mode the loss depends on no parameter that trains".to_owned());
            return Ok(result);
        }
        // Taken beside the parameters' own gradients, which stay as they are.
        for (sum, gradient) in sums.iter_mut().zip(Tensor::f_run_backward(&[loss], &parameters, false, false)?) {
            if gradient.defined() {
                let gradient = gradient.detach().to_kind(Kind::Double);
                squares += gradient.square().sum(Kind::Double).double_value(&[]);
                *sum += gradient;
            }
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "rows are few")]
    let n = rows as f64;
    result.mean_square = sums.iter().map(|sum| (sum / n).square().sum(Kind::Double).double_value(&[])).sum();
    result.trace = (squares - n * result.mean_square).max(0.0) / (n - 1.0);
    Ok(result)
}
