use super::*;
use crate::data::Values;
use crate::measurement::DataFacts;

const ASK: DataAsk = DataAsk { rows: 1000, neighbours: 5 };

/// One input of `width` features and one label a row; the last fifth validates.
fn dataset(x: Vec<f64>, width: usize, labels: Vec<i64>, k: usize) -> Dataset {
    let rows = labels.len();
    let array = |name: &str, shape: Vec<usize>, values| Array { name: name.to_owned(), rows, shape, values };
    let train = rows - rows / 5;
    Dataset {
        inputs: vec![array("x", vec![width], Values::F64(x))],
        targets: vec![array("y", vec![], Values::I64(labels))],
        train: (0..train).collect(),
        validation: Some((train..rows).collect()),
        facts: DataFacts {
            classes: Some(k),
            examples: train,
            validation_examples: rows - train,
            ..DataFacts::default()
        },
    }
}

fn look(dataset: &Dataset) -> Data {
    audit(dataset, Batches::new(dataset.train.len(), 8, true, 0), &ASK)
}

/// Two features that tell the class, one that is always 3.
fn sound() -> Dataset {
    let of = |row: usize| {
        let (class, noise) = ((row % 2) as f64, ((row * 37) % 100) as f64 / 100.0);
        [class + 0.4 * noise, noise, 3.0]
    };
    dataset((0..200).flat_map(of).collect(), 3, (0..200).map(|row| row % 2).collect(), 2)
}

#[test]
fn features_are_named_by_their_place_and_constant_ones_are_found() {
    let seen = look(&sound());
    assert_eq!((seen.features, &seen.constant[..]), (3, &["x[2]".to_owned()][..]));
    let largest = seen.largest.unwrap();
    assert_eq!((largest.name.as_str(), largest.size), ("x[2]", 3.0));
    let image = Array { name: "x".into(), rows: 0, shape: vec![2, 3, 4], values: Values::F64(vec![]) };
    assert_eq!(feature_name(&image, 12 + 4 + 3), "x[1, 1, 3]");
}

#[test]
fn neighbours_agree_where_labels_belong_and_not_where_they_are_shuffled() {
    assert!(look(&sound()).agreement.unwrap().z > 9.0);
    let mut shuffled = sound();
    shuffled.targets[0].values = Values::I64((0..200_i64).map(|row| (row * row * 7 + row / 3) % 2).collect());
    let z = look(&shuffled).agreement.unwrap().z;
    assert!(z.abs() < 4.0, "{z}");
}

#[test]
fn neighbours_of_numbers_are_near_in_their_targets() {
    let mut numbers = sound();
    numbers.facts.classes = None;
    let Values::F64(x) = numbers.inputs[0].values.clone() else { panic!() };
    numbers.targets[0].values = Values::F64(x.chunks(3).map(|row| row[0] + row[1]).collect());
    let agreement = look(&numbers).agreement.unwrap();
    assert!(agreement.z > 9.0 && agreement.seen < 0.0, "{agreement:?}");
}

#[test]
fn the_nearest_are_those_of_least_distance() {
    // On a line at 0, 1, 3, ...: brute force says who is near.
    let x: Vec<f64> = (0..75).map(|i| f64::from(i * (i + 1) / 2)).collect();
    let line = dataset(x.clone(), 1, (0..75).map(|row| i64::from(row < 30)).collect(), 2);
    let near = |i: usize| {
        let mut others: Vec<usize> = (0..60).filter(|&j| j != i).collect();
        others.sort_by(|&a, &b| (x[a] - x[i]).abs().total_cmp(&(x[b] - x[i]).abs()).then(a.cmp(&b)));
        others[..5].iter().filter(|&&j| (j < 30) == (i < 30)).count()
    };
    let expected = (0..60).map(near).sum::<usize>() as f64 / (5.0 * 60.0);
    assert!((look(&line).agreement.unwrap().seen - expected).abs() < 1e-12);
}

#[test]
fn rows_in_both_shares_are_counted() {
    let mut data = sound();
    assert_eq!(look(&data).in_both, 40, "a noise of a hundred steps comes back");
    let Values::F64(x) = &mut data.inputs[0].values else { panic!() };
    x.iter_mut().step_by(3).enumerate().for_each(|(row, v)| *v += row as f64 * 1e-6);
    let seen = look(&data);
    assert_eq!((seen.in_both, seen.distinct), (0, 200));
}

#[test]
fn an_order_that_comes_back_is_seen() {
    let data = sound();
    assert_eq!(look(&data).repeated_batches, Some(0.0));
    let fixed = |batch| audit(&data, Batches::new(160, batch, false, 0), &ASK).repeated_batches;
    assert_eq!((fixed(8), fixed(160)), (Some(1.0), None));
}

#[test]
fn statistics_of_all_rows_leave_all_rows_centred() {
    let standard = |rows: std::ops::Range<usize>| {
        let mut x: Vec<f64> = (0..100).map(|i| f64::from((i * i) % 37)).collect();
        let of = &x[rows];
        let mean = of.iter().sum::<f64>() / of.len() as f64;
        let deviation = (of.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / of.len() as f64).sqrt();
        x.iter_mut().for_each(|v| *v = (*v - mean) / deviation);
        look(&dataset(x, 1, (0..100).map(|i| i % 2).collect(), 2)).centre
    };
    assert!(standard(0..100).unwrap() < 1e-6);
    assert!(standard(0..80).is_none_or(|centre| centre > 1.0));
}

#[test]
fn classes_are_counted_in_both_shares() {
    let classes = look(&sound()).classes.unwrap();
    assert_eq!((classes.training, classes.validation), (vec![80, 80], vec![20, 20]));
}
