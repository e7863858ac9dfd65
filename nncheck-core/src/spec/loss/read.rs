//! From `[loss]` and `[[loss]]` to [`Loss`].

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use toml::Spanned;

use super::{ClassAxis, IGNORE_INDEX, Loss, LossKind, Reduction, Term};
use crate::diagnostic::{Located, Span};
use crate::spec::name;
use crate::spec::read::Reader;
use crate::spec::section::Tables;
use crate::spec::values::bounds;

/// The loss of the training program, or one term of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "loss")]
struct LossTable {
    /// The name of the term, for properties of it.
    #[schemars(with = "Option<String>")]
    name: Option<Spanned<String>>,
    /// Which loss, with PyTorch's meaning.
    #[schemars(with = "Option<LossKind>")]
    kind: Option<Spanned<LossKind>>,
    /// A Rust function, by path: `fn(&Tensor, &Tensor) -> Tensor`, or `-> Losses`. Beside `kind`, it must agree with it.
    #[schemars(with = "Option<String>")]
    function: Option<Spanned<String>>,
    /// The output of the model that the term is of, by name.
    #[schemars(with = "Option<String>")]
    output: Option<Spanned<String>>,
    /// The target of the data that the term is of, by name.
    #[schemars(with = "Option<String>")]
    target: Option<Spanned<String>>,
    /// Factor of the term in the sum.
    #[serde(default = "one", deserialize_with = "bounds::not_negative")]
    #[schemars(range(min = 0.0))]
    weight: f64,
    /// `cross_entropy` and `nll`: a factor for each class, by its id.
    #[schemars(with = "Option<Vec<f64>>")]
    class_weights: Option<Spanned<Vec<f64>>>,
    /// `cross_entropy` and `nll`: the axis of the output that holds the classes, 1 or -1 (the last). Left out, it is the one that
    /// the targets lack; to be stated where sequences are as long as there are classes.
    #[schemars(with = "Option<i64>")]
    class_axis: Option<Spanned<i64>>,
    /// `cross_entropy` and `nll`: positions with this class id count for nothing.
    #[schemars(with = "Option<i64>")]
    ignore_index: Option<Spanned<i64>>,
    /// `cross_entropy`: the share of each target that is spread evenly over all classes.
    #[schemars(with = "Option<f64>", range(min = 0.0, max = 1.0))]
    label_smoothing: Option<Spanned<f64>>,
    /// The mean or the sum of the losses of single values.
    #[schemars(with = "Option<Reduction>")]
    reduction: Option<Spanned<Reduction>>,
    /// `huber`: where it turns from quadratic to linear.
    #[schemars(with = "Option<f64>")]
    delta: Option<Spanned<f64>>,
    /// Weight of half the squared L2 norm of all trainable parameters, added to the sum; once.
    #[schemars(with = "Option<f64>", range(min = 0.0))]
    l2: Option<Spanned<f64>>,
}

fn one() -> f64 {
    1.0
}

impl Loss {
    /// Reads `[loss]`, or all `[[loss]]`.
    pub(crate) fn read(reader: &mut Reader<'_>, tables: &Tables<'_, '_>) -> Option<Self> {
        let mut terms = Vec::new();
        let mut l2: Option<Located<f64>> = None;
        let mut good = true;
        for (place, table) in tables.each() {
            let read = reader.value::<LossTable>(place, table, &[]);
            let Some(raw) = read.value else {
                good = false;
                continue;
            };
            if let Some(found) = &raw.l2 {
                good &= bounded(reader, "l2", found, "a number of 0 or more", |x| x >= 0.0);
                let found = Located::new(*found.get_ref(), found.span());
                if let Some(first) = &l2 {
                    let error = reader
                        .error(
                            "duplicate-key",
                            found.span,
                            "`l2` is of all parameters, not of one term: it is written once",
                        )
                        .label("the second one")
                        .also(first.span, "the first one");
                    reader.push(error);
                    good = false;
                } else {
                    l2 = Some(found);
                }
            }
            match term(reader, raw, place.span, read.whole) {
                Some(term) => terms.push((place.span, term)),
                None => good = false,
            }
        }
        good &= distinct(reader, &terms);
        let terms: Vec<Term> = terms.into_iter().map(|(_, term)| term).collect();
        (good && !terms.is_empty()).then(|| Self { terms, l2: l2.map_or(0.0, |l2| l2.value) })
    }
}

fn term(reader: &mut Reader<'_>, raw: LossTable, table: Span, whole: bool) -> Option<Term> {
    let mut good = true;
    if let (None, None, true) = (&raw.kind, &raw.function, whole) {
        let error =
            reader.error("missing-key", table, "[loss] lacks `kind`").label("needs `kind = ...`").help(format!(
                "losses are {}; or name one of your own, `function = \"my_crate::loss\"`",
                LossKind::ALL.map(|kind| format!("\"{}\"", kind.name())).join(", ")
            ));
        reader.push(error);
    }
    if raw.kind.is_none() && raw.function.is_none() {
        return None;
    }
    let kind = raw.kind.map(Spanned::into_inner);
    let written: [(&str, Option<Span>, &[LossKind], &str); 6] = [
        ("class_weights", span(raw.class_weights.as_ref()), &[LossKind::CrossEntropy, LossKind::Nll], CLASSES),
        ("class_axis", span(raw.class_axis.as_ref()), &[LossKind::CrossEntropy, LossKind::Nll], CLASSES),
        ("ignore_index", span(raw.ignore_index.as_ref()), &[LossKind::CrossEntropy, LossKind::Nll], CLASSES),
        (
            "label_smoothing",
            span(raw.label_smoothing.as_ref()),
            &[LossKind::CrossEntropy],
            "PyTorch has it there alone",
        ),
        ("delta", span(raw.delta.as_ref()), &[LossKind::Huber], "no other has a bend"),
        ("reduction", span(raw.reduction.as_ref()), &LossKind::ALL, "the function makes one number itself"),
    ];
    for (key, span, kinds, why) in written {
        let (Some(span), false) = (span, kind.is_some_and(|kind| kinds.contains(&kind))) else { continue };
        let who = kind.map_or_else(|| "a `function` alone".to_owned(), |kind| format!("`{}`", kind.name()));
        let of = kinds.iter().map(|kind| format!("`{}`", kind.name())).collect::<Vec<_>>().join(" and ");
        let mut error = reader.error("unknown-key", span, format!("{who} has no `{key}`")).label(why);
        error = error.help(match (key, kind) {
            ("class_weights" | "ignore_index", Some(LossKind::Bce | LossKind::BceWithLogits)) => {
                "give the model two outputs and use \"cross_entropy\", or write the loss as a `function`".to_owned()
            }
            ("reduction", _) => "remove it".to_owned(),
            _ => format!("it is an option of {of}"),
        });
        reader.push(error);
        good = false;
    }
    if let Some(weights) = &raw.class_weights
        && !(weights.get_ref().iter().all(|w| w.is_finite() && *w >= 0.0) && weights.get_ref().iter().any(|w| *w > 0.0))
    {
        let error = reader
            .error("wrong-value", weights.span(), "wrong value of `class_weights` in [loss]")
            .label("expected a number of 0 or more for each class, and one above 0");
        reader.push(error);
        good = false;
    }
    let class_axis = raw.class_axis.as_ref().and_then(|axis| match axis.get_ref() {
        1 => Some(ClassAxis::Second),
        -1 => Some(ClassAxis::Last),
        _ => None,
    });
    if let (Some(axis), None) = (&raw.class_axis, class_axis) {
        let error = reader
            .error("wrong-value", axis.span(), "wrong value of `class_axis` in [loss]")
            .label(format!("expected 1 or -1, found {}", axis.get_ref()))
            .help("1 is the second axis, of outputs [N, C, ...]; -1 the last, of [N, T, V]");
        reader.push(error);
        good = false;
    }
    if let Some(share) = &raw.label_smoothing {
        good &= bounded(reader, "label_smoothing", share, "a share from 0 to 1", |x| (0.0..=1.0).contains(&x));
    }
    if let Some(delta) = &raw.delta {
        good &= bounded(reader, "delta", delta, "a number above 0", |x| x > 0.0);
    }
    if let Some(name) = &raw.name {
        good &= name::check(reader, "term of the loss", name.get_ref(), name.span().into());
    }
    let function = raw.function.as_ref().map(|path| name::read_path(reader, path));
    good &= function != Some(None);
    good.then(|| Term {
        name: raw.name.map(located),
        kind,
        function: function.flatten(),
        output: raw.output.map(located),
        target: raw.target.map(located),
        weight: raw.weight,
        class_weights: raw.class_weights.map(located),
        class_axis,
        ignore_index: raw.ignore_index.map_or(IGNORE_INDEX, Spanned::into_inner),
        label_smoothing: raw.label_smoothing.map_or(0.0, Spanned::into_inner),
        reduction: raw.reduction.map_or(Reduction::Mean, Spanned::into_inner),
        delta: raw.delta.map_or(1.0, Spanned::into_inner),
    })
}

/// Why only two losses have options by class.
const CLASSES: &str = "this is for class ids";

/// Properties name terms: no two may be called the same.
fn distinct(reader: &mut Reader<'_>, terms: &[(Span, Term)]) -> bool {
    for (index, (span, term)) in terms.iter().enumerate() {
        let Some((first, _)) = terms[..index].iter().find(|(_, other)| other.title() == term.title()) else { continue };
        let at = term.name.as_ref().map_or(*span, |name| name.span);
        let error = reader
            .error("duplicate-name", at, format!("two terms of the loss are called `{}`", term.title()))
            .label("the second one")
            .also(*first, "the first one")
            .help("give each its own `name = \"...\"`");
        reader.push(error);
        return false;
    }
    true
}

fn bounded(reader: &mut Reader<'_>, key: &str, found: &Spanned<f64>, words: &str, holds: fn(f64) -> bool) -> bool {
    let value = *found.get_ref();
    if value.is_finite() && holds(value) {
        return true;
    }
    let error = reader
        .error("wrong-value", found.span(), format!("wrong value of `{key}` in [loss]"))
        .label(format!("expected {words}, found {value}"));
    reader.push(error);
    false
}

fn span<T>(value: Option<&Spanned<T>>) -> Option<Span> {
    value.map(|value| value.span().into())
}

fn located<T>(value: Spanned<T>) -> Located<T> {
    let span = value.span();
    Located::new(value.into_inner(), span)
}

/// The schema of `[loss]`: one table, or several.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    let one = LossTable::json_schema(generator).to_value();
    generator.definitions_mut().insert("term".to_owned(), one);
    let one = json_schema!({ "$ref": "#/definitions/term" });
    json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
}
