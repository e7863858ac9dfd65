//! `value`: the user's own number.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Cause, Check, CheckType, Context, Info, Stage};
use crate::diagnostic::Located;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::score::Training;
use crate::measurement::{Measurement, Request, ValueAsk};
use crate::spec::Subject;
use crate::spec::rust_path::Role;

/// A number of your own lies in the property's band.
///
/// ## What it measures
/// The number that `function`, `fn(&mut nncheck::Program) -> f64` in your library, returns for the training program as it
/// was built with each seed. It may run the model, compute losses and train.
///
/// ## Why it matters
/// What a model is for is known to whoever makes it: a divergence that has to stay small, a symmetry, a speed.
///
/// ## Usual causes
/// They are yours to know: nncheck sees the number alone.
///
/// ## What to try
/// `cargo nncheck explain signatures` shows the signature; state `min`, `max`, or `expect` with `within`.
///
/// ## Defaults
/// There are none: the band is the property's.
///
/// ## Sources
/// The escape hatch of every test framework: an assertion of your own.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// A Rust function of your library, by path.
    #[serde(deserialize_with = "super::parameter::path")]
    #[schemars(with = "String")]
    pub function: Located<String>,
}

impl CheckType for Value {
    const INFO: Info = Info {
        id: "value",
        stage: Stage::Control,
        rule: Rule::Mean,
        takes_band: true,
        narrows: &[],
        trains: false,
        causes: &[],
    };
}

impl Check for Value {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![Request::Value(ValueAsk { function: self.function.value.clone(), after: Training::Steps(0) })]
    }

    fn paths(&self) -> Vec<(Role, &Located<String>)> {
        vec![(Role::Value, &self.function)]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let Some(Measurement::Value(seen)) = taken.first() else {
            return Sample::Unanswerable("its number is missing (this is a fault in nncheck)".to_owned());
        };
        let band = match context.band(&seen.facts, Band::default()) {
            Ok(band) => band,
            Err(why) => return Sample::Unanswerable(why),
        };
        if band == Band::default() {
            return Sample::Unanswerable(
                "the property does not say where the number has to lie: state `min`, `max`, or `expect` with `within`"
                    .to_owned(),
            );
        }
        Sample::Seen(vec![Entry { name: None, value: Some(seen.value), band: Some(band), scale: Scale::Linear }])
    }

    fn quantity(&self) -> &'static str {
        "value"
    }

    fn diagnose(&self, _context: &Context<'_>, _judged: &Judged, _taken: &[Vec<Measurement>]) -> Vec<Cause> {
        Vec::new()
    }
}

#[cfg(test)]
#[path = "tests/value.rs"]
mod tests;
