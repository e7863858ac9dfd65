//! `[property.*]`: what must hold. The keys that every property has are typed here; the check's own parameters stay a
//! table with places until [`crate::suite`] binds them.

mod band;
mod read;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::expression::Expression;
use super::tolerance::Tolerance;
use crate::diagnostic::{Located, Span};
pub(crate) use read::{LATER, SettingsTable};

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
    /// How much a failure weighs.
    pub level: Level,
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
}
