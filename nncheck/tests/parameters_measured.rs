//! Parameters, batch norm's statistics and dropout as they are measured, held against closed forms.

use std::sync::{Mutex, MutexGuard, PoisonError};

use nncheck::measure::{Job, measure};
use nncheck::subject::Tensors;
use nncheck::{Bindings, Dataset};
use nncheck_core::measurement::dropout::{DropoutAsk, Dropouts};
use nncheck_core::measurement::normalisation::{Normalisation, NormalisationAsk};
use nncheck_core::measurement::weights::{Weights, WeightsAsk};
use nncheck_core::measurement::{Measurement, Request, Taken};
use nncheck_core::suite::{Overrides, from_texts};
use tch::{Device, Kind, Tensor};

/// How far two float64 computations of the same may be apart.
#[track_caller]
fn assert_close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs() + 1e-12, "{found} instead of {expected}");
}

/// libtorch's generator is one for all threads, and so for all tests here.
fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// 64 rows of two columns whose statistics are easily told: 0 to 63, and twice that less 20.
fn rows() -> Tensor {
    let first = Tensor::arange(64, (Kind::Double, Device::Cpu));
    Tensor::stack(&[first.shallow_clone(), first * 2.0 - 20.0], 1)
}

fn measured<T: Taken + Clone>(layers: &str, request: &Request) -> T {
    let text = format!(
        "[model]\nlayers = [{layers}]\n[data]\nfunction = 'a::data'\nclasses = 2\nsplit = 1.0\nbatch = 64\n\
         [loss]\nkind = 'cross_entropy'\n[run]\ndtype = 'float64'\n[property.initial_loss]\n"
    );
    let suite = from_texts(&[("measured", &text)], &Overrides::default());
    let suite = suite.unwrap_or_else(|errors| panic!("{text}\n{errors:#?}"));
    let bindings = Bindings::new()
        .data("a::data", || Dataset::new(rows(), Tensor::arange(64, (Kind::Int64, Device::Cpu)).remainder(2)));
    let subject = &suite.specs[0].subject;
    let data = Tensors::load(subject, &bindings).unwrap();
    let parts = [request.clone()];
    let job = Job { request, parts: &parts, seed: 3 };
    let mut found: Option<Measurement> = None;
    measure(subject, &data, &bindings, job, &mut || (), &mut |_, part| found = Some(part.unwrap())).unwrap();
    found.unwrap().get::<T>().unwrap().clone()
}

#[test]
fn running_statistics_before_training_are_off_by_those_of_the_data() {
    let _turn = alone();
    let layers = "{ batch_norm1d = { momentum = 0.25 } }, { linear = { out = 2 } }";
    let seen: Normalisation = measured(layers, &NormalisationAsk { after: 0, batches: 4 }.into());
    let [layer] = &seen.layers[..] else { panic!("{seen:?}") };
    assert_eq!(layer.layer, "0");
    assert_close(layer.momentum, 0.25);
    // Each batch is all rows. Of 0 to n - 1 the mean is (n - 1)/2 and the variance (divisor n - 1) n (n + 1)/12.
    let (n, mean): (f64, f64) = (64.0, 31.5);
    let variance = n * (n + 1.0) / 12.0;
    let eps = 1e-5;
    let (second_mean, second_variance) = (2.0 * mean - 20.0, 4.0 * variance + eps);
    let variance = variance + eps;
    let off = f64::midpoint(mean * mean / variance, second_mean * second_mean / second_variance).sqrt();
    assert_close(layer.mean_off.unwrap(), off);
    // The running variance begins at 1.
    assert_close(
        layer.variance_off.unwrap(),
        f64::midpoint((variance / (1.0 + eps)).ln(), (second_variance / (1.0 + eps)).ln()).exp(),
    );
    assert!(layer.batch_noise.unwrap() < 1e-9, "{layer:?}");
}

#[test]
fn parameters_have_the_numbers_of_their_initialiser() {
    let _turn = alone();
    let layers =
        "{ linear = { out = 3 }, init = { weight = { constant = 0.5 }, bias = \"zeros\" } }, { linear = { out = 2 } }";
    let seen: Weights = measured(layers, &WeightsAsk { after: 0 }.into());
    let tensor = |name: &str| seen.tensors.iter().find(|t| t.parameter == name).unwrap();
    let first = tensor("0.weight");
    assert_close(first.norm, 0.5 * 6f64.sqrt());
    assert_close(first.mean, 0.5);
    assert_close(first.std, 0.0);
    assert_eq!((first.twins, first.shape.as_slice()), (3, &[3, 2][..]));
    assert_eq!(first.ordered, [0.5; 6]);
    let second = tensor("1.weight");
    assert_eq!(second.twins, 0);
    assert!(second.ordered.iter().all(|w| w.abs() <= 1.0 / 3f64.sqrt()) & second.ordered.is_sorted());
    assert_close(tensor("0.bias").norm, 0.0);
}

#[test]
fn dropout_is_seen_with_its_rate_and_rests_in_eval_mode() {
    let _turn = alone();
    let layers = "{ linear = { out = 400 } }, \"tanh\", { dropout = { p = 0.25 } }, { linear = { out = 64 } }, \"batch_norm1d\", { linear = { out = 2 } }";
    let seen: Dropouts = measured(layers, &DropoutAsk { rows: 64 }.into());
    let [layer] = &seen.layers[..] else { panic!("{seen:?}") };
    assert_eq!((layer.entries, seen.in_eval.len(), seen.cannot.clone()), (64 * 400, 0, None));
    // Six standard deviations of four passes.
    assert!((layer.rate() - 0.25).abs() < 6.0 * (0.25 * 0.75 / (4.0 * 25_600.0_f64)).sqrt(), "{layer:?}");
    assert!((layer.kept() - 1.0).abs() < 0.02, "{layer:?}");
    let [shift] = &seen.shifts[..] else { panic!("{seen:?}") };
    assert!(shift.on / shift.off > 1.0, "{shift:?}");
}

#[test]
fn no_dropout_is_seen_where_there_is_none() {
    let _turn = alone();
    let seen: Dropouts =
        measured("{ linear = { out = 40 } }, \"relu\", { linear = { out = 2 } }", &DropoutAsk { rows: 64 }.into());
    assert_eq!(seen.layers, []);
}
