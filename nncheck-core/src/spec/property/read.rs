//! From `[property.NAME]` to the keys that every property has; all others are left for the check.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::with::{With, WithTable};
use super::{Allowance, Level, Narrow, PropertyTable, Settings};
use crate::diagnostic::{Located, Span};
use crate::measurement::Share;
use crate::spec::expression::Expression;
use crate::spec::read::{Form, Place, Reader, found};
use crate::spec::tolerance::Tolerance;
use crate::spec::values::{Reason, Written};
use crate::spec::{glob, name};

/// The keys that every property has.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct SettingsTable {
    /// The check that it uses; the table's name, if left out.
    #[schemars(with = "Option<String>")]
    check: Option<Spanned<String>>,
    /// The value to expect: a number or an expression such as "ln(k)"; ln exp sqrt abs min max, k classes, n examples,
    /// entropy(priors), mean(y), var(y).
    #[schemars(with = "Option<Written>")]
    expect: Option<Spanned<Written>>,
    /// How far from `expect` the value may be: a number, "10%" of |expect|, or "x10", a factor either way.
    #[schemars(with = "Option<Written>")]
    within: Option<Spanned<Written>>,
    /// The least that holds: a number or an expression.
    #[schemars(with = "Option<Written>")]
    min: Option<Spanned<Written>>,
    /// The most that holds: a number or an expression.
    #[schemars(with = "Option<Written>")]
    max: Option<Spanned<Written>>,
    /// How much a failure weighs: "deny" fails the run, "warn" is only shown.
    level: Option<Level>,
    /// An ignored test: runs with --include-ignored.
    slow: bool,
    /// Seeds to begin with, instead of those of [run].
    seeds: Option<NonZeroU32>,
    /// Not run, with the reason.
    #[schemars(with = "Option<String>")]
    off: Option<Spanned<Reason>>,
    /// What may be so here: param:GLOB, layer:GLOB or cause:ID; a bare word is a parameter glob.
    #[schemars(with = "Vec<String>")]
    allow: Vec<Spanned<String>>,
    /// Why it may be so; shown.
    #[schemars(with = "Option<String>")]
    reason: Option<Reason>,
    /// The training program changed for this property only.
    #[schemars(with = "Option<WithTable>")]
    with: Option<Spanned<WithTable>>,
    /// Only layers and parameters whose names fit this glob are judged.
    #[schemars(with = "Option<String>")]
    layers: Option<Spanned<String>>,
    /// Only this term of the loss is judged, by its name, before weighting.
    #[schemars(with = "Option<String>")]
    term: Option<Spanned<String>>,
    /// The share of the data that it is judged on: "training" or "validation".
    #[schemars(with = "Option<Share>")]
    split: Option<Spanned<Share>>,
}

/// Keys of later versions, unless the check has them.
pub(crate) const LATER: &[&str] = &["function"];
/// The keys that make a band.
const BAND: [&str; 4] = ["expect", "within", "min", "max"];

impl<'i> PropertyTable<'i> {
    /// Reads one property. `None` only where there is not even a table; what is wrong with its keys is reported, and the
    /// check's parameters can be read all the same.
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        form: &Form,
        key: &Spanned<std::borrow::Cow<'i, str>>,
        value: &Spanned<DeValue<'i>>,
    ) -> Option<Self> {
        let name = Located::new(key.get_ref().to_string(), key.span());
        name::check(reader, "property", &name.value, name.span);
        let what = format!("[property.{}]", name.value.escape_debug());
        let Some(table) = value.get_ref().as_table() else {
            let error = reader
                .error(
                    "wrong-type",
                    value.span(),
                    format!("wrong type of `{}` in [property]", name.value.escape_debug()),
                )
                .label(format!("expected a table, found {}", found(value.get_ref())))
                .help(format!("write {what} as a table of its own"));
            reader.push(error);
            return None;
        };
        let (mut common, mut parameters) = (DeTable::new(), DeTable::new());
        for (key, value) in table {
            let part = if form.has(key.get_ref()) { &mut common } else { &mut parameters };
            part.insert(key.clone(), value.clone());
        }
        let place = Place { what: &what, span: value.span().into() };
        let band_key = BAND
            .iter()
            .filter_map(|band| common.get_key_value(*band).map(|(key, _)| Located::new(*band, key.span())))
            .min_by_key(|key| key.span.start);
        let narrow_keys = Narrow::ALL
            .iter()
            .filter_map(|(key, narrow)| common.get_key_value(*key).map(|(key, _)| Located::new(*narrow, key.span())));
        let narrow_keys = narrow_keys.collect();
        let steps = common.get("with").and_then(|with| with.get_ref().as_table()?.get("steps").cloned());
        let raw = reader.table(place, &common, form, &[], |t| SettingsTable::deserialize(Deserializer::from(t)));
        let raw = raw.value.unwrap_or_default();
        let check = match &raw.check {
            Some(check) => Located::new(check.get_ref().clone(), check.span()),
            None => name.clone(),
        };
        let settings = settings(reader, &what, raw);
        // What is wrong with it was told with the table that it stands in.
        let steps = steps.filter(|_| settings.with.as_ref().is_some_and(|with| with.steps.is_some()));
        Some(Self { name, check, settings, parameters, span: place.span, band_key, narrow_keys, steps })
    }
}

fn settings(reader: &mut Reader<'_>, what: &str, raw: SettingsTable) -> Settings {
    let mut edge = |key: &str, written: Option<Spanned<Written>>| expression(reader, what, key, &written?);
    let (expect, min, max) = (edge("expect", raw.expect), edge("min", raw.min), edge("max", raw.max));
    if let (Some(low), Some(high)) = (&min, &max)
        && let (Some(least), Some(most)) = (low.value.constant(), high.value.constant())
        && least > most
    {
        let error = reader
            .error("wrong-value", low.span, format!("`min` is above `max` in {what}"))
            .label(format!("expected at most {most}, found {least}"))
            .also(high.span, "the other edge");
        reader.push(error);
    }
    let within = raw.within.and_then(|written| tolerance(reader, what, &written));
    if let (Some(within), Some(expect)) = (&within, &expect)
        && let Some(value) = expect.value.constant()
        && let Err(why) = within.value.around(value)
    {
        let error = reader.error("wrong-value", within.span, format!("wrong value of `within` in {what}")).label(why);
        reader.push(error);
    }
    if let Some(off) = raw.off.as_ref().filter(|off| off.get_ref().0.trim().is_empty()) {
        let error = reader
            .error("wrong-value", off.span(), format!("wrong value of `off` in {what}"))
            .label("expected the reason why it is not run");
        reader.push(error);
    }
    Settings {
        expect,
        within,
        min,
        max,
        level: raw.level,
        slow: raw.slow,
        seeds: raw.seeds.map(NonZeroU32::get),
        off: raw.off.map(|off| off.into_inner().0),
        allow: raw.allow.iter().filter_map(|text| allowance(reader, what, text)).collect(),
        reason: raw.reason.map(|reason| reason.0),
        with: raw.with.map(|with| With::read(reader, what, with.into_inner())),
        layers: raw
            .layers
            .filter(|glob| glob::check(reader, glob.get_ref(), glob.span().into()))
            .map(|glob| Located::new(glob.get_ref().clone(), glob.span())),
        term: raw.term.map(located),
        split: raw.split.map(located),
    }
}

fn located<T>(value: Spanned<T>) -> Located<T> {
    let span = value.span();
    Located::new(value.into_inner(), span)
}

fn expression(
    reader: &mut Reader<'_>,
    what: &str,
    key: &str,
    written: &Spanned<Written>,
) -> Option<Located<Expression>> {
    let span: Span = written.span().into();
    match written.get_ref() {
        Written::Number(number) if number.is_finite() => Some(Located::new(Expression::number(*number), span)),
        Written::Number(number) => {
            let error = reader
                .error("wrong-value", span, format!("wrong value of `{key}` in {what}"))
                .label(format!("expected a finite number, found {number}"));
            reader.push(error);
            None
        }
        Written::Text(text) => match Expression::parse(text) {
            Ok(expression) => Some(Located::new(expression, span)),
            Err(why) => {
                let place = inside(reader, span, text, why.range.start, why.range.end);
                let error = reader
                    .error("bad-expression", place, format!("`{key}` in {what} is no expression: {}", why.message))
                    .label(why.help.clone().unwrap_or(why.message));
                let error = error.help("an expression is arithmetic such as \"ln(k)\", \"2 * var(y)\"");
                reader.push(error);
                None
            }
        },
    }
}

/// The place of a part of a string, where the string is written without escapes; else the whole string.
fn inside(reader: &Reader<'_>, span: Span, text: &str, start: usize, end: usize) -> Span {
    let written = reader.file.written(span);
    let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or_default();
    if inner == text { Span { start: span.start + 1 + start, end: span.start + 1 + end } } else { span }
}

fn tolerance(reader: &mut Reader<'_>, what: &str, written: &Spanned<Written>) -> Option<Located<Tolerance>> {
    let tolerance = match written.get_ref() {
        Written::Number(by) if by.is_finite() && *by >= 0.0 => Ok(Tolerance::Absolute(*by)),
        Written::Number(by) => Err(format!("expected a tolerance of 0 or more, found {by}")),
        Written::Text(text) => Tolerance::parse(text),
    };
    match tolerance {
        Ok(tolerance) => Some(Located::new(tolerance, written.span())),
        Err(why) => {
            let error = reader
                .error("bad-tolerance", written.span(), format!("wrong value of `within` in {what}"))
                .label(why)
                .help("`within` is a number, \"10%\" of |expect|, or \"x10\", a factor either way");
            reader.push(error);
            None
        }
    }
}

fn allowance(reader: &mut Reader<'_>, what: &str, text: &Spanned<String>) -> Option<Located<Allowance>> {
    let (kind, value) = text.get_ref().split_once(':').unwrap_or(("param", text.get_ref()));
    let span: Span = text.span().into();
    let allowance = match kind {
        "param" => Allowance::Parameter(value.to_owned()),
        "layer" => Allowance::Layer(value.to_owned()),
        "cause" => return Some(Located::new(Allowance::Cause(value.to_owned()), span)),
        other => {
            let error = reader
                .error("unknown-value", span, format!("unknown kind `{}` in `allow` of {what}", other.escape_debug()))
                .label("expected param:GLOB, layer:GLOB or cause:ID");
            reader.push(error);
            return None;
        }
    };
    glob::check(reader, value, span).then(|| Located::new(allowance, span))
}
