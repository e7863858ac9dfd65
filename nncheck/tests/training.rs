//! Losses, optimizers and schedules held against PyTorch, which computed `tests/golden/training.json` (see
//! `tests/golden/make/training.py`): values and gradients, parameters over 100 steps, rates over 100 steps.

use std::path::PathBuf;

use nncheck::subject::{LossFunction, Optimizer};
use nncheck::{Batch, Bindings, Optimize, Outputs};
use nncheck_core::spec::Subject;
use nncheck_core::spec::schedule::Course;
use nncheck_core::suite::{Overrides, from_texts};
use serde_json::Value;
use tch::{Kind, Reduction, Tensor};

/// How far two float64 computations of the same may be apart.
const CLOSE: f64 = 1e-9;

fn golden() -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/training.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// A subject with this loss, or this optimizer.
fn subject(loss: &str, optimizer: &str) -> Subject {
    let text = format!(
        "[model]\nbuilder = 'a::b'\n[data]\ncsv = 'd.csv'\ntarget = 'y'\n{optimizer}\n[loss]\n{loss}\n[property.initial_loss]\n"
    );
    let suite = from_texts(&[("training", &text)], &Overrides::default());
    let suite = suite.unwrap_or_else(|errors| panic!("{text}\n{errors:#?}"));
    (*suite.specs[0].subject).clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn shape(value: &Value) -> Vec<i64> {
    value.as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect()
}

fn tensor(values: &Value, size: &[i64]) -> Tensor {
    Tensor::from_slice(&numbers(values)).reshape(size)
}

fn list(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().reshape(-1)).unwrap()
}

/// Relative to the larger one; what is below 1e-6 only absolutely.
#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (f, e)) in found.iter().zip(expected).enumerate() {
        let bound = CLOSE * e.abs().max(1e-6);
        assert!((f - e).abs() <= bound, "{what}, number {index}: {f} instead of {e}");
    }
}

#[test]
fn losses_and_their_gradients_are_pytorchs() {
    let golden = golden();
    let cases = golden["losses"].as_array().unwrap();
    assert!(cases.len() >= 24);
    for case in cases {
        let spec = case["spec"].as_str().unwrap();
        let loss = LossFunction::build(&subject(spec, "").loss, &Bindings::new()).unwrap();
        let output = tensor(&case["output"], &shape(&case["output_shape"])).set_requires_grad(true);
        let mut target = tensor(&case["target"], &shape(&case["target_shape"]));
        if spec.contains("cross_entropy") || spec.contains("nll") {
            target = target.to_kind(Kind::Int64);
        }
        let batch = Batch::new(output.detach(), target);
        let value = loss.losses(&output.shallow_clone().into(), &batch, None).unwrap().total();
        value.backward();
        assert_close(&list(&value), &[case["value"].as_f64().unwrap()], spec);
        assert_close(&list(&output.grad()), &numbers(&case["gradient"]), spec);
    }
}

/// The parameters of the problem by name, in the order of their names.
fn parameters(golden: &Value) -> Vec<(String, Tensor)> {
    let all = golden["problem"]["parameters"].as_object().unwrap();
    let mut all: Vec<(String, Tensor)> = all
        .iter()
        .map(|(name, p)| (name.clone(), tensor(&p["values"], &shape(&p["shape"])).set_requires_grad(true)))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn optimizers_take_pytorchs_steps() {
    let golden = golden();
    let x = tensor(&golden["problem"]["x"], &[8, 3]);
    let y = tensor(&golden["problem"]["y"], &[8, 2]);
    let shown = numbers(&golden["shown"]);
    let cases = golden["optimizers"].as_array().unwrap();
    assert!(cases.len() >= 22);
    for case in cases {
        let spec = case["spec"].as_str().unwrap();
        let accumulate = case["accumulate"].as_i64().unwrap();
        let parameters = parameters(&golden);
        let [(_, ab), (_, aw), (_, bb), (_, bw)] = &parameters[..] else { panic!() };
        let subject = subject("kind = 'mse'", spec);
        let mut optimizer = Optimizer::over(subject.optimizer.as_ref().unwrap().groups(), &parameters, &[]).unwrap();
        let mut expected = case["shown"].as_array().unwrap().iter();
        for step in 0..100 {
            optimizer.zero_grad();
            let rows = 8 / accumulate;
            let mut total = 0.0;
            for part in 0..accumulate {
                let (x, y) = (x.narrow(0, part * rows, rows), y.narrow(0, part * rows, rows));
                let hidden = (x.matmul(&aw.tr()) + ab).tanh();
                let loss = (hidden.matmul(&bw.tr()) + bb).mse_loss(&y, Reduction::Mean) / accumulate;
                loss.backward();
                total += loss.double_value(&[]);
            }
            optimizer.step();
            optimizer.see_loss(total);
            if shown.contains(&f64::from(step)) {
                let expected = expected.next().unwrap();
                for (name, parameter) in &parameters {
                    let what = format!("{spec}\nafter step {step}, {name}");
                    assert_close(&list(parameter), &numbers(&expected[name]), &what);
                }
            }
        }
        assert!(expected.next().is_none());
    }
}

#[test]
fn schedules_have_pytorchs_rates() {
    let golden = golden();
    let losses = numbers(&golden["schedules"]["losses"]);
    let cases = golden["schedules"]["cases"].as_array().unwrap();
    assert!(cases.len() >= 19);
    for case in cases {
        let spec = case["spec"].as_str().unwrap();
        let optimizer = format!("[optimizer]\nkind = 'sgd'\nlr = 0.1\nmomentum = 0.9\nschedule = {{ {spec} }}");
        let subject = subject("kind = 'mse'", &optimizer);
        let group = &subject.optimizer.as_ref().unwrap().groups()[0];
        let mut course = Course::new(group.schedule.as_ref(), group.kind.lr());
        let (mut rates, mut momenta) = (Vec::new(), Vec::new());
        for loss in &losses {
            rates.push(course.lr());
            momenta.push(course.momentum().unwrap_or(0.9));
            course.advance();
            course.see(*loss);
        }
        assert_close(&rates, &numbers(&case["lr"]), spec);
        assert_close(&momenta, &numbers(&case["momentum"]), &format!("the momentum of {spec}"));
    }
}

#[test]
fn a_cycle_stays_at_its_last_rate() {
    let text = "[optimizer]\nkind = 'sgd'\nlr = 0.1\nschedule = { kind = 'one_cycle', steps = 10 }";
    let subject = subject("kind = 'mse'", text);
    let group = &subject.optimizer.as_ref().unwrap().groups()[0];
    let schedule = group.schedule.as_ref().unwrap();
    let last = 0.1 / 25.0 / 1e4;
    assert_close(&[schedule.lr_at(0.1, 9), schedule.lr_at(0.1, 500)], &[last, last], "after the cycle");
}

#[test]
fn gradients_are_taken_away_and_not_set_to_zero() {
    let subject = subject("kind = 'mse'", "[optimizer]\nkind = 'adam'\nlr = 0.1");
    let parameter = Tensor::ones([2], (Kind::Double, tch::Device::Cpu)).set_requires_grad(true);
    let parameters = [("p".to_owned(), parameter.shallow_clone())];
    let mut optimizer = Optimizer::over(subject.optimizer.as_ref().unwrap().groups(), &parameters, &[]).unwrap();
    parameter.square().sum(Kind::Double).backward();
    optimizer.step();
    let moved = list(&parameter);
    optimizer.zero_grad();
    assert!(!parameter.grad().defined());
    // Without a gradient the moments of the step before move nothing.
    optimizer.step();
    assert_close(&list(&parameter), &moved, "without a gradient");
}

fn refused(optimizer: &str, frozen: &[&str]) -> String {
    let subject = subject("kind = 'mse'", optimizer);
    let frozen: Vec<String> = frozen.iter().map(|&name| name.to_owned()).collect();
    let parameters = parameters(&golden());
    match Optimizer::over(subject.optimizer.as_ref().unwrap().groups(), &parameters, &frozen) {
        Ok(_) => "nothing".to_owned(),
        Err(error) => format!("{}; {}", error.cause, error.help.join("; ")),
    }
}

#[test]
fn each_parameter_is_in_exactly_one_group() {
    let groups = |first: &str, second: &str| {
        format!(
            "[[optimizer]]\nname = 'one'\nparams = '{first}'\nkind = 'sgd'\nlr = 0.1\n[[optimizer]]\nparams = '{second}'\nkind = 'sgd'\nlr = 0.1"
        )
    };
    assert_eq!(refused(&groups("a.*", "b.*"), &[]), "nothing");
    let twice = refused(&groups("a.*", "*.weight"), &[]);
    assert!(twice.contains("`a.weight` is in two groups of [[optimizer]]: `one` and number 2"), "{twice}");
    let left = refused(&groups("a.*", "b.bias"), &[]);
    assert!(left.contains("no group of [[optimizer]] has b.weight"), "{left}");
    assert_eq!(refused(&groups("a.*", "b.bias"), &["b.weight"]), "nothing");
    let none = refused(&groups("a.*", "c.*"), &[]);
    assert!(none.contains("`params = \"c.*\"` names no parameter") && none.contains("a.bias, a.weight"), "{none}");
}

/// What is said of an output against a target.
fn said(loss: &str, output: &[i64], target: &Tensor) -> String {
    let loss = LossFunction::build(&subject(loss, "").loss, &Bindings::new()).unwrap();
    let output = Tensor::zeros(output, (Kind::Float, tch::Device::Cpu)) + 2.0;
    let batch = Batch::new(output.shallow_clone(), target.shallow_clone());
    match loss.losses(&Outputs::from(output), &batch, Some(3)) {
        Ok(_) => "nothing".to_owned(),
        Err(error) => format!("{}; {}", error.cause, error.help.join("; ")),
    }
}

#[test]
fn the_classes_lie_on_the_axis_that_is_stated_where_sequences_are_as_long_as_there_are_classes() {
    let output = Tensor::rand([4, 3, 3], (Kind::Double, tch::Device::Cpu));
    let target = Tensor::from_slice(&[0_i64, 1, 2, 2, 1, 0, 1, 1, 1, 0, 0, 2]).reshape([4, 3]);
    let batch = Batch::new(output.shallow_clone(), target.shallow_clone());
    let of = |axis: i64| {
        let loss = format!("kind = 'cross_entropy'\nclass_axis = {axis}");
        let loss = LossFunction::build(&subject(&loss, "").loss, &Bindings::new()).unwrap();
        loss.losses(&Outputs::from(output.shallow_clone()), &batch, Some(3)).unwrap().total().double_value(&[])
    };
    let closed = |axis: i64| -> f64 {
        let logs = output.log_softmax(axis, Kind::Double);
        -logs.gather(axis, &target.unsqueeze(axis), false).mean(Kind::Double).double_value(&[])
    };
    assert!((of(-1) - closed(2)).abs() < 1e-12 && (of(1) - closed(1)).abs() < 1e-12);
    assert!((closed(1) - closed(2)).abs() > 1e-6, "the two axes are to be told apart");
}

#[test]
fn nothing_is_broadcast_and_no_axis_is_guessed() {
    let ids = |size: &[i64]| Tensor::zeros(size, (Kind::Int64, tch::Device::Cpu));
    let real = |size: &[i64]| Tensor::zeros(size, (Kind::Float, tch::Device::Cpu));
    let ce = "kind = 'cross_entropy'";
    assert_eq!(said(ce, &[4, 3], &ids(&[4])), "nothing");
    assert_eq!(said(ce, &[4, 5, 3], &ids(&[4, 5])), "nothing");
    assert!(said(ce, &[4, 3, 3], &ids(&[4, 3])).contains("either of two axes could be the classes"));
    let last = "kind = 'cross_entropy'\nclass_axis = -1";
    assert_eq!(said(last, &[4, 3, 3], &ids(&[4, 3])), "nothing");
    assert_eq!(said(last, &[4, 3], &ids(&[4])), "nothing");
    assert_eq!(said(last, &[4, 2, 2, 3], &ids(&[4, 2, 2])), "nothing");
    assert!(said(last, &[4, 3, 5], &ids(&[4, 5])).contains("`class_axis = -1` in [loss]"));
    assert!(said(ce, &[4, 6, 7], &ids(&[4, 5])).contains("wants [4, classes, 5]"));
    assert!(said(ce, &[4, 3, 1], &ids(&[4])).contains("put `flatten` before the last layer"));
    assert!(said(ce, &[4, 2], &ids(&[4])).contains("the data has 3 classes"));
    assert!(said(ce, &[4, 3], &real(&[4])).contains("wants class ids"));
    let weighted = "kind = 'cross_entropy'\nclass_weights = [1, 2]";
    assert!(said(weighted, &[4, 3], &ids(&[4])).contains("`class_weights` has 2 numbers"));
    assert!(said("kind = 'mse'", &[4, 3], &real(&[4, 1])).contains("as many outputs as targets"));
    assert!(said("kind = 'mse'", &[4, 1], &real(&[1, 4])).contains("as many outputs as targets"));
    assert!(said("kind = 'bce'", &[4, 1], &real(&[4])).contains("outside [0, 1]"));
    assert!(said("kind = 'mse'\noutput = 'box'", &[4, 1], &real(&[4])).contains("puts out no output `box`"));
}

#[test]
fn terms_are_told_unweighted_and_summed_with_their_weights() {
    let text = "[model]\nbuilder = 'a::b'\n[data]\ncsv = 'd.csv'\ntarget = 'y'\n[[loss]]\nname = 'class'\nkind = 'cross_entropy'\noutput = 'logits'\ntarget = 'label'\nweight = 0.5\n[[loss]]\nkind = 'mse'\noutput = 'box'\ntarget = 'at'\nweight = 3.0\n[[loss]]\nname = 'own'\nfunction = 'a::own'\noutput = 'box'\ntarget = 'at'\n[property.initial_loss]\n";
    let suite = from_texts(&[("terms", text)], &Overrides::default()).unwrap_or_else(|e| panic!("{e:#?}"));
    let bindings = Bindings::new().loss("a::own", |output: &Tensor, target: &Tensor| (output - target).abs().max());
    let loss = LossFunction::build(&suite.specs[0].subject.loss, &bindings).unwrap();
    let double = (Kind::Double, tch::Device::Cpu);
    let outputs =
        Outputs::new().with("box", Tensor::ones([2, 1], double)).with("logits", Tensor::zeros([2, 4], double));
    let batch = Batch::of(
        [("x", Tensor::zeros([2, 1], double))].into_iter().collect(),
        [("at", Tensor::from_slice(&[3.0, 1.0]).reshape([2, 1])), ("label", Tensor::from_slice(&[0_i64, 3]))]
            .into_iter()
            .collect(),
    );
    let losses = loss.losses(&outputs, &batch, None).unwrap();
    let terms: Vec<(&str, f64)> = losses.terms().iter().map(|t| (t.name.as_str(), t.value.double_value(&[]))).collect();
    let [("class", class), ("mse", mse), ("own", own)] = terms[..] else { panic!("{terms:?}") };
    assert_close(&[class, mse, own], &[4f64.ln(), 2.0, 2.0], "the terms");
    assert_close(&list(&losses.total()), &[0.5 * 4f64.ln() + 3.0 * 2.0 + 2.0], "the sum");
}
