use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    task: String,
    #[serde(default)]
    classes: usize,
    #[serde(default)]
    k: usize,
    #[serde(default)]
    columns: usize,
    #[serde(default)]
    scores: Vec<f64>,
    #[serde(default)]
    logits: Vec<f64>,
    #[serde(default)]
    labels: Vec<serde_json::Value>,
    #[serde(default)]
    predicted: Vec<f64>,
    #[serde(default)]
    actual: Vec<f64>,
    metrics: serde_json::Map<String, serde_json::Value>,
}

fn predictions(case: &Case) -> Predictions {
    let (predicted, actual) = (case.predicted.clone(), case.actual.clone());
    match case.task.as_str() {
        "classes" => Predictions::Classes {
            classes: case.classes,
            scores: case.scores.clone(),
            labels: case.labels.iter().map(|l| usize::try_from(l.as_u64().unwrap()).unwrap()).collect(),
        },
        "binary" => Predictions::Binary {
            logits: case.logits.clone(),
            labels: case.labels.iter().map(|l| l.as_bool().unwrap()).collect(),
        },
        _ => Predictions::Numbers { columns: case.columns, predicted, actual },
    }
}

#[test]
fn every_metric_is_numpys_of_its_definition() {
    let text = include_str!("../../tests/golden/metrics.json");
    let cases: Vec<Case> = serde_json::from_str(text).unwrap();
    let mut seen = 0;
    for case in &cases {
        for (name, expected) in &case.metrics {
            let metric: Metric = serde_json::from_value(name.clone().into()).unwrap();
            let (value, expected) = (predictions(case).measure(metric, case.k).unwrap(), expected.as_f64().unwrap());
            assert!((value - expected).abs() <= 1e-9 * expected.abs() + 1e-12, "{name}: {value} {expected}");
            seen += 1;
        }
    }
    assert_eq!(seen, 24);
}

#[test]
fn who_knows_only_the_shares_says_the_commonest_class_and_the_mean() {
    let classes = |labels: Vec<usize>| Predictions::Classes { classes: 3, scores: vec![0.0; 3 * labels.len()], labels };
    let ignorant = classes(vec![0, 1, 2, 1]).ignorant(&classes(vec![1, 1, 1, 0]));
    assert_eq!(ignorant.measure(Metric::Accuracy, 1), Ok(0.5));
    let numbers = |actual: Vec<f64>| Predictions::Numbers { columns: 2, predicted: vec![0.0; actual.len()], actual };
    let ignorant = numbers(vec![1.0, 10.0, 3.0, 30.0]).ignorant(&numbers(vec![0.0, 10.0, 4.0, 30.0]));
    let Predictions::Numbers { predicted, .. } = &ignorant else { panic!() };
    assert_eq!(predicted, &[2.0, 20.0, 2.0, 20.0]);
    assert_eq!(ignorant.measure(Metric::R2, 1), Ok(0.0));
    let binary = |labels: Vec<bool>| Predictions::Binary { logits: vec![0.0; labels.len()], labels };
    let ignorant = binary(vec![true, false, true]).ignorant(&binary(vec![true, true, true, false]));
    assert!((ignorant.measure(Metric::Accuracy, 1).unwrap() - 2.0 / 3.0).abs() < 1e-15);
    assert_eq!(ignorant.measure(Metric::Auc, 1), Ok(0.5));
}

#[test]
fn what_does_not_exist_is_said_and_never_made_up() {
    let one_class = Predictions::Binary { logits: vec![1.0, 2.0], labels: vec![true, true] };
    assert!(one_class.measure(Metric::Auc, 1).unwrap_err().contains("one class"));
    assert!(one_class.measure(Metric::Rmse, 1).unwrap_err().contains("of numbers"));
    let level = Predictions::Numbers { columns: 1, predicted: vec![1.0, 2.0], actual: vec![3.0, 3.0] };
    assert!(level.measure(Metric::R2, 1).unwrap_err().contains("equal"));
    assert!(level.measure(Metric::Accuracy, 1).unwrap_err().contains("use r2"));
    let none = Predictions::Binary { logits: vec![], labels: vec![] };
    assert!(none.measure(Metric::Accuracy, 1).is_err());
}

#[test]
fn a_metric_of_outputs_that_are_no_numbers_is_none_either() {
    let wild = Predictions::Classes { classes: 2, scores: vec![0.0, 1.0, f64::NAN, f64::NAN], labels: vec![0, 0] };
    for metric in [Metric::Accuracy, Metric::TopK, Metric::Perplexity] {
        assert!(wild.measure(metric, 1).unwrap().is_nan());
    }
    let wild = Predictions::Binary { logits: vec![f64::NAN], labels: vec![false] };
    assert!(wild.measure(Metric::Accuracy, 1).unwrap().is_nan());
}

#[test]
fn ties_are_no_hits_for_all() {
    // scikit-learn's top_k_accuracy_score([0, 1, 2], zeros, k=1): the last of equals comes first.
    let level = Predictions::Classes { classes: 3, scores: vec![0.0; 9], labels: vec![0, 1, 2] };
    assert_eq!(level.measure(Metric::TopK, 1), Ok(1.0 / 3.0));
    assert_eq!(level.measure(Metric::TopK, 3), Ok(1.0));
}

#[test]
fn batches_join_only_where_they_fit() {
    let of = |columns| Predictions::Numbers { columns, predicted: vec![0.0; columns], actual: vec![0.0; columns] };
    let mut all = of(2);
    assert!(all.join(of(2)).is_ok() && all.join(of(3)).is_err());
    assert_eq!(all.len(), 4);
}
