use ndarray::{ArrayD, IxDyn};
use serde::Deserialize;

use super::*;

/// A value of PyTorch's: see `tests/golden/make/loss_reference.py`.
#[derive(Deserialize)]
struct Golden {
    kind: LossKind,
    shape: Vec<usize>,
    output: Vec<f64>,
    target_shape: Vec<usize>,
    ids: Option<Vec<i64>>,
    values: Option<Vec<f64>>,
    options: Options,
    value: f64,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    reduction: String,
    weight: Option<Vec<f64>>,
    ignore_index: i64,
    label_smoothing: f64,
    delta: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { reduction: "mean".to_owned(), weight: None, ignore_index: -100, label_smoothing: 0.0, delta: 1.0 }
    }
}

fn array(shape: &[usize], values: &[f64]) -> ArrayD<f64> {
    ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap()
}

fn ids(values: &[i64]) -> Target {
    Target::Ids(ArrayD::from_shape_vec(IxDyn(&[values.len()]), values.to_vec()).unwrap())
}

#[test]
fn the_reference_is_pytorch_with_every_option() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/loss_reference.json");
    let cases: Vec<Golden> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let reference = Reference {
            kind: case.kind,
            sum: case.options.reduction == "sum",
            class_weights: case.options.weight,
            class_axis: None,
            ignore_index: case.options.ignore_index,
            label_smoothing: case.options.label_smoothing,
            delta: case.options.delta,
        };
        let target = match (&case.ids, &case.values) {
            (Some(ids), _) => Target::Ids(ArrayD::from_shape_vec(IxDyn(&case.target_shape), ids.clone()).unwrap()),
            (None, values) => Target::Values(array(&case.target_shape, values.as_ref().unwrap())),
        };
        let seen = reference.loss(&array(&case.shape, &case.output), &target).unwrap();
        assert!((seen - case.value).abs() <= 1e-12 * case.value.abs(), "{reference:?}: {seen} for {}", case.value);
    }
}

#[test]
fn zeros_have_the_closed_form() {
    let target = ids(&[0, 1, 2, 3, 4]);
    let zeros = ArrayD::zeros(IxDyn(&[5, 5]));
    let loss = Reference::new(LossKind::CrossEntropy).loss(&zeros, &target).unwrap();
    assert!((loss - 5f64.ln()).abs() < 1e-15);
}

#[test]
fn shapes_that_do_not_suit_each_other_are_refused_and_never_broadcast() {
    let mse = Reference::new(LossKind::Mse);
    assert!(mse.loss(&array(&[2, 1], &[1.0, 2.0]), &Target::Values(array(&[2], &[1.0, 2.0]))).is_ok());
    assert!(mse.loss(&array(&[2, 2], &[1.0; 4]), &Target::Values(array(&[2], &[1.0, 2.0]))).is_err());
    assert!(Reference::new(LossKind::CrossEntropy).loss(&array(&[2, 2], &[1.0; 4]), &ids(&[0, 2])).is_err());
}

#[test]
fn the_class_axis_is_the_second_else_the_last() {
    assert_eq!(class_axis(&[8, 10], &[8], None), Some(1));
    assert_eq!(class_axis(&[8, 65, 32], &[8, 32], None), Some(1));
    assert_eq!(class_axis(&[8, 32, 65], &[8, 32], None), Some(2));
    assert_eq!(class_axis(&[8, 10], &[10], None), None);
    let square = |stated| class_axis(&[8, 32, 32], &[8, 32], stated);
    assert_eq!(
        (square(None), square(Some(ClassAxis::Second)), square(Some(ClassAxis::Last))),
        (Some(1), Some(1), Some(2))
    );
    assert_eq!(class_axis(&[8, 65, 32], &[8, 32], Some(ClassAxis::Last)), None);
}

#[test]
fn better_outputs_have_a_lower_loss_and_right_ones_next_to_none() {
    let values = Target::Values(array(&[4, 1], &[0.0, 1.0, 1.0, 0.0]));
    for kind in [LossKind::CrossEntropy, LossKind::Nll, LossKind::Bce, LossKind::BceWithLogits, LossKind::Mse] {
        let (shape, target) = match kind.task() {
            Task::Multiclass => ([4, 3], ids(&[0, 2, 1, 1])),
            _ => ([4, 1], values.clone()),
        };
        let tried = try_out(&Reference::new(kind), &shape, &target);
        let loss = |what| {
            let (_, output) = tried.iter().find(|(w, _)| *w == what).unwrap();
            Reference::new(kind).loss(output, &target).unwrap()
        };
        let (zeros, better, right) = (loss(Outputs::Zeros), loss(Outputs::Better), loss(Outputs::Right));
        assert!(zeros > better && better > right && right < 1e-3, "{kind:?}: {zeros} {better} {right}");
    }
}

#[test]
fn mistakes_have_other_values_than_the_loss_on_arbitrary_outputs() {
    for kind in [LossKind::CrossEntropy, LossKind::BceWithLogits, LossKind::Mse, LossKind::L1] {
        let (shape, target) = match kind.task() {
            Task::Multiclass => ([6, 3], ids(&[0, 2, 1, 1, 0, 0])),
            _ => ([6, 1], Target::Values(array(&[6, 1], &[0.0, 1.0, 1.0, 0.0, 1.0, 0.0]))),
        };
        let tried = try_out(&Reference::new(kind), &shape, &target);
        let output = &tried[1].1;
        let right = Reference::new(kind).loss(output, &target).unwrap();
        let wrong = faulty(&Reference::new(kind), output, &target);
        assert!(wrong.len() >= 3);
        for (fault, value) in wrong {
            assert!((value - right).abs() > 0.01 * right.abs(), "{kind:?} {fault:?}: {value} for {right}");
        }
    }
}

#[test]
fn every_output_against_every_target_is_what_broadcasting_makes() {
    let (output, target) = (array(&[2, 1], &[1.0, 3.0]), Target::Values(array(&[2], &[1.0, 2.0])));
    let wrong = faulty(&Reference::new(LossKind::Mse), &output, &target);
    // (1-1)^2, (1-2)^2, (3-1)^2, (3-2)^2 over four.
    assert!(wrong.contains(&(Fault::Broadcast, 1.5)));
}
