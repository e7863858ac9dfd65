//! Hand-made samples for the tests of the rules.

use super::{Band, Entry, Judged, Look, Sample, Scale};

pub(super) fn entry(name: &str, value: f64, min: Option<f64>, max: Option<f64>) -> Entry {
    Entry {
        name: Some(name.to_owned()),
        value: Some(value),
        band: Some(Band { min, max, expect: None }),
        scale: Scale::Linear,
    }
}

pub(super) fn seen(value: f64, min: Option<f64>, max: Option<f64>) -> Sample {
    Sample::Seen(vec![Entry { name: None, ..entry("", value, min, max) }])
}

pub(super) fn judged(look: Look) -> Judged {
    match look {
        Look::Decided(judged) => *judged,
        Look::More(n) => panic!("undecided, wants {n} seeds"),
    }
}

impl Entry {
    pub(super) fn unjudged(self) -> Self {
        Self { band: None, ..self }
    }

    pub(super) fn log(self) -> Self {
        Self { scale: Scale::Log, ..self }
    }
}
