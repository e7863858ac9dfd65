//! Real data, held against numbers that were worked out with numpy.

use std::path::PathBuf;

use super::*;
use crate::diagnostic::Located;
use crate::spec::data::{Normalize, Split, Synthetic};

fn project_csv(file: &str, target: &str) -> Data {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/projects").join(file);
    Data {
        split: Split { at: 1.0, file_order: false },
        ..Data::of(DataSource::Csv {
            path: Located::new(path, 0..1),
            target: Located::new(vec![target.to_owned()], 0..1),
            inputs: None,
        })
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
    let data = load(&digits(), Task::Multiclass, Dtype::Float64).unwrap();
    let counts: Vec<usize> = data.facts.priors.iter().map(|p| (p * 1797.0).round() as usize).collect();
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    assert_eq!((data.facts.examples, data.facts.classes), (1797, Some(10)));
    assert!(close(data.facts.prior_entropy().unwrap(), closed_form("digits_label_entropy")));
    assert_eq!((data.facts.target_mean, data.facts.target_variance), (None, None));
    // The mean of all pixels as numpy's `X.mean()` says.
    assert!(close(data.facts.input_mean.unwrap(), 4.884_164_579_855_314), "{:?}", data.facts.input_mean);
    assert_eq!(data.facts.input_max_abs, Some(16.0));
}

#[test]
fn diabetes_has_the_mean_and_variance_that_numpy_says() {
    let data =
        load(&project_csv("regression/data/diabetes.csv", "progression"), Task::Regression, Dtype::Float64).unwrap();
    let (mean, variance) = (data.facts.target_mean.unwrap(), data.facts.target_variance.unwrap());
    assert!(close(variance, closed_form("diabetes_mean_predictor_mse")));
    assert!(close(mean * mean + variance, closed_form("diabetes_zero_predictor_mse")));
    assert_eq!((data.facts.classes, data.facts.priors.len()), (None, 0));
}

#[test]
fn breast_cancer_has_the_entropy_and_majority_that_numpy_says() {
    let data = load(&project_csv("binary/data/breast_cancer.csv", "benign"), Task::Binary, Dtype::Float64).unwrap();
    assert!(close(data.facts.prior_entropy().unwrap(), closed_form("breast_cancer_label_entropy")));
    assert!(close(data.facts.priors[1], closed_form("breast_cancer_majority_accuracy")));
}

#[test]
fn scale_and_take_give_the_pixels_of_the_first_rows() {
    let mut spec = digits();
    spec.scale = Some(0.0625);
    spec.take = Some(64);
    spec.shape = Some(Located::new(vec![1, 8, 8], 0..1));
    let data = load(&spec, Task::Multiclass, Dtype::Float64).unwrap();
    assert_eq!((data.train.len(), data.shape()), (64, &[1, 8, 8][..]));
    let pixels: Vec<f64> = (0..6).map(|i| data.inputs[0].values.at(i)).collect();
    assert_eq!(pixels, [0.0, 0.0, 0.3125, 0.8125, 0.5625, 0.0625]);
    assert_eq!(data.facts.input_max_abs, Some(1.0));
}

#[test]
fn statistics_come_from_the_training_share_alone() {
    let mut spec = project_csv("regression/data/diabetes.csv", "progression");
    spec.split.at = 0.8;
    spec.normalize = Some(Normalize::Standard);
    spec.normalize_target = Some(Normalize::Minmax);
    let data = load(&spec, Task::Regression, Dtype::Float64).unwrap();
    let validation = data.validation.as_ref().unwrap();
    assert_eq!((data.facts.examples, data.facts.validation_examples), (354, 88));
    let x = &data.inputs[0];
    let moments = |rows: &[usize], column: usize| {
        let numbers = || rows.iter().map(|row| x.values.at(row * x.row_len() + column));
        let mean = numbers().sum::<f64>() / rows.len() as f64;
        (mean, numbers().map(|v| (v - mean) * (v - mean)).sum::<f64>() / rows.len() as f64)
    };
    for column in 0..x.row_len() {
        let (mean, variance) = moments(&data.train, column);
        assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-12);
        assert!(moments(validation, column).0.abs() > 1e-6);
    }
    let targets = || data.train.iter().map(|&row| data.targets[0].values.at(row));
    assert_eq!((targets().fold(1.0, f64::min), targets().fold(0.0, f64::max)), (0.0, 1.0));
    assert!(data.facts.input_mean.unwrap().abs() < 1e-12 && (data.facts.input_std.unwrap() - 1.0).abs() < 1e-12);
}

#[test]
fn a_split_names_every_row_once_and_moves_none() {
    let whole = load(&digits(), Task::Multiclass, Dtype::Float64).unwrap();
    let mut spec = digits();
    spec.split.at = 0.8;
    let data = load(&spec, Task::Multiclass, Dtype::Float64).unwrap();
    assert_eq!((&data.inputs, &data.targets), (&whole.inputs, &whole.targets));
    let mut both = data.train.clone();
    both.extend(data.validation.as_ref().unwrap());
    assert_ne!(both, whole.train);
    both.sort_unstable();
    assert_eq!(both, whole.train);
    assert_eq!(data.facts.examples, 1438);
    assert!(data.facts.priors.iter().zip(&whole.facts.priors).all(|(a, b)| (a - b).abs() < 1.0 / 1438.0));
}

#[test]
fn synthetic_data_is_always_the_same() {
    let made_up = Synthetic { inputs: vec![3, 4, 4], classes: Some(10), examples: 100, ..Synthetic::default() };
    let mut spec = digits();
    spec.source = DataSource::Synthetic(Located::new(made_up, 0..1));
    spec.split.at = 0.8;
    let data = load(&spec, Task::Multiclass, Dtype::Float64).unwrap();
    assert_eq!(data, load(&spec, Task::Multiclass, Dtype::Float64).unwrap());
    assert_eq!((data.inputs[0].whole_shape(), data.train.len()), (vec![100, 3, 4, 4], 80));
    assert_eq!(data.facts.priors, [0.1; 10]);
    assert_eq!(peek(&spec, Task::Multiclass).unwrap(), Some(Peek { shape: vec![3, 4, 4], columns: vec![] }));
    spec.take = Some(50);
    assert_eq!(load(&spec, Task::Multiclass, Dtype::Float64).unwrap().facts.examples, 40);
    assert!(load(&spec, Task::Regression, Dtype::Float64).is_err());
}

#[test]
fn made_up_tokens_stay_tokens_and_are_told_by_the_next_one() {
    let made_up = Synthetic { tokens: Some(7), length: Some(5), examples: 100, ..Synthetic::default() };
    let mut spec = digits();
    spec.source = DataSource::Synthetic(Located::new(made_up, 0..1));
    let data = load(&spec, Task::Multiclass, Dtype::Float32).unwrap();
    assert_eq!((data.inputs[0].whole_shape(), data.targets[0].whole_shape()), (vec![100, 5], vec![100, 5]));
    assert!(data.inputs[0].values.is_ids() && data.targets[0].values.is_ids());
    assert_eq!((data.facts.classes, data.facts.input_mean, data.facts.input_max_abs), (Some(7), None, None));
    assert!((data.facts.priors.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    spec.take = Some(10);
    assert_eq!(load(&spec, Task::Multiclass, Dtype::Float32).unwrap().facts.examples, 10);
    assert!(load(&spec, Task::Regression, Dtype::Float32).is_err());
}

fn array(name: &str, rows: usize, shape: &[usize], values: Values) -> Array {
    Array { name: name.to_owned(), rows, shape: shape.to_vec(), values }
}

#[test]
fn arrays_of_a_function_are_prepared_alike() {
    let mut spec = Data::of(DataSource::None);
    spec.split.at = 0.5;
    let ids = || array("ids", 4, &[2], Values::I64(vec![1, 2, 3, 4, 5, 6, 7, 8]));
    let mask = || array("mask", 4, &[2], Values::F64(vec![0.5; 8]));
    let label = || array("label", 4, &[], Values::I64(vec![0, 1, 0, 1]));
    let box_ = || array("box", 4, &[], Values::F64(vec![0.0, 1.0, 2.0, 3.0]));
    let data =
        assemble(&spec, Task::Multiclass, Dtype::Float32, vec![ids(), mask()], vec![label(), box_()], None).unwrap();
    assert_eq!(data.inputs[1].values, Values::F32(vec![0.5; 8]));
    assert_eq!((&data.inputs[0], &data.targets[0]), (&ids(), &label()));
    assert_eq!((data.targets[1].shape.as_slice(), data.train.len()), (&[1][..], 2));

    let refused =
        |inputs, targets| assemble(&spec, Task::Multiclass, Dtype::Float32, inputs, targets, None).unwrap_err().message;
    assert_eq!(
        refused(vec![ids()], vec![array("y", 3, &[], Values::I64(vec![0, 1, 0]))]),
        "the target `y` has 3 rows, but the input `ids` has 4"
    );
    assert_eq!(
        refused(vec![array("x", 4, &[3], Values::F64(vec![0.0; 8]))], vec![label()]),
        "the input `x` of shape [4, 3] holds 8 numbers"
    );
    assert_eq!(refused(vec![], vec![label()]), "data needs at least one input and one target");
    let nan = array("x", 4, &[1], Values::F32(vec![0.0, 0.0, f32::NAN, 0.0]));
    assert_eq!(refused(vec![nan], vec![label()]), "the input `x` holds NaN in row 2 (rows count from 0)");
    let bad = array("label", 4, &[], Values::I64(vec![0, 1, -1, 1]));
    assert_eq!(refused(vec![ids()], vec![bad]), "the label -1 is negative, in row 2 of `label` (rows count from 0)");
}

#[test]
fn integers_become_quantities_where_scale_says_so() {
    let spec = Data { scale: Some(0.5), ..Data::of(DataSource::None) };
    let x = || array("x", 4, &[1], Values::I64(vec![2, 4, 6, 8]));
    let y = || array("y", 4, &[], Values::I64(vec![0, 1, 0, 1]));
    let data = assemble(&spec, Task::Multiclass, Dtype::Float32, vec![x()], vec![y()], None).unwrap();
    assert_eq!(data.inputs[0].values, Values::F32(vec![1.0, 2.0, 3.0, 4.0]));
    let error = assemble(&spec, Task::Multiclass, Dtype::Float32, vec![x(), x()], vec![y()], None).unwrap_err();
    assert_eq!(error.message, "`scale` is for quantities, and all inputs are integers");
}
