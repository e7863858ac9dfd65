//! Hand-made subjects and measurements for the tests of the checks.

use std::path::PathBuf;

use super::{Check, Context};
use crate::diagnostic::Located;
use crate::judge::{Effort, Judged, Look, Sample, judge};
use crate::measurement::trace::{LayerSeen, NonFinite, Parameter, Step, Watched};
use crate::measurement::{DataFacts, Initial, Measurement, Overfit, Trace, UnitLayer, Units};
use crate::spec::Subject;
use crate::spec::data::{Data, DataSource};
use crate::spec::loss::{Loss, LossKind};
use crate::spec::model::{Model, ModelSource};
use crate::spec::optimizer::{Optimizer, OptimizerKind, Sgd};
use crate::spec::property::{Allowance, Settings};
use crate::spec::run::{Device, Dtype};

/// A classifier with cross-entropy and SGD at 0.1, batches of 64.
pub(crate) fn subject() -> Subject {
    subject_with(LossKind::CrossEntropy)
}

pub(crate) fn subject_with(kind: LossKind) -> Subject {
    let here = |value| Located::new(value, 0..0);
    let sgd = Sgd { lr: 0.1, momentum: 0.0, dampening: 0.0, nesterov: false, weight_decay: 0.0, maximize: false };
    Subject {
        model: Model {
            source: ModelSource::Builder { path: here("digits::mlp".to_owned()), hyper: "null".to_owned() },
            weights: None,
            frozen: Vec::new(),
        },
        data: Data::of(DataSource::Csv {
            path: Located::new(PathBuf::from("/digits.csv"), 0..0),
            target: Located::new(vec!["label".to_owned()], 0..0),
            inputs: None,
        }),
        loss: Loss::of(kind),
        optimizer: Some(Optimizer::of(OptimizerKind::Sgd(sgd))),
        train: crate::spec::train::Train::default(),
        dtype: Dtype::Float32,
        device: Device::Cpu,
        threads: 1,
        memory: 1 << 32,
        timeout_ms: 60_000,
    }
}

/// Ten balanced classes, normalised inputs.
pub(crate) fn facts() -> DataFacts {
    DataFacts {
        examples: 1437,
        validation_examples: 360,
        classes: Some(10),
        priors: vec![0.1; 10],
        target_mean: None,
        target_variance: None,
        input_mean: Some(0.0),
        input_std: Some(1.0),
        input_max_abs: Some(4.0),
    }
}

pub(crate) fn allow(allowances: &[Allowance]) -> Settings {
    Settings { allow: allowances.iter().map(|a| Located::new(a.clone(), 0..0)).collect(), ..Settings::default() }
}

/// A sound classifier before training.
pub(crate) fn initial() -> Initial {
    Initial {
        terms_of_zeros: Vec::new(),
        facts: facts(),
        rows: 1024,
        loss: 2.35,
        terms: Vec::new(),
        loss_of_zeros: Some(10f64.ln()),
        loss_of_prior: Some(10f64.ln()),
        terms_of_prior: Vec::new(),
        width: Some(10),
        output_variance: 0.1,
        output_mean: 0.0,
        last_operator: Some("linear".to_owned()),
    }
}

/// Two examples that were learnt.
pub(crate) fn overfit() -> Overfit {
    Overfit {
        facts: facts(),
        cannot: None,
        points: 2,
        distinct: 2,
        steps: 60,
        train_accuracy: Some(1.0),
        eval_accuracy: Some(1.0),
        train_loss: 0.098,
        eval_loss: 0.098,
        first_loss: 2.3,
        peak: 2.3,
        constant_loss: None,
        least_loss: 0.0,
        best_accuracy: 1.0,
        curve: vec![2.3, 1.5, 0.8, 0.3, 0.098],
        last_operator: Some("linear".to_owned()),
    }
}

pub(crate) fn parameter(name: &str, shape: &[usize]) -> Parameter {
    Parameter { name: name.to_owned(), shape: shape.to_vec(), trainable: true, frozen: false, used: true }
}

/// One watched step in which every parameter moves by `ratio` of its norm 10.
pub(crate) fn step(loss: f64, ratios: &[f64]) -> Step {
    Step {
        loss,
        terms: Vec::new(),
        watched: Some(Watched {
            gradient_norm: ratios.iter().map(|_| Some(1.0)).collect(),
            update_ratio: ratios.iter().map(|&r| Some(r)).collect(),
            update_norm: ratios.iter().map(|r| r * 10.0).collect(),
            whole_update_ratio: ratios.iter().copied().reduce(f64::max),
            activations: Vec::new(),
            non_finite: None,
        }),
    }
}

/// A sound training of two linear layers: loss from 2.3 down, every ratio `ratio`.
pub(crate) fn trace(steps: usize, ratio: f64) -> Trace {
    let layer = |name: &str, operator: &str| LayerSeen { name: name.to_owned(), operator: operator.to_owned() };
    Trace {
        facts: facts(),
        parameters: vec![
            parameter("head.bias", &[10]),
            parameter("head.weight", &[10, 32]),
            parameter("hidden.bias", &[32]),
            parameter("hidden.weight", &[32, 64]),
        ],
        layers: vec![layer("hidden", "linear"), layer("hidden.relu", "relu"), layer("head", "linear")],
        unregistered: Vec::new(),
        terms: Vec::new(),
        steps: (0..steps).map(|i| step(falling(i), &[ratio; 4])).collect(),
    }
}

/// A loss that falls from 2.3 to 0.3.
fn falling(step: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "steps are few")]
    let step = step as f64;
    0.3 + 2.0 * (-step / 30.0).exp()
}

/// Every step of a trace changed in the same way.
pub(crate) fn each_step(mut trace: Trace, change: impl Fn(usize, &mut Step, &mut Watched)) -> Trace {
    for (i, step) in trace.steps.iter_mut().enumerate() {
        let mut watched = step.watched.take().expect("fixtures watch every step");
        change(i, step, &mut watched);
        step.watched = Some(watched);
    }
    trace
}

/// Losses alone, as an unwatched trace has them.
pub(crate) fn losses(losses: &[f64]) -> Trace {
    let steps = losses.iter().map(|&loss| Step { loss, terms: Vec::new(), watched: None }).collect();
    Trace { steps, ..trace(0, 0.0) }
}

pub(crate) fn bad_at(step: usize, place: &NonFinite, trace: Trace) -> Trace {
    each_step(trace, |i, _, watched| {
        if i >= step {
            watched.non_finite = Some(place.clone());
        }
    })
}

/// What a check makes of seeds that all measure the same.
pub(crate) struct Outcome {
    pub judged: Judged,
    pub causes: Vec<&'static str>,
    pub help: String,
    pub remark: Option<String>,
}

pub(crate) fn outcome(check: &dyn Check, subject: &Subject, settings: &Settings, taken: &[Measurement]) -> Outcome {
    let context = Context { subject, settings };
    let effort = Effort { seeds: 2, max_seeds: 2, confidence: 0.99 };
    let seeds = vec![taken.to_vec(); 2];
    let samples: Vec<Sample> = seeds.iter().map(|seed| check.sample(&context, seed)).collect();
    let rule = match check.info().rule {
        // Two equal seeds do not pass it; one seed decides by itself.
        crate::judge::Rule::Proportion => Effort { seeds: 1, max_seeds: 1, ..effort },
        _ => effort,
    };
    let Look::Decided(judged) = judge(check.info().rule, &samples, &rule) else { panic!("equal seeds decide") };
    let judged = *judged;
    let causes = check.diagnose(&context, &judged, &seeds);
    for cause in &causes {
        assert!(check.info().causes.iter().any(|c| c.id == cause.id), "{} is not in the check's list", cause.id);
    }
    let help = causes.iter().map(|c| c.help.as_str()).collect::<Vec<_>>().join("\n");
    let remark = check.remark(&context, &judged, &seeds);
    Outcome { judged, causes: causes.into_iter().map(|c| c.id).collect(), help, remark }
}

/// A layer of 32 units without anything odd about it.
pub(crate) fn unit_layer(name: &str, operator: &str, has_parameters: bool) -> UnitLayer {
    UnitLayer {
        name: name.to_owned(),
        operator: operator.to_owned(),
        has_parameters,
        units: 32,
        mean: 0.0,
        std: 1.0,
        zero_fraction: 0.0,
        dead: 0.0,
        spread: 1.0,
        plateau: None,
    }
}

/// These layers over 1,024 rows.
pub(crate) fn units(layers: &[UnitLayer]) -> Units {
    Units { facts: facts(), cannot: None, rows: 1024, layers: layers.to_vec() }
}
