//! From what a data file holds, and what a network takes, to the data of a spec: a guess, whose reasons are kept.

use nncheck_core::data::{Column, Survey};

use super::aim::Aim;
use super::fit::{Fit, fit};
use crate::rust_source::Network;

/// Names that people give to what a model should tell.
const TARGETS: [&str; 10] =
    ["target", "targets", "label", "labels", "class", "classes", "y", "y_train", "train_y", "output"];
/// Names that people give to what a model is told.
const INPUTS: [&str; 12] =
    ["x", "inputs", "input", "features", "images", "data", "tokens", "ids", "xs", "x_train", "train_x", "sequences"];

/// A line of `[data]`: what it sets, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(pub String, pub String);

/// What `[data]` would be.
#[derive(Clone, Debug, PartialEq)]
pub struct Guess {
    /// What the model has to tell.
    pub aim: Aim,
    /// The shape of one example as the model gets it.
    pub shape: Vec<usize>,
    /// The inputs are tokens, out of so many.
    pub tokens: Option<usize>,
    /// How well it goes with the network.
    pub fit: Fit,
    /// What follows the file in `[data]`.
    pub lines: Vec<Line>,
}

fn line(text: impl Into<String>, why: impl Into<String>) -> Line {
    Line(text.into(), why.into())
}

/// What a file's data would be for a network.
///
/// # Errors
/// Why the file cannot be used.
pub fn guess(survey: &Survey, network: &Network) -> Result<Guess, String> {
    match survey {
        Survey::Columns(columns) => of_columns(columns, network),
        Survey::Arrays(arrays) => of_arrays(arrays, network),
    }
}

/// What the two files of an idx pair would be for a network.
///
/// # Errors
/// Why they cannot be used.
pub fn of_pair(images: &Column, labels: &Column, network: &Network) -> Result<Guess, String> {
    finish(&[images], &[labels], network, Vec::new())
}

fn of_columns(columns: &[Column], network: &Network) -> Result<Guess, String> {
    let usable: Vec<&Column> = columns.iter().filter(|c| c.without == 0 && c.rows > 0 && !is_index(c)).collect();
    let named = columns.iter().find(|c| TARGETS.contains(&c.name.to_lowercase().as_str()));
    // As many as the model has outputs, if the rest are its inputs.
    let several = match (&network.input, network.output) {
        (crate::rust_source::Input::Features(inputs), Some(outputs))
            if outputs > 1 && inputs + outputs == usable.len() =>
        {
            Some(&usable[*inputs..])
        }
        _ => None,
    };
    let last = columns.last().ok_or("it has no columns")?;
    let (targets, why): (Vec<&Column>, _) = match (named, several) {
        (Some(named), _) => (vec![named], "guessed: by its name"),
        (None, Some(several)) => (several.to_vec(), "guessed: as many columns as the model has outputs"),
        (None, None) => (vec![last], "guessed: the last column"),
    };
    if let Some(target) = targets.iter().find(|t| t.rows == 0 || t.without > 0) {
        return Err(if target.rows == 0 {
            "it has no rows".to_owned()
        } else {
            format!(
                "its target column `{}` has {} cells that hold no number: number the classes from 0",
                target.name, target.without
            )
        });
    }
    let is_target = |c: &Column| targets.iter().any(|t| t.name == c.name);
    let inputs: Vec<&Column> = usable.iter().copied().filter(|c| !is_target(c)).collect();
    let left_out: Vec<&str> = columns
        .iter()
        .filter(|c| !is_target(c) && !inputs.iter().any(|i| i.name == c.name))
        .map(|c| c.name.as_str())
        .collect();
    let target = match &targets[..] {
        [one] => quoted(&one.name),
        several => format!("[{}]", several.iter().map(|t| quoted(&t.name)).collect::<Vec<_>>().join(", ")),
    };
    let mut lines = vec![line(format!("target = {target}"), format!("{why}; all other columns are inputs"))];
    if !left_out.is_empty() {
        let names = inputs.iter().map(|c| quoted(&c.name)).collect::<Vec<_>>().join(", ");
        lines[0].1 = why.to_owned();
        let words = left_out.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        lines.push(line(
            format!("inputs = [{names}]"),
            format!("left out, for they count rows or lack numbers: {words}"),
        ));
    }
    finish(&inputs, &targets, network, lines)
}

/// A string as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// A column that counts the rows.
fn is_index(column: &Column) -> bool {
    let counted = ["", "id", "index", "unnamed: 0", "row"].contains(&column.name.to_lowercase().as_str());
    #[expect(clippy::cast_precision_loss, reason = "no table has so many rows")]
    let all = column.rows as f64 - 1.0;
    counted && column.whole && (column.most - column.least - all).abs() < 0.5
}

fn of_arrays(arrays: &[Column], network: &Network) -> Result<Guess, String> {
    let by_name = |names: &[&str]| names.iter().find_map(|name| arrays.iter().find(|a| a.name.to_lowercase() == *name));
    if network.named.len() > 1
        && let Some(named) = by_asking(arrays, network)
    {
        return named;
    }
    if arrays.iter().any(|a| a.name.ends_with("weight") || a.name.ends_with("bias")) {
        return Err("it looks like the weights of a model".to_owned());
    }
    let size = |c: &Column| c.shape.iter().product::<usize>();
    // A single number is no data.
    let rows: Vec<&Column> = arrays.iter().filter(|a| a.rows > 1).collect();
    let (x, y) = match (by_name(&INPUTS), by_name(&TARGETS), &rows[..]) {
        (Some(x), Some(y), _) => (x, Some(y)),
        (Some(x), None, [_]) if x.integers => (x, None),
        (None, None, &[x]) if x.integers => (x, None),
        (None, Some(y), &[a, b]) if a.rows == b.rows => (if a.name == y.name { b } else { a }, Some(y)),
        (_, _, &[a, b]) if a.rows == b.rows && size(a) > size(b) => (a, Some(b)),
        (_, _, &[a, b]) if a.rows == b.rows && size(a) < size(b) => (b, Some(a)),
        _ => {
            let names = arrays.iter().map(|a| format!("`{}`", a.name)).take(8).collect::<Vec<_>>().join(", ");
            return Err(format!("which of its arrays are inputs and targets cannot be told: {names}"));
        }
    };
    let mut lines = Vec::new();
    if x.name != "x" {
        lines.push(line(format!("inputs = {}", quoted(&x.name)), "guessed: the array that the model gets"));
    }
    let Some(y) = y else { return next_token(x, lines, network) };
    if y.name != "y" {
        lines.push(line(format!("target = {}", quoted(&y.name)), "guessed: the array that it should tell"));
    }
    if x.rows != y.rows {
        return Err(format!("`{}` has {} rows and `{}` has {}", x.name, x.rows, y.name, y.rows));
    }
    if x.without + y.without > 0 {
        return Err("it holds NaN or infinity".to_owned());
    }
    finish(&[x], &[y], network, lines)
}

/// The arrays that the model asks for by name; one of them may have another name in the file.
fn by_asking(arrays: &[Column], network: &Network) -> Option<Result<Guess, String>> {
    let target = arrays.iter().find(|a| TARGETS.contains(&a.name.to_lowercase().as_str()))?;
    let others: Vec<&Column> = arrays.iter().filter(|a| a.name != target.name).collect();
    let asked = |name: &str| others.iter().copied().find(|a| a.name == name);
    let left = others
        .iter()
        .copied()
        .find(|a| INPUTS.contains(&a.name.to_lowercase().as_str()) && !network.named.contains(&a.name));
    let pairs: Option<Vec<(&String, &Column)>> =
        network.named.iter().map(|name| Some((name, asked(name).or(left)?))).collect();
    let pairs = pairs?;
    let first = pairs.first()?.1;
    let written: Vec<String> = pairs.iter().map(|(name, array)| format!("{name} = {}", quoted(&array.name))).collect();
    let mut lines = vec![line(
        format!("inputs = {{ {} }}", written.join(", ")),
        "guessed: the arrays that the model asks for by name",
    )];
    if target.name != "y" {
        lines.push(line(format!("target = {}", quoted(&target.name)), "guessed: the array that it should tell"));
    }
    let tokens = class_count(first).filter(|_| first.integers);
    Some(aim(&[target], network, first.shape.len()).map(|(aim, classes)| {
        lines.extend(classes);
        lines.push(line(format!("batch = {}", batch(first.rows)), "rows in a training step"));
        let (fit, _) = fit(&first.shape, tokens, aim, network);
        Guess { aim, shape: first.shape.clone(), tokens, fit, lines }
    }))
}

/// Rows in a batch, of so many.
fn batch(rows: usize) -> usize {
    [64, 32, 16, 8, 4, 2].into_iter().find(|b| b * 3 <= rows).unwrap_or(1)
}

/// Tokens, and nothing else.
fn next_token(x: &Column, mut lines: Vec<Line>, network: &Network) -> Result<Guess, String> {
    let vocabulary = class_count(x).ok_or("its integers are no tokens: some are negative")?;
    let length = match x.shape[..] {
        [] => 32,
        [length] if length > 2 => length - 1,
        _ => return Err(format!("rows of shape {:?} are no sequences", x.shape)),
    };
    lines.push(if x.shape.is_empty() {
        line("next_token = 32", "guessed: one long sequence of tokens, cut into windows of so many")
    } else {
        line("next_token = true", "guessed: each row is a sequence of tokens; the targets are those that follow")
    });
    let vocabulary = network.output.unwrap_or(0).max(vocabulary);
    lines.push(line(format!("classes = {vocabulary}"), "the number of tokens"));
    let aim = Aim::NextToken(vocabulary);
    let (fit, _) = fit(&[length], Some(vocabulary), aim, network);
    Ok(Guess { aim, shape: vec![length], tokens: Some(vocabulary), fit, lines })
}

/// One more than the largest of whole numbers from 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds")]
fn class_count(column: &Column) -> Option<usize> {
    (column.whole && column.least >= 0.0 && column.most < 1e6).then_some(column.most as usize + 1)
}

fn finish(inputs: &[&Column], targets: &[&Column], network: &Network, mut lines: Vec<Line>) -> Result<Guess, String> {
    let Some(first) = inputs.first() else { return Err("it has no input beside the target".to_owned()) };
    let is_table = !inputs.iter().any(|c| !c.shape.is_empty());
    let given = if is_table { vec![inputs.len()] } else { first.shape.clone() };
    let (least, most) = (
        inputs.iter().map(|c| c.least).fold(f64::INFINITY, f64::min),
        inputs.iter().map(|c| c.most).fold(f64::NEG_INFINITY, f64::max),
    );
    let whole = inputs.iter().all(|c| c.whole);
    let wants_tokens = matches!(network.input, crate::rust_source::Input::Tokens(_));
    let tokens = class_count(first).filter(|_| wants_tokens && first.integers && !is_table);
    let (aim, classes) = aim(targets, network, given.len())?;
    let (fit, shape) = fit(&given, tokens, aim, network);
    if let Some(shape) = &shape {
        let sizes = shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        lines.push(line(format!("shape = [{sizes}]"), "guessed: what the first layer takes"));
    }
    if tokens.is_none() {
        lines.extend(scale(whole, least, most, given.iter().product()));
    }
    if let Aim::Numbers(_) = aim {
        lines.push(line("normalize_target = \"standard\"", "targets of mean 0 and standard deviation 1"));
    }
    lines.extend(classes);
    lines.push(line(format!("batch = {}", batch(first.rows)), "rows in a training step"));
    Ok(Guess { aim, shape: shape.unwrap_or(given), tokens, fit, lines })
}

/// How the inputs get to a common scale.
fn scale(whole: bool, least: f64, most: f64, numbers: usize) -> Option<Line> {
    let pixels = whole && least == 0.0 && numbers >= 16 && [1.0, 15.0, 16.0, 255.0].contains(&most);
    if pixels && most > 1.0 {
        return Some(line(
            format!("scale = {}", 1.0 / most),
            format!("guessed: whole numbers from 0 to {most} become 0 to 1"),
        ));
    }
    if least >= 0.0 && most <= 1.0 && numbers >= 16 {
        // Integers that are left alone would be tokens.
        return whole.then(|| line("scale = 1.0", "guessed: they are 0 to 1 already"));
    }
    Some(line("normalize = \"standard\"", "each input of mean 0 and standard deviation 1 over the training rows"))
}

/// What the model has to tell, and a line about the classes where one is needed.
fn aim(targets: &[&Column], network: &Network, axes: usize) -> Result<(Aim, Option<Line>), String> {
    let [target] = targets else { return Ok((Aim::Numbers(targets.len()), None)) };
    let width: usize = target.shape.iter().product();
    if target.rows == 0 {
        return Err("it has no rows".to_owned());
    }
    if target.least >= target.most {
        return Err(format!("all its targets are {}", target.most));
    }
    let sequence = axes == 1 && width > 1 && target.integers;
    if width > 1 && !sequence {
        return Ok((Aim::Numbers(width), None));
    }
    let Some(count) = class_count(target) else { return Ok((Aim::Numbers(1), None)) };
    let distinct = target.distinct.unwrap_or(usize::MAX);
    if sequence {
        return Ok((Aim::NextToken(network.output.unwrap_or(0).max(count)), None));
    }
    if count == 2 && network.output != Some(2) {
        return Ok((Aim::Binary, None));
    }
    let few = distinct <= 1_000 && distinct.saturating_mul(10) <= target.rows.max(20);
    let stated = network.output == Some(count);
    if network.output == Some(1) || !(few || stated) {
        return Ok((Aim::Numbers(1), None));
    }
    let classes = match network.output {
        Some(outputs) if outputs > count => outputs,
        _ => count,
    };
    let why = if classes > count {
        "as many as the model has outputs; the data has fewer"
    } else {
        "some numbers have no rows"
    };
    Ok((
        Aim::Classes(classes),
        (classes != distinct).then(|| line(format!("classes = {classes}"), format!("guessed: {why}"))),
    ))
}

#[cfg(test)]
#[path = "guess_tests.rs"]
mod tests;
