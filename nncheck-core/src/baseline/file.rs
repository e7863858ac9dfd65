//! The file: read with what is wrong and where, and written so that equal baselines are equal files.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, Error};

use super::{Accepted, Baseline, Measured, Quantity, VERSION, Values};
use crate::diagnostic::{Span, suggest};
use crate::judge::{Scale, mean, student};

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// In words.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// Reads a file.
///
/// # Errors
/// When it is none, one of another version, or its numbers do not belong together.
pub fn read(text: &str) -> Result<Baseline, Broken> {
    // Another version's file need not be readable to be refused in plain words.
    let any: serde_json::Value = serde_json::from_str(text).map_err(|e| broken(text, &e))?;
    match any.get("version").map(serde_json::Value::as_u64) {
        Some(Some(found)) if found == u64::from(VERSION) => {}
        Some(Some(found)) => {
            let start = text.find("\"version\"").unwrap_or_default();
            return Err(Broken {
                message: format!("it is of version {found}, and this nncheck reads version {VERSION}"),
                span: Span { start, end: (start + "\"version\"".len()).min(text.len()) },
            });
        }
        Some(None) | None => {
            let message = "it has no `version` with a number: this is no baseline of nncheck".to_owned();
            return Err(Broken {
                message,
                span: Span { start: 0, end: text.chars().next().map_or(0, char::len_utf8) },
            });
        }
    }
    serde_json::from_str(text).map_err(|e| broken(text, &e))
}

/// The text of a file.
#[must_use]
pub fn write(baseline: &Baseline) -> String {
    serde_json::to_string_pretty(baseline).unwrap_or_default() + "\n"
}

/// What the reader of JSON says, without its own words for the place.
fn broken(text: &str, error: &serde_json::Error) -> Broken {
    let whole = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let mut message = whole.strip_suffix(&place).unwrap_or(&whole).to_owned();
    let known = Quantity::ALL.map(Quantity::name);
    if let Some(near) = unknown(&message).and_then(|name| suggest::nearest(name, known)) {
        message = format!("{message}; did you mean `{near}`?");
    }
    // Names come from the file.
    let message =
        message.chars().map(|c| if c.is_control() { c.escape_debug().to_string() } else { c.into() }).collect();
    let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = (line_start + error.column().saturating_sub(1)).min(text.len());
    let start = (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let end = text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
    Broken { message, span: Span { start, end } }
}

/// The name that is not known, in the words of serde.
fn unknown(message: &str) -> Option<&str> {
    message.strip_prefix("unknown variant `")?.split('`').next()
}

/// Numbers by seed. In an event, whose kind stands among its keys, serde reads no numbers as keys.
pub(super) fn seeds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<u64, f64>, D::Error> {
    let written = BTreeMap::<String, f64>::deserialize(deserializer)?;
    let seed = |text: String| text.parse().map_err(|_| D::Error::custom(format_args!("`{text}` is no seed")));
    written.into_iter().map(|(text, value)| Ok((seed(text)?, value))).collect()
}

/// What was read, before its numbers are held against one another: files are merged, and edited by hand.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unproven {
    nncheck: String,
    tch: Option<String>,
    libtorch: Option<String>,
    measured: Measured,
    quantities: BTreeMap<Quantity, Values>,
}

impl TryFrom<Unproven> for Accepted {
    type Error = String;

    fn try_from(read: Unproven) -> Result<Self, String> {
        let Unproven { nncheck, tch, libtorch, measured, quantities } = read;
        let Some(first) = quantities.values().next() else { return Err("it holds no quantity".to_owned()) };
        if first.seeds.len() < 2 {
            return Err("it has fewer than two seeds".to_owned());
        }
        for (quantity, values) in &quantities {
            let name = quantity.name();
            if !values.seeds.keys().eq(first.seeds.keys()) {
                return Err(format!("`{name}` has other seeds than the quantity before it"));
            }
            let numbers: Vec<f64> = values.seeds.values().copied().collect();
            let same = |a: f64, b: Option<f64>| {
                b.filter(|b| b.is_finite()).is_some_and(|b| (a - b).abs() <= 1e-9 * (values.unit() + b.abs()))
            };
            if !same(values.mean, mean(&numbers, Scale::Linear)) || !same(values.spread, student::spread(&numbers)) {
                return Err(format!("`mean` and `spread` of `{name}` are not those of its seeds"));
            }
        }
        if quantities.contains_key(&Quantity::Metric) != measured.metric.is_some() {
            return Err("`metric` is named among one of `measured` and `quantities` alone".to_owned());
        }
        Ok(Self { nncheck, tch, libtorch, measured, quantities })
    }
}
