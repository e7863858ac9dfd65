//! Real data, held against numbers that were worked out with numpy.

use std::path::PathBuf;

use super::*;
use crate::diagnostic::Located;
use crate::spec::data::{Normalize, Split, Synthetic};

fn project_csv(file: &str, target: &str) -> Data {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/projects").join(file);
    Data {
        source: DataSource::Csv {
            path: Located::new(path, 0..1),
            target: Located::new(vec![target.to_owned()], 0..1),
            inputs: None,
        },
        shape: None,
        scale: 1.0,
        normalize: None,
        normalize_target: None,
        batch: 64,
        shuffle: true,
        split: Split { at: 1.0, file_order: false },
        take: None,
        classes: None,
    }
}

fn digits() -> Data {
    project_csv("digits/data/digits.csv", "label")
}

fn closed_form(name: &str) -> f64 {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/closed_forms.json");
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    json[name].as_f64().unwrap()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs() + 1e-12
}

#[test]
fn digits_have_the_class_counts_and_the_entropy_that_numpy_says() {
    let data = load(&digits(), Task::Multiclass).unwrap();
    let counts: Vec<usize> = data.facts.priors.iter().map(|p| (p * 1797.0).round() as usize).collect();
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    assert_eq!((data.facts.examples, data.facts.classes), (1797, Some(10)));
    assert!(close(data.facts.prior_entropy().unwrap(), closed_form("digits_label_entropy")));
    assert_eq!((data.facts.target_mean, data.facts.target_variance), (None, None));
    // The mean of all pixels as numpy's `X.mean()` says.
    assert!(close(data.facts.input_mean, 4.884_164_579_855_314), "{}", data.facts.input_mean);
    assert_eq!(data.facts.input_max_abs, 16.0);
}

#[test]
fn diabetes_has_the_mean_and_variance_that_numpy_says() {
    let data = load(&project_csv("regression/data/diabetes.csv", "progression"), Task::Regression).unwrap();
    let (mean, variance) = (data.facts.target_mean.unwrap(), data.facts.target_variance.unwrap());
    assert!(close(variance, closed_form("diabetes_mean_predictor_mse")));
    assert!(close(mean * mean + variance, closed_form("diabetes_zero_predictor_mse")));
    assert_eq!((data.facts.classes, data.facts.priors.len()), (None, 0));
}

#[test]
fn breast_cancer_has_the_entropy_and_majority_that_numpy_says() {
    let data = load(&project_csv("binary/data/breast_cancer.csv", "benign"), Task::Binary).unwrap();
    assert!(close(data.facts.prior_entropy().unwrap(), closed_form("breast_cancer_label_entropy")));
    assert!(close(data.facts.priors[1], closed_form("breast_cancer_majority_accuracy")));
}

#[test]
fn scale_and_take_give_the_pixels_of_the_first_rows() {
    let mut spec = digits();
    spec.scale = 0.0625;
    spec.take = Some(64);
    spec.shape = Some(Located::new(vec![1, 8, 8], 0..1));
    let data = load(&spec, Task::Multiclass).unwrap();
    assert_eq!((data.train.len(), data.shape.as_slice()), (64, &[1, 8, 8][..]));
    assert_eq!(
        data.train.x.row(0).iter().take(6).copied().collect::<Vec<_>>(),
        [0.0, 0.0, 0.3125, 0.8125, 0.5625, 0.0625]
    );
    assert_eq!(data.facts.input_max_abs, 1.0);
}

#[test]
fn statistics_come_from_the_training_share_alone() {
    let mut spec = project_csv("regression/data/diabetes.csv", "progression");
    spec.split.at = 0.8;
    spec.normalize = Some(Normalize::Standard);
    spec.normalize_target = Some(Normalize::Minmax);
    let data = load(&spec, Task::Regression).unwrap();
    let validation = data.validation.unwrap();
    assert_eq!((data.facts.examples, data.facts.validation_examples), (354, 88));
    for (train, validation) in data.train.x.columns().into_iter().zip(validation.x.columns()) {
        let (mean, variance) = normalize::mean_and_variance(train.iter().copied());
        assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-12);
        assert!(normalize::mean_and_variance(validation.iter().copied()).0.abs() > 1e-6);
    }
    let Targets::Values(targets) = &data.train.y else { panic!() };
    assert_eq!((targets.iter().copied().fold(1.0, f64::min), targets.iter().copied().fold(0.0, f64::max)), (0.0, 1.0));
    assert!(data.facts.input_mean.abs() < 1e-12 && (data.facts.input_std - 1.0).abs() < 1e-12);
}

#[test]
fn a_split_keeps_inputs_and_labels_together_and_every_row_once() {
    let whole = load(&digits(), Task::Multiclass).unwrap();
    let mut spec = digits();
    spec.split.at = 0.8;
    let data = load(&spec, Task::Multiclass).unwrap();
    let rows = |share: &Share| -> Vec<(Vec<u64>, i64)> {
        let Targets::Classes(ids) = &share.y else { panic!() };
        share.x.rows().into_iter().zip(ids).map(|(x, &y)| (x.iter().map(|v| v.to_bits()).collect(), y)).collect()
    };
    let mut both = rows(&data.train);
    both.extend(rows(data.validation.as_ref().unwrap()));
    let mut all = rows(&whole.train);
    assert_ne!(both, all);
    both.sort();
    all.sort();
    assert_eq!(both, all);
    assert_eq!(data.facts.examples, 1438);
    assert!(data.facts.priors.iter().zip(&whole.facts.priors).all(|(a, b)| (a - b).abs() < 1.0 / 1438.0));
}

#[test]
fn synthetic_data_is_always_the_same() {
    let made_up = Synthetic { inputs: vec![3, 4, 4], classes: Some(10), targets: None, examples: 100 };
    let mut spec = digits();
    spec.source = DataSource::Synthetic(Located::new(made_up, 0..1));
    spec.split.at = 0.8;
    let data = load(&spec, Task::Multiclass).unwrap();
    assert_eq!(data, load(&spec, Task::Multiclass).unwrap());
    assert_eq!((data.shape.as_slice(), data.train.x.dim()), (&[3, 4, 4][..], (80, 48)));
    assert_eq!(data.facts.priors, [0.1; 10]);
    assert_eq!(peek(&spec, Task::Multiclass).unwrap(), Peek { shape: vec![3, 4, 4], inputs: vec![] });
    spec.take = Some(50);
    assert_eq!(load(&spec, Task::Multiclass).unwrap().facts.examples, 40);
    assert!(load(&spec, Task::Regression).is_err());
}
