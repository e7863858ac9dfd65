//! From `[data]` to [`Data`].

use std::num::NonZeroUsize;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;
use toml::de::DeTable;

use super::words::{Inputs, NamedStrings, NextTokenWord};
use super::{Arrays, Data, DataSource, NamedArray, Normalize, Split, Synthetic};
use crate::diagnostic::{Located, Span};
use crate::spec::glob;
use crate::spec::name::read_path;
use crate::spec::read::words::as_share;
use crate::spec::read::{Place, Reader};
use crate::spec::values::{OneOrMany, Or, bounds};

/// What the model is trained on: exactly one of `csv`, `npz`, `safetensors`, `idx`, `synthetic`,
/// `function`. Rows are taken, split, scaled and normalised, in
/// this order.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "data")]
pub(crate) struct DataTable {
    /// A CSV file with a header row.
    #[schemars(with = "Option<String>")]
    csv: Option<Spanned<String>>,
    /// An archive of numpy arrays.
    #[schemars(with = "Option<String>")]
    npz: Option<Spanned<String>>,
    /// A safetensors file.
    #[schemars(with = "Option<String>")]
    safetensors: Option<Spanned<String>>,
    /// Two files of MNIST's format, as they are or compressed with gzip.
    #[schemars(with = "Option<IdxTable>")]
    idx: Option<IdxTable>,
    /// A Rust function, by path: `fn() -> nncheck::Dataset`, or a `Result` of it.
    #[schemars(with = "Option<String>")]
    function: Option<Spanned<String>>,
    /// Made-up rows.
    #[schemars(with = "Option<Synthetic>")]
    synthetic: Option<Spanned<Synthetic>>,
    /// The target column, or several, of a CSV file; the target array of others, `y` if left out.
    #[schemars(with = "Option<OneOrMany>")]
    target: Option<Spanned<OneOrMany>>,
    /// The input columns of a CSV file as names and globs, all but the targets if left out; the input array of others,
    /// `x` if left out, or several by the name that the model knows: `{ ids = "x", mask = "m" }`.
    #[schemars(with = "Option<Inputs>")]
    inputs: Option<Spanned<Inputs>>,
    /// Several target arrays by the name that the loss knows: `{ label = "y", box = "b" }`.
    #[schemars(with = "Option<std::collections::BTreeMap<String, String>>")]
    targets: Option<Spanned<NamedStrings>>,
    /// The targets are the tokens that follow: of rows that are sequences (`true`), or of one long sequence that is cut
    /// into windows of so many tokens.
    #[schemars(with = "Option<NextTokenWord>")]
    next_token: Option<Spanned<NextTokenWord>>,
    /// Shape of one example; one axis as long as there are input columns, if left out.
    #[schemars(with = "Option<Vec<NonZeroUsize>>")]
    shape: Option<Spanned<Vec<NonZeroUsize>>>,
    /// Factor on the inputs.
    #[serde(default, deserialize_with = "bounds::not_zero")]
    scale: Option<f64>,
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

/// The two files of MNIST's format.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "idx")]
#[serde(deny_unknown_fields)]
pub(crate) struct IdxTable {
    /// The inputs, such as `train-images-idx3-ubyte.gz`.
    #[schemars(with = "String")]
    images: Spanned<String>,
    /// The targets, such as `train-labels-idx1-ubyte.gz`.
    #[schemars(with = "String")]
    labels: Spanned<String>,
}

/// Places that later cross-checks point at and [`Data`] does not keep.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DataPlaces {
    pub(crate) normalize_target: Option<Span>,
}

/// Keys of later versions.
const LATER: &[&str] = &[];
/// Columns that only a file has.
const OF_FILES: [&str; 4] = ["target", "inputs", "targets", "next_token"];
/// The ways to name the rows.
const SOURCES: [&str; 6] = ["csv", "npz", "safetensors", "idx", "synthetic", "function"];

fn batch() -> NonZeroUsize {
    Data::BATCH
}

fn yes() -> bool {
    true
}

impl Data {
    /// Reads `[data]`.
    pub(crate) fn read(reader: &mut Reader<'_>, place: Place<'_>, table: &DeTable<'_>) -> Option<(Self, DataPlaces)> {
        let read = reader.value::<DataTable>(place, table, LATER);
        let raw = read.value?;
        let chosen = reader.one_of(place, table, &SOURCES, read.whole)?;
        for name in OF_FILES {
            refuse_foreign(reader, table, name, chosen);
        }
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
                let inputs = match raw.inputs.map(|inputs| (inputs.span(), inputs.into_inner())) {
                    None => None,
                    Some((span, Inputs::Named(_))) => {
                        let error = reader
                            .error("wrong-type", span, "inputs by name are for npz and safetensors")
                            .label("expected columns of the CSV file")
                            .help("such as `inputs = [\"x*\", \"age\"]`");
                        reader.push(error);
                        return None;
                    }
                    Some((span, Inputs::Names(names))) => {
                        if !names.iter().all(|name| glob::check(reader, name, span.clone().into())) {
                            return None;
                        }
                        Some(Located::new(names, span))
                    }
                };
                let path = Located::new(reader.file.resolve(csv.span(), csv.get_ref()), csv.span());
                let target = Located::new(target.get_ref().0.clone(), target.span());
                DataSource::Csv { path, target, inputs }
            }
            "npz" => DataSource::Npz(arrays(
                reader,
                &raw.npz?,
                raw.target,
                raw.inputs,
                raw.targets,
                raw.next_token.as_ref(),
            )?),
            "safetensors" => {
                let path = raw.safetensors?;
                DataSource::Safetensors(arrays(
                    reader,
                    &path,
                    raw.target,
                    raw.inputs,
                    raw.targets,
                    raw.next_token.as_ref(),
                )?)
            }
            "idx" => {
                let IdxTable { images, labels } = raw.idx?;
                DataSource::Idx { images: path(reader, &images), labels: path(reader, &labels) }
            }
            "function" => DataSource::Function(read_path(reader, &raw.function?)?),
            _ => {
                let synthetic = raw.synthetic?;
                let span: Span = synthetic.span().into();
                check_synthetic(reader, synthetic.get_ref(), span, read.whole)?;
                DataSource::Synthetic(Located::new(synthetic.into_inner(), span))
            }
        };
        let split = match &raw.split {
            None => Split::default(),
            Some(split) => match split.get_ref() {
                Or::Long(table) => Split { at: table.at, file_order: table.order == Order::File },
                Or::Short(at) if *at > 0.0 && *at <= 1.0 => Split { at: *at, file_order: false },
                Or::Short(at) => {
                    let label = format!("expected a share above 0 and at most 1, found {at}");
                    let help = as_share(&label);
                    let mut error =
                        reader.error("wrong-value", split.span(), "wrong value of `split` in [data]").label(label);
                    error.help.extend(help);
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

/// A file, resolved against the spec that names it.
fn path(reader: &Reader<'_>, path: &Spanned<String>) -> Located<PathBuf> {
    Located::new(reader.file.resolve(path.span(), path.get_ref()), path.span())
}

/// Keys that another kind of data has.
fn refuse_foreign(reader: &mut Reader<'_>, table: &DeTable<'_>, name: &str, chosen: &str) {
    let (of, why) = match name {
        "target" | "inputs" => (&["csv", "npz", "safetensors"][..], "is for csv, npz and safetensors"),
        _ => (&["npz", "safetensors"][..], "is for npz and safetensors"),
    };
    if let (Some((key, _)), false) = (table.get_key_value(name), of.contains(&chosen)) {
        let error = reader.error("wrong-value", key.span(), format!("`{name}` in [data] {why}")).label(match chosen {
            "synthetic" => "made-up data has no columns and no arrays".to_owned(),
            "function" => "the function names its tensors itself".to_owned(),
            other => format!("`{other}` has none"),
        });
        reader.push(error);
    }
}

/// The arrays of a file.
fn arrays(
    reader: &mut Reader<'_>,
    file: &Spanned<String>,
    target: Option<Spanned<OneOrMany>>,
    inputs: Option<Spanned<Inputs>>,
    targets: Option<Spanned<NamedStrings>>,
    next_token: Option<&Spanned<NextTokenWord>>,
) -> Option<Arrays> {
    let here: Span = file.span().into();
    let named = |(name, array): (String, Spanned<String>)| NamedArray {
        name,
        array: Located::new(array.get_ref().clone(), array.span()),
    };
    let alone = |name: &str, array: &str, span: Span| NamedArray {
        name: name.to_owned(),
        array: Located::new(array.to_owned(), span),
    };
    let inputs = match inputs.map(|inputs| (Span::from(inputs.span()), inputs.into_inner())) {
        None => vec![alone("x", "x", here)],
        Some((span, Inputs::Names(names))) => match &names[..] {
            [only] => vec![alone("x", only, span)],
            _ => names.iter().map(|name| alone(name, name, span)).collect(),
        },
        Some((_, Inputs::Named(all))) => all.0.into_iter().map(named).collect(),
    };
    let mut refuse = |span: Span, message: &str, label: &str| {
        let error = reader.error("exclusive-keys", span, message).label(label);
        reader.push(error);
        None
    };
    let next_token = match next_token {
        None => None,
        Some(next) if inputs.len() != 1 => {
            return refuse(next.span().into(), "`next_token` is for one input", "there are several");
        }
        Some(next) => Some(Located::new(next.get_ref().0, next.span())),
    };
    let targets = match (target, targets, &next_token) {
        (Some(target), Some(_), _) => {
            return refuse(target.span().into(), "`target` and `targets` exclude each other", "keep one of them");
        }
        (Some(target), None, Some(_)) => {
            return refuse(target.span().into(), "`next_token` makes the targets itself", "remove this, or that");
        }
        (None, Some(targets), Some(_)) => {
            return refuse(targets.span().into(), "`next_token` makes the targets itself", "remove this, or that");
        }
        (Some(target), None, None) => {
            let span: Span = target.span().into();
            match &target.get_ref().0[..] {
                [only] => vec![alone("y", only, span)],
                names => names.iter().map(|name| alone(name, name, span)).collect(),
            }
        }
        (None, Some(targets), None) => targets.into_inner().0.into_iter().map(named).collect(),
        (None, None, Some(_)) => Vec::new(),
        (None, None, None) => vec![alone("y", "y", here)],
    };
    Some(Arrays { path: path(reader, file), inputs, targets, next_token })
}

fn check_synthetic(reader: &mut Reader<'_>, synthetic: &Synthetic, span: Span, whole: bool) -> Option<()> {
    let wrong = match (synthetic.tokens, synthetic.length) {
        _ if synthetic.examples == 0 => "expected `examples` to be 1 or more",
        // What was left out for being wrong is not missing.
        (None, None) if synthetic.inputs.is_empty() && !whole => return None,
        (None, None) if synthetic.inputs.is_empty() || synthetic.inputs.contains(&0) => {
            "expected `inputs` to be the shape of one example, such as [3, 32, 32]"
        }
        (Some(_), _) if !synthetic.inputs.is_empty() => "expected either `inputs` or `tokens`, found both",
        (Some(_), _) if synthetic.targets.is_some() => "expected either `tokens` or `targets`, found both",
        (Some(_), None) => "expected the `length` of the sequences beside `tokens`",
        (None, Some(_)) => "expected `tokens` beside `length`, how many there are",
        (Some(0 | 1), _) => "expected at least 2 `tokens`",
        (_, Some(0)) => "expected a `length` of at least 1",
        (tokens, _) => match (synthetic.classes, synthetic.targets) {
            (Some(2..), None) | (None, Some(1..)) => return Some(()),
            (None, None) if tokens.is_some() => return Some(()),
            (Some(_), None) => "expected at least 2 `classes`",
            (None, Some(_)) => "expected at least one of `targets`",
            (None, None) => "expected `classes` or `targets`",
            (Some(_), Some(_)) => "expected either `classes` or `targets`, found both",
        },
    };
    let error = reader
        .error("wrong-value", span, "wrong value of `synthetic` in [data]")
        .label(wrong)
        .help("such as `synthetic = { inputs = [3, 32, 32], classes = 10, examples = 512 }`")
        .help("or `synthetic = { tokens = 65, length = 32 }` for a language model");
    reader.push(error);
    None
}
