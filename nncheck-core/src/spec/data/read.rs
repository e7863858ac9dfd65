//! From `[data]` to [`Data`].

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;
use toml::de::DeTable;

use super::{Data, DataSource, Normalize, Split, Synthetic};
use crate::diagnostic::{Located, Span};
use crate::spec::glob;
use crate::spec::read::{Place, Reader};
use crate::spec::values::{OneOrMany, Or, bounds};

/// What the model is trained on: exactly one of `csv`, `synthetic`. Rows are taken, split, scaled and normalised, in
/// this order.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "data")]
pub(crate) struct DataTable {
    /// A CSV file with a header row.
    #[schemars(with = "Option<String>")]
    csv: Option<Spanned<String>>,
    /// Made-up rows.
    #[schemars(with = "Option<Synthetic>")]
    synthetic: Option<Spanned<Synthetic>>,
    /// The target column, or several; of a CSV file.
    #[schemars(with = "Option<OneOrMany>")]
    target: Option<Spanned<OneOrMany>>,
    /// The input columns as names and globs; all but the targets, if left out.
    #[schemars(with = "Option<OneOrMany>")]
    inputs: Option<Spanned<OneOrMany>>,
    /// Shape of one example; one axis as long as there are input columns, if left out.
    #[schemars(with = "Option<Vec<NonZeroUsize>>")]
    shape: Option<Spanned<Vec<NonZeroUsize>>>,
    /// Factor on the inputs.
    #[serde(default = "one", deserialize_with = "bounds::not_zero")]
    scale: f64,
    /// Normalisation of the inputs, with statistics of the training share.
    normalize: Option<Normalize>,
    /// Normalisation of the targets, with statistics of the training share; regression only.
    #[schemars(with = "Option<Normalize>")]
    normalize_target: Option<Spanned<Normalize>>,
    /// Rows in a batch.
    #[serde(default = "batch")]
    batch: NonZeroUsize,
    /// A new order of the training rows each epoch.
    #[serde(default = "yes")]
    shuffle: bool,
    /// Share of the training rows; 1.0: no validation share.
    #[schemars(with = "Option<Or<f64, SplitTable>>")]
    split: Option<Spanned<Or<f64, SplitTable>>>,
    /// Only the first rows.
    take: Option<NonZeroUsize>,
    /// The number of classes; the number of distinct labels, if left out.
    #[schemars(with = "Option<NonZeroUsize>")]
    classes: Option<Spanned<NonZeroUsize>>,
}

/// How the rows are divided.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[schemars(rename = "split")]
#[serde(deny_unknown_fields)]
pub(crate) struct SplitTable {
    /// Share of the training rows.
    #[serde(deserialize_with = "bounds::share")]
    at: f64,
    /// Which rows train: a stratified permutation, or the first ones of the file.
    #[serde(default)]
    order: Order,
}

/// Which rows train.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[schemars(rename = "order")]
#[serde(rename_all = "lowercase")]
enum Order {
    /// A stratified permutation.
    #[default]
    Stratified,
    /// The first rows of the file.
    File,
}

/// Places that later cross-checks point at and [`Data`] does not keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DataPlaces {
    pub(crate) normalize_target: Option<Span>,
}

/// Keys of later versions.
const LATER: &[&str] = &["npz", "safetensors", "idx", "function", "targets"];
/// Columns that only a file has.
const OF_FILES: [&str; 2] = ["target", "inputs"];

fn one() -> f64 {
    1.0
}

fn batch() -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(63)
}

fn yes() -> bool {
    true
}

impl Data {
    /// Reads `[data]`.
    pub(crate) fn read(reader: &mut Reader<'_>, place: Place<'_>, table: &DeTable<'_>) -> Option<(Self, DataPlaces)> {
        let mut table = table.clone();
        if let Some((key, value)) = table.get_key_value("inputs")
            && value.get_ref().is_table()
        {
            reader.not_yet("a table of named inputs", key.span().into());
            table.remove("inputs");
        }
        if let Some(tokens) = table.get("synthetic").and_then(|s| s.get_ref().get("tokens")) {
            reader.not_yet("`tokens` of made-up data", tokens.span().into());
            return None;
        }
        let read = reader.value::<DataTable>(place, &table, LATER);
        let raw = read.value?;
        let chosen = reader.one_of(place, &table, &["csv", "synthetic"], read.whole)?;
        let source = match chosen {
            "csv" => {
                let csv = raw.csv?;
                let Some(target) = raw.target else {
                    if read.whole {
                        let error = reader
                            .error("missing-key", place.span, "missing key `target` in [data]")
                            .label("which column is it that the model should tell?")
                            .help("such as `target = \"label\"`");
                        reader.push(error);
                    }
                    return None;
                };
                let inputs = match raw.inputs {
                    None => None,
                    Some(inputs) => {
                        let span = inputs.span();
                        if !inputs.get_ref().0.iter().all(|name| glob::check(reader, name, span.clone().into())) {
                            return None;
                        }
                        Some(Located::new(inputs.into_inner().0, span))
                    }
                };
                let path = Located::new(reader.file.resolve(csv.span(), csv.get_ref()), csv.span());
                let target = Located::new(target.get_ref().0.clone(), target.span());
                DataSource::Csv { path, target, inputs }
            }
            _ => {
                for name in OF_FILES {
                    if let Some((key, _)) = table.get_key_value(name) {
                        let error = reader
                            .error("wrong-value", key.span(), format!("`{name}` in [data] is for files"))
                            .label("made-up data has no columns");
                        reader.push(error);
                    }
                }
                let synthetic = raw.synthetic?;
                let span: Span = synthetic.span().into();
                check_synthetic(reader, synthetic.get_ref(), span)?;
                DataSource::Synthetic(Located::new(synthetic.into_inner(), span))
            }
        };
        let split = match &raw.split {
            None => Split { at: 0.8, file_order: false },
            Some(split) => match split.get_ref() {
                Or::Long(table) => Split { at: table.at, file_order: table.order == Order::File },
                Or::Short(at) if *at > 0.0 && *at <= 1.0 => Split { at: *at, file_order: false },
                Or::Short(at) => {
                    let error = reader
                        .error("wrong-value", split.span(), "wrong value of `split` in [data]")
                        .label(format!("expected a share above 0 and at most 1, found {at}"));
                    reader.push(error);
                    return None;
                }
            },
        };
        let shape = raw
            .shape
            .map(|shape| Located::new(shape.get_ref().iter().map(|n| n.get()).collect::<Vec<_>>(), shape.span()));
        if let Some(shape) = shape.as_ref().filter(|shape| shape.value.is_empty()) {
            let error = reader
                .error("wrong-value", shape.span, "wrong value of `shape` in [data]")
                .label("expected at least one axis");
            reader.push(error);
            return None;
        }
        let places = DataPlaces { normalize_target: raw.normalize_target.as_ref().map(|n| n.span().into()) };
        let data = Self {
            source,
            shape,
            scale: raw.scale,
            normalize: raw.normalize,
            normalize_target: raw.normalize_target.map(Spanned::into_inner),
            batch: raw.batch.get(),
            shuffle: raw.shuffle,
            split,
            take: raw.take.map(NonZeroUsize::get),
            classes: raw.classes.map(|classes| Located::new(classes.get_ref().get(), classes.span())),
        };
        Some((data, places))
    }
}

fn check_synthetic(reader: &mut Reader<'_>, synthetic: &Synthetic, span: Span) -> Option<()> {
    let wrong = if synthetic.inputs.is_empty() || synthetic.inputs.contains(&0) {
        "expected `inputs` to be the shape of one example, such as [3, 32, 32]"
    } else if synthetic.examples == 0 {
        "expected at least one of `examples`"
    } else {
        match (synthetic.classes, synthetic.targets) {
            (Some(2..), None) | (None, Some(1..)) => return Some(()),
            (Some(_), None) => "expected at least 2 `classes`",
            (None, Some(_)) => "expected at least one of `targets`",
            (None, None) => "expected `classes` or `targets`",
            (Some(_), Some(_)) => "expected either `classes` or `targets`, found both",
        }
    };
    let error = reader
        .error("wrong-value", span, "wrong value of `synthetic` in [data]")
        .label(wrong)
        .help("such as `synthetic = { inputs = [3, 32, 32], classes = 10, examples = 512 }`");
    reader.push(error);
    None
}
