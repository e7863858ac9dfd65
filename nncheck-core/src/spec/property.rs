//! `[property.*]`: what must hold. The keys that every property has are typed here; the check's own parameters stay a
//! table with places until [`crate::suite`] binds them.

mod band;
mod read;
mod with;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::expression::Expression;
use super::tolerance::Tolerance;
use crate::diagnostic::{Located, Span};
use crate::measurement::Share;
pub(crate) use read::{LATER, SettingsTable};
pub use with::With;

/// How much a failing property weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A failure fails the run.
    #[default]
    Deny,
    /// A failure is shown and never fails the run.
    Warn,
}

/// The keys that every property has.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The value to expect.
    pub expect: Option<Located<Expression>>,
    /// How far from `expect` the value may be.
    pub within: Option<Located<Tolerance>>,
    /// The least that holds.
    pub min: Option<Located<Expression>>,
    /// The most that holds.
    pub max: Option<Located<Expression>>,
    /// How much a failure weighs, where the property says.
    pub level: Option<Level>,
    /// An ignored test: runs with `--include-ignored`.
    pub slow: bool,
    /// Seeds to begin with, instead of `[run] seeds`.
    pub seeds: Option<u32>,
    /// Not run, with the reason.
    pub off: Option<String>,
    /// What may be so here: `param:GLOB`, `layer:GLOB`, `cause:ID`.
    pub allow: Vec<Located<Allowance>>,
    /// Why it may be so; shown.
    pub reason: Option<String>,
    /// The training program changed for this property only.
    pub with: Option<With>,
    /// Only layers and parameters whose names fit this glob are judged.
    pub layers: Option<Located<String>>,
    /// Only this term of the loss is judged, before weighting.
    pub term: Option<Located<String>>,
    /// The share of the data that it is judged on.
    pub split: Option<Located<Share>>,
}

/// Something that the spec declares to be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Allowance {
    /// Parameters by glob.
    Parameter(String),
    /// Layers by glob.
    Layer(String),
    /// A cause of failure by id.
    Cause(String),
}

/// A way to narrow what a check judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrow {
    /// `layers`: only some layers or parameters.
    Layers,
    /// `term`: one term of the loss.
    Term,
    /// `split`: another share of the data.
    Split,
}

impl Narrow {
    /// All of them, with their keys.
    pub const ALL: [(&'static str, Self); 3] = [("layers", Self::Layers), ("term", Self::Term), ("split", Self::Split)];

    /// Why a check does not take it.
    #[must_use]
    pub fn refusal(self) -> &'static str {
        match self {
            Self::Layers => "it judges the whole model, not single layers or parameters",
            Self::Term => "it is not about single terms of the loss",
            Self::Split => "it is about training, and judges the training share",
        }
    }
}

/// One `[property.NAME]` table.
#[derive(Clone, Debug)]
pub struct PropertyTable<'i> {
    /// The table's name.
    pub name: Located<String>,
    /// The check that it uses: `check`, else the table's name.
    pub check: Located<String>,
    /// The keys that every property has.
    pub settings: Settings,
    /// All other keys: the check's parameters.
    pub parameters: toml::de::DeTable<'i>,
    /// The table, or its header.
    pub span: Span,
    /// Where a key for the band was written, if any: for checks that take none.
    pub band_key: Option<Located<&'static str>>,
    /// Where a key that narrows what is judged was written, and which.
    pub narrow_keys: Vec<Located<Narrow>>,
    /// `with.steps`, for the check's own parameter of that meaning.
    pub steps: Option<toml::Spanned<toml::de::DeValue<'i>>>,
}
