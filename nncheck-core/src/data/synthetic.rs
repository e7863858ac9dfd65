//! Made-up data: always the same, learnable, with numbers of a usual size.

mod tokens;

use ndarray::Array2;

use super::error::DataError;
use super::random::{Purpose, Stream};
use super::{Array, Peek, Table, Values, settle_shape};
use crate::diagnostic::Located;
use crate::spec::data::{Data, Synthetic};
use crate::spec::loss::Task;
use crate::spec::run::Dtype;

/// The most numbers that are made up: 4 GiB of them.
const MOST: usize = 1 << 29;
/// Patches along each of the last two axes of a class's mean.
const PATCHES: usize = 4;
/// Least length of the mean vectors, in standard deviations of the noise: two classes whose means are 3 long and at
/// right angles are told apart with 1.7 % errors by the best classifier.
const LEAST_LENGTH: f64 = 3.0;
/// Size of an entry of the means, in standard deviations of the noise, where there are many inputs.
const ENTRY: f64 = 0.5;

pub(super) fn peek(data: &Data, task: Task, made_up: &Located<Synthetic>) -> Result<Peek, DataError> {
    check(task, made_up)?;
    let unstated = made_up.value.length.map_or_else(|| made_up.value.inputs.clone(), |length| vec![length]);
    let inputs = unstated.iter().product();
    Ok(Peek { shape: settle_shape(data, inputs, &unstated, "inputs")?, columns: Vec::new() })
}

pub(super) fn load(data: &Data, task: Task, dtype: Dtype, made_up: &Located<Synthetic>) -> Result<Table, DataError> {
    let shape = peek(data, task, made_up)?.shape;
    let span = made_up.span;
    let made_up = &made_up.value;
    let rows = made_up.examples;
    let array = |name: &str, shape, values| Array { name: name.to_owned(), rows, shape, values };
    let (mut inputs, mut targets) = if let (Some(tokens), Some(length)) = (made_up.tokens, made_up.length) {
        let (x, y) = tokens::sequences(rows, tokens, length, made_up.classes);
        let of_a_row = if made_up.classes.is_some() { Vec::new() } else { vec![length] };
        (array("x", shape, Values::I64(x)), array("y", of_a_row, Values::I64(y)))
    } else {
        let columns = made_up.inputs.iter().product();
        let (x, y) = match made_up.classes {
            Some(classes) => classification(made_up, columns, classes),
            None => regression(made_up, columns, made_up.targets.unwrap_or(1)),
        };
        let outputs = y.ncols();
        let x = Values::floats(x.into_iter().collect(), dtype);
        (array("x", shape, x), array("y", vec![outputs], Values::F64(y.into_iter().collect())))
    };
    if let Some(take) = data.take {
        inputs.take(take);
        targets.take(take);
    }
    Ok(Table { inputs: vec![inputs], targets: vec![targets], origin: None, target: span })
}

fn check(task: Task, made_up: &Located<Synthetic>) -> Result<(), DataError> {
    let error = |message: String| Err(DataError::new("data-synthetic", message).about(made_up.span));
    let made = &made_up.value;
    if made.examples == 0 {
        return error("`examples = 0` leaves no rows".to_owned());
    }
    let shape = match (made.tokens, made.length) {
        (None, None) => made.inputs.clone(),
        (Some(2..), Some(length)) if made.inputs.is_empty() && made.targets.is_none() => vec![length],
        (Some(0 | 1), Some(_)) => return error("sequences need at least 2 `tokens`".to_owned()),
        (Some(_), None) | (None, Some(_)) => return error("`tokens` and `length` go together".to_owned()),
        _ => return error("`tokens` excludes `inputs` and `targets`".to_owned()),
    };
    let columns = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    if columns == Some(0) || shape.is_empty() {
        return error(format!("examples of shape {shape:?} hold no numbers"));
    }
    let outputs = if made.tokens.is_some() { columns.unwrap_or(MOST) } else { made.targets.unwrap_or(1) };
    let numbers = columns.and_then(|columns| columns.checked_add(outputs)?.checked_mul(made.examples));
    let chains = made.tokens.unwrap_or(0).checked_mul(made.classes.unwrap_or(1));
    if numbers.is_none_or(|n| n > MOST) || chains.is_none_or(|n| n > MOST) {
        return error(format!("{} examples of shape {shape:?} do not fit into 4 GiB", made.examples));
    }
    match (task, made.classes, made.targets) {
        (Task::Multiclass, None, None) if made.tokens.is_some() => Ok(()),
        (_, None, None) if made.tokens.is_some() => {
            Err(DataError::new("data-synthetic", "the targets are the next tokens, and the loss is not for classes")
                .about(made_up.span)
                .help("use `cross_entropy`"))
        }
        (_, Some(_), Some(_)) => error("`classes` and `targets` exclude each other".to_owned()),
        (_, None, None) => error("either `classes` or `targets` has to be stated".to_owned()),
        (Task::Regression, Some(_), _) => {
            Err(DataError::new("data-synthetic", "classes, but the loss is for real numbers")
                .about(made_up.span)
                .help("write `targets = 1` instead of `classes`, or use `cross_entropy`"))
        }
        (Task::Multiclass | Task::Binary, _, Some(_)) => {
            Err(DataError::new("data-synthetic", "real-valued targets, but the loss is for classes")
                .about(made_up.span)
                .help("write `classes = ...` instead of `targets`, or use `mse`"))
        }
        (Task::Regression, _, Some(0)) => error("`targets = 0` leaves nothing to learn".to_owned()),
        (Task::Binary, Some(classes), _) if classes != 2 => {
            error(format!("`classes = {classes}`, but the loss is for two classes"))
        }
        (_, Some(classes), _) if classes < 2 => error(format!("`classes = {classes}`: there is nothing to tell apart")),
        (_, Some(classes), _) if classes > made.examples => {
            error(format!("{} examples cannot show {classes} classes", made.examples))
        }
        _ => Ok(()),
    }
}

/// Noise around the mean of each row's class; all inputs together have mean 0 and variance 1.
fn classification(made_up: &Synthetic, columns: usize, classes: usize) -> (Array2<f64>, Array2<f64>) {
    let mut labels: Vec<usize> = (0..made_up.examples).map(|row| row % classes).collect();
    Stream::new(Purpose::Synthetic, 0, 0).shuffle(&mut labels);

    let length = LEAST_LENGTH.max(ENTRY * (columns as f64).sqrt());
    let means = means(&made_up.inputs, columns, classes, length);
    let shrink = 1.0 / (1.0 + length * length / columns as f64).sqrt();
    let mut noise = Stream::new(Purpose::Synthetic, 0, 2);
    let x = Array2::from_shape_fn((made_up.examples, columns), |(row, column)| {
        (noise.normal() + means[(labels[row], column)]) * shrink
    });
    let y = Array2::from_shape_fn((made_up.examples, 1), |(row, _)| labels[row] as f64);
    (x, y)
}

/// A mean for each class, `length` long in the root mean square over the classes, together zero. Over the last two
/// axes of images and sequences it is made of large patches, so that convolutions and pooling can see it.
fn means(shape: &[usize], columns: usize, classes: usize, length: f64) -> Array2<f64> {
    let mut stream = Stream::new(Purpose::Synthetic, 0, 1);
    let mut means = Array2::zeros((classes, columns));
    for mut mean in means.rows_mut() {
        let patches: Vec<f64> = (0..columns).map(|_| stream.normal()).collect();
        for (column, value) in mean.iter_mut().enumerate() {
            *value = patches[patch(shape, column)];
        }
    }
    if let Some(centre) = means.mean_axis(ndarray::Axis(0)) {
        means -= &centre;
    }
    let square = means.iter().map(|v| v * v).sum::<f64>() / classes as f64;
    if square > 0.0 {
        means *= length / square.sqrt();
    }
    means
}

/// The first column of the patch that `column` belongs to; each is its own where there is one axis only.
fn patch(shape: &[usize], column: usize) -> usize {
    let [.., height, width] = *shape else { return column };
    let (row, in_row) = (column / width, column % width);
    let (image, row) = (row / height, row % height);
    let corner = |index: usize, size: usize| {
        let side = size.div_ceil(PATCHES);
        index / side * side
    };
    (image * height + corner(row, height)) * width + corner(in_row, width)
}

/// Standard normal inputs; targets a linear map of them, each of variance 1.
fn regression(made_up: &Synthetic, columns: usize, targets: usize) -> (Array2<f64>, Array2<f64>) {
    let mut stream = Stream::new(Purpose::Synthetic, 1, 0);
    let mut map = Array2::from_shape_fn((columns, targets), |_| stream.normal());
    for mut column in map.columns_mut() {
        let length = column.iter().map(|v| v * v).sum::<f64>().sqrt();
        column /= length.max(f64::MIN_POSITIVE);
    }
    let x = Array2::from_shape_fn((made_up.examples, columns), |_| stream.normal());
    let y = x.dot(&map);
    (x, y)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(inputs: &[usize], classes: Option<usize>, targets: Option<usize>, examples: usize) -> Located<Synthetic> {
        Located::new(Synthetic { inputs: inputs.to_vec(), classes, targets, examples, ..Synthetic::default() }, 0..1)
    }

    /// Share of the rows that lie nearest to their own class's mean, the means taken from the first half of the rows
    /// and the share from the second.
    fn nearest_mean_accuracy(x: &Array2<f64>, y: &Array2<f64>, classes: usize) -> f64 {
        let half = x.nrows() / 2;
        let mut means = Array2::<f64>::zeros((classes, x.ncols()));
        let mut counts = vec![0.0; classes];
        for row in 0..half {
            let class = y[(row, 0)] as usize;
            let mut mean = means.row_mut(class);
            mean += &x.row(row);
            counts[class] += 1.0;
        }
        for (mut mean, n) in means.rows_mut().into_iter().zip(&counts) {
            mean /= *n;
        }
        let distance = |row: usize, class: usize| (&x.row(row) - &means.row(class)).mapv(|d| d * d).sum();
        let right = (half..x.nrows()).filter(|&row| {
            let nearest = (0..classes).min_by(|&a, &b| distance(row, a).total_cmp(&distance(row, b)));
            nearest == Some(y[(row, 0)] as usize)
        });
        right.count() as f64 / (x.nrows() - half) as f64
    }

    #[test]
    fn classes_have_equal_shares_and_can_be_learnt_from_half_of_the_rows() {
        for (inputs, classes) in [(vec![20], 4), (vec![3, 16, 16], 10), (vec![2], 2)] {
            let made = made(&inputs, Some(classes), None, 400);
            let (x, y) = classification(&made.value, inputs.iter().product(), classes);
            for class in 0..classes {
                assert_eq!(y.iter().filter(|&&v| v == class as f64).count(), 400 / classes);
            }
            let accuracy = nearest_mean_accuracy(&x, &y, classes);
            assert!(accuracy > 0.85, "{inputs:?} {classes}: {accuracy}");
        }
    }

    #[test]
    fn inputs_have_mean_zero_and_variance_one() {
        for inputs in [vec![20], vec![3, 16, 16]] {
            let columns: usize = inputs.iter().product();
            let (x, _) = classification(&made(&inputs, Some(10), None, 512).value, columns, 10);
            let mean = x.mean().unwrap();
            let variance = x.mapv(|v| (v - mean) * (v - mean)).mean().unwrap();
            assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.05, "{inputs:?} {mean} {variance}");
        }
    }

    #[test]
    fn real_targets_are_a_linear_map_of_the_inputs_with_variance_one() {
        let (x, y) = regression(&made(&[3], None, Some(2), 2000).value, 3, 2);
        // Three rows determine the map; all others follow it.
        let solve = |target: usize| {
            let m = |r: usize, c: usize| x[(r, c)];
            let det = |a: [[f64; 3]; 3]| {
                a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) - a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0])
                    + a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0])
            };
            let a = [0, 1, 2].map(|r| [m(r, 0), m(r, 1), m(r, 2)]);
            [0, 1, 2].map(|c| {
                let mut b = a;
                for (r, row) in b.iter_mut().enumerate() {
                    row[c] = y[(r, target)];
                }
                det(b) / det(a)
            })
        };
        for target in 0..2 {
            let w = solve(target);
            for row in 3..2000 {
                let predicted: f64 = (0..3).map(|c| w[c] * x[(row, c)]).sum();
                assert!((predicted - y[(row, target)]).abs() < 1e-9);
            }
        }
        let variance = y.mapv(|v| v * v).mean().unwrap();
        assert!((variance - 1.0).abs() < 0.15, "{variance}");
    }

    #[test]
    fn patches_are_a_quarter_of_a_side() {
        // A 2 x 8 x 8 image: 2 x 2 pixels share a value; the second channel begins at 64.
        assert_eq!([patch(&[2, 8, 8], 0), patch(&[2, 8, 8], 9), patch(&[2, 8, 8], 10)], [0, 0, 2]);
        assert_eq!(patch(&[2, 8, 8], 64 + 63), 64 + 6 * 8 + 6);
        assert_eq!(patch(&[20], 7), 7);
    }

    #[test]
    fn what_cannot_be_made_up_is_refused() {
        let refused = |task, made| check(task, &made).unwrap_err().message;
        assert!(refused(Task::Regression, made(&[2], Some(2), None, 8)).contains("real numbers"));
        assert!(refused(Task::Multiclass, made(&[2], None, Some(1), 8)).contains("for classes"));
        assert!(refused(Task::Multiclass, made(&[2], Some(2), Some(1), 8)).contains("exclude"));
        assert!(refused(Task::Multiclass, made(&[2], None, None, 8)).contains("either"));
        assert!(refused(Task::Multiclass, made(&[2], Some(1), None, 8)).contains("nothing to tell apart"));
        assert!(refused(Task::Binary, made(&[2], Some(3), None, 8)).contains("two classes"));
        assert!(refused(Task::Multiclass, made(&[2, 0], Some(2), None, 8)).contains("no numbers"));
        assert!(refused(Task::Multiclass, made(&[2], Some(2), None, 0)).contains("no rows"));
        assert!(refused(Task::Multiclass, made(&[2], Some(9), None, 8)).contains("cannot show"));
        assert!(refused(Task::Multiclass, made(&[usize::MAX, 2], Some(2), None, 8)).contains("4 GiB"));
        assert!(check(Task::Binary, &made(&[2], Some(2), None, 8)).is_ok());
        assert!(check(Task::Regression, &made(&[2], None, Some(3), 8)).is_ok());
    }
}
