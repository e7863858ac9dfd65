//! A metric after training, on both shares of the data.

use nncheck_core::diagnostic::Located;
use nncheck_core::measurement::score::{Score, ScoreAsk, ShareScore, Training};
use nncheck_core::metric::Predictions;
use nncheck_core::spec::Subject as Spec;
use nncheck_core::spec::layer::{Flatten, Layer, LayerInit, LayerKind, Linear, Relu, Sigmoid, Softmax};
use nncheck_core::spec::loss::LossKind;
use nncheck_core::spec::model::{Model, ModelSource};
use nncheck_core::spec::optimizer::{Adam, Optimizer, OptimizerKind};

use crate::subject::{Program, SubjectError};
use crate::user::Batch;

/// Numbers of predictions that are kept at most: 128 MiB of them.
const MOST: usize = 1 << 24;

/// Trains, then measures: the program, or a plain network in its model's place.
pub(super) fn train_and_measure(program: &mut Program<'_>, ask: &ScoreAsk) -> Result<Score, SubjectError> {
    if let Some(units) = ask.peer {
        let spec = match peer(program, units)? {
            Ok(spec) => spec,
            Err(why) => return Ok(refused(program, why)),
        };
        let mut network = program.anew(&spec)?;
        return train_and_measure(&mut network, &ScoreAsk { peer: None, ..*ask });
    }
    program.train(steps(program, ask.after));
    measure(program, ask)
}

/// The same program with a plain network of one hidden layer, or why there is none.
fn peer(program: &Program<'_>, units: usize) -> Result<Result<Spec, String>, SubjectError> {
    let batch = program.first_rows(2);
    let inputs = batch.inputs();
    if program.loss().is_none() || inputs.len() != 1 || inputs.first().is_none_or(|x| !x.is_floating_point()) {
        return Ok(Err("a plain network takes one input of quantities".to_owned()));
    }
    let outputs = tch::no_grad(|| program.outputs(&batch, false))?;
    let (named, main) = (outputs.named().len(), outputs.main());
    if named != 1 || main.dim() > 2 {
        return Ok(Err("a plain network puts out one row of numbers for each example".to_owned()));
    }
    let width = usize::try_from(main.size().get(1).copied().unwrap_or(1)).unwrap_or(1);
    let layer = |kind| Located::new(Layer { name: None, init: LayerInit::default(), kind }, 0..0);
    let linear = |outputs| layer(LayerKind::Linear(Linear { inputs: None, outputs, bias: true }));
    let mut layers = vec![linear(units), layer(LayerKind::Relu(Relu {})), linear(width)];
    if program.data.shape.len() > 1 {
        layers.insert(0, layer(LayerKind::Flatten(Flatten { start_dim: 1, end_dim: -1 })));
    }
    match program.spec.loss.kind() {
        Some(LossKind::Bce) => layers.push(layer(LayerKind::Sigmoid(Sigmoid {}))),
        Some(LossKind::Nll) => layers.push(layer(LayerKind::LogSoftmax(Softmax { dim: -1 }))),
        _ => {}
    }
    let mut spec = program.spec.clone();
    spec.model = Model { source: ModelSource::Layers(layers), weights: None, frozen: Vec::new() };
    let (betas, eps) = ([0.9, 0.999], 1e-8);
    let adam = Adam { lr: 1e-3, betas, eps, weight_decay: 0.0, amsgrad: false, maximize: false };
    spec.optimizer = Some(Optimizer::of(OptimizerKind::Adam(adam)));
    spec.train.step = None;
    Ok(Ok(spec))
}

fn refused(program: &Program<'_>, why: String) -> Score {
    Score { facts: program.facts().clone(), cannot: Some(why), training: None, validation: None }
}

/// How many steps a training takes on this data.
pub(super) fn steps(program: &Program<'_>, training: Training) -> usize {
    match training {
        Training::Steps(steps) => steps,
        Training::Epochs(epochs) => {
            epochs * program.batches().per_epoch().max(1) / program.spec.train.accumulate.max(1)
        }
    }
}

/// The metric of the program as it is, in eval mode.
pub(super) fn measure(program: &Program<'_>, ask: &ScoreAsk) -> Result<Score, SubjectError> {
    let mut result = Score { facts: program.facts().clone(), cannot: None, training: None, validation: None };
    if program.loss().is_none() {
        result.cannot = Some(
            "what is right is known to the program alone: write a function of your own (`check = \"value\"`)".into(),
        );
        return Ok(result);
    }
    let data = program.data;
    let training = predictions(program, ask.rows.min(data.train_rows()), |rows| data.train(rows))?;
    let validation = match ask.rows.min(data.validation_rows()) {
        0 => None,
        rows => Some(predictions(program, rows, |rows| data.validation(rows))?),
    };
    let score = |(rows, seen): &(usize, Predictions)| ShareScore {
        rows: *rows,
        value: seen.measure(ask.metric, ask.k),
        baseline: seen.ignorant(&training.1).measure(ask.metric, ask.k),
    };
    result.training = Some(score(&training));
    result.validation = validation.as_ref().map(score);
    Ok(result)
}

/// The predictions for the first rows of a share, and how many rows they are of.
fn predictions(
    program: &Program<'_>,
    rows: usize,
    batch: impl Fn(&[usize]) -> Batch,
) -> Result<(usize, Predictions), SubjectError> {
    let _no_grad = tch::no_grad_guard();
    let Some(loss) = program.loss() else { return Err(SubjectError::new("there is no loss to take predictions by")) };
    let mut all: Option<Predictions> = None;
    let (mut taken, mut numbers) = (0, 0);
    let order: Vec<usize> = (0..rows).collect();
    for chunk in order.chunks(program.spec.data.batch.max(1)) {
        let batch = batch(chunk);
        let outputs = program.outputs(&batch, false)?;
        numbers += outputs.main().numel();
        let seen = loss.predictions(&outputs, &batch)?;
        match &mut all {
            None => all = Some(seen),
            Some(all) => all.join(seen).map_err(SubjectError::new)?,
        }
        taken += chunk.len();
        if numbers > MOST {
            break;
        }
    }
    all.map(|all| (taken, all)).ok_or_else(|| SubjectError::new("the data has no rows to predict"))
}
