//! Hand-made events for the tests of the reports.

use serde_json::json;

use super::event::{Evidence, Location, PropertyEvent, SeedValue};
use crate::check::Stage;
use crate::judge::{Band, Interval, Rule, Verdict};
use crate::spec::property::Level;

/// The example of the JSON format's contract.
#[expect(clippy::approx_constant, reason = "the contract's own digits")]
pub(super) fn contract() -> PropertyEvent {
    PropertyEvent {
        package: "digits".into(),
        spec: "digits".into(),
        rung: None,
        property: "initial_loss".into(),
        check: "initial_loss".into(),
        stage: Stage::Loss,
        level: Level::Deny,
        verdict: Verdict::Pass,
        value: Some(2.2951),
        at: None,
        by: serde_json::Map::new(),
        band: Band { min: Some(2.0723), max: Some(4.3749), expect: Some(2.3026) },
        interval: Some(Interval { low: Some(2.28), high: Some(2.31), confidence: 0.99 }),
        rule: Some(Rule::Mean),
        seeds: vec![SeedValue { seed: 0, value: Some(2.2904) }],
        causes: Vec::new(),
        blocked_by: None,
        duration_ms: 12.4,
        message: "...".into(),
        help: vec!["...".into()],
        span: Location { file: "specs/digits.toml".into(), line: 20 },
        reason: None,
        evidence: Evidence::default(),
    }
}

pub(super) fn passing() -> PropertyEvent {
    PropertyEvent {
        message: "loss at initialisation: 2.2951, within 2.0723 to 4.3749 (expected 2.3026; mean of 5 seeds)".into(),
        help: Vec::new(),
        seeds: (0..5).map(|seed| SeedValue { seed, value: Some(2.2904) }).collect(),
        evidence: Evidence { line: Some("[property.initial_loss]".into()), ..Evidence::default() },
        ..contract()
    }
}

pub(super) fn failing() -> PropertyEvent {
    let by = json!({
        "body.0.bias": 0.7, "body.0.weight": 0.31, "body.2.weight": 0.002, "embedding.weight": null, "head.weight": 0.14
    });
    let serde_json::Value::Object(by) = by else { unreachable!("an object was written") };
    PropertyEvent {
        property: "update_ratio".into(),
        check: "update_ratio".into(),
        stage: Stage::Connections,
        verdict: Verdict::Fail,
        value: Some(0.31),
        at: Some("body.0.weight".into()),
        by,
        band: Band { min: Some(5e-5), max: Some(0.1), expect: Some(1e-3) },
        interval: Some(Interval { low: Some(0.29), high: Some(0.33), confidence: 0.99 }),
        seeds: (0..5).map(|seed| SeedValue { seed, value: Some(0.31) }).collect(),
        causes: vec!["learning_rate_high".into()],
        message: "update ratio, body.0.weight: 0.31 is above 0.1 (expected 0.001; mean of 5 seeds)".into(),
        help: vec![
            "update ratio of body.0.weight is 0.31, 310 times the expected 0.001: try lr = 3e-4 instead of 0.1".into(),
        ],
        span: Location { file: "specs/digits.toml".into(), line: 31 },
        evidence: Evidence {
            outside: vec!["body.0.weight".into(), "head.weight".into()],
            unjudged: vec!["body.0.bias".into(), "embedding.weight".into()],
            line: Some("[property.update_ratio]".into()),
            ..Evidence::default()
        },
        ..contract()
    }
}

pub(super) fn inconclusive() -> PropertyEvent {
    PropertyEvent {
        property: "learns".into(),
        check: "learns".into(),
        stage: Stage::Start,
        verdict: Verdict::Inconclusive,
        value: Some(0.9),
        at: Some("of blank inputs".into()),
        band: Band { min: None, max: Some(0.9), expect: None },
        interval: Some(Interval { low: Some(0.88), high: Some(0.92), confidence: 0.99 }),
        seeds: (0..40).map(|seed| SeedValue { seed, value: Some(0.9) }).collect(),
        message: "loss after training, of blank inputs: 0.8985 is too near an edge to tell, at most 0.9 (mean of 40 seeds); about 120 seeds would settle it".into(),
        help: vec!["set `seeds = 120` in [property.learns], or move the edge of the band that the value is near".into()],
        span: Location { file: "specs/digits.toml".into(), line: 35 },
        evidence: Evidence { line: Some("[property.learns]".into()), ..Evidence::default() },
        ..contract()
    }
}

pub(super) fn skipped() -> PropertyEvent {
    PropertyEvent {
        property: "overfit".into(),
        verdict: Verdict::Skipped,
        value: None,
        band: Band::default(),
        interval: None,
        seeds: Vec::new(),
        message: "batch norm cannot take 2 examples; set `points = 4`".into(),
        help: Vec::new(),
        ..contract()
    }
}

pub(super) fn error(property: &str) -> PropertyEvent {
    PropertyEvent {
        property: property.into(),
        verdict: Verdict::Error,
        value: None,
        band: Band::default(),
        interval: None,
        rule: None,
        seeds: Vec::new(),
        message: "the builder panicked: no room for 4 heads (initial loss, seed 0)".into(),
        help: vec!["at src/model.rs:12:5".into()],
        evidence: Evidence { line: Some(format!("[property.{property}]")), ..Evidence::default() },
        ..contract()
    }
}

pub(super) fn warning() -> PropertyEvent {
    PropertyEvent { property: "slow-start".into(), level: Level::Warn, ..failing() }
}
