use super::*;
use crate::check::fixture::{Outcome, allow, outcome, subject};
use crate::diagnostic::Located;
use crate::judge::Verdict;
use crate::spec::layer::{Layer, LayerInit, LayerKind, Linear};
use crate::spec::property::{Allowance, Settings};

/// A tensor [20, 50] whose entries are the quantiles of a uniform distribution.
fn uniform(parameter: &str, bound: f64) -> WeightTensor {
    let sampled = 10_000;
    #[expect(clippy::cast_precision_loss, reason = "few entries")]
    let quantile = |rank: usize| bound * (2.0 * (rank as f64 + 0.5) / sampled as f64 - 1.0);
    let ordered: Vec<f64> = WeightTensor::ranks(sampled).into_iter().map(quantile).collect();
    WeightTensor {
        parameter: parameter.to_owned(),
        shape: vec![20, 50],
        trainable: true,
        norm: 1.0,
        mean: 0.0,
        std: bound / 3f64.sqrt(),
        sampled,
        ordered,
        twins: 0,
    }
}

/// PyTorch's bound for 50 inputs.
fn pytorch() -> f64 {
    1.0 / 50f64.sqrt()
}

fn layers() -> Subject {
    let linear: Linear = serde_json::from_str("{\"out\": 20}").unwrap();
    let layer = Layer { name: Some("hidden".into()), init: LayerInit::default(), kind: LayerKind::Linear(linear) };
    let mut subject = subject();
    subject.model.source = ModelSource::Layers(vec![Located::new(layer, 0..0)]);
    subject
}

fn judged(check: &WeightInit, subject: &Subject, before: WeightTensor, after: WeightTensor) -> Outcome {
    let taken = [before, after].map(|tensor| Weights { tensors: vec![tensor] }.into());
    outcome(check, subject, &Settings::default(), &taken)
}

#[test]
fn weights_as_declared_pass_whether_by_layers_or_by_the_property() {
    let tensor = || uniform("hidden.weight", pytorch());
    let found = judged(&WeightInit::default(), &layers(), tensor(), tensor());
    assert_eq!(found.judged.verdict, Verdict::Pass);
    assert!(found.judged.by.iter().any(|(name, _)| name == "hidden.weight"));
    let declared = WeightInit { init: Some(Init::Pytorch), ..WeightInit::default() };
    assert_eq!(judged(&declared, &subject(), tensor(), tensor()).judged.verdict, Verdict::Pass);
}

#[test]
fn another_spread_is_told_with_its_factor() {
    let wide = || uniform("hidden.weight", 3.0 * pytorch());
    let found = judged(&WeightInit::default(), &layers(), wide(), wide());
    assert_eq!(found.causes, ["other_scale"]);
    assert!(found.help.contains("3 times as wide"), "{}", found.help);
}

#[test]
fn another_distribution_is_told_by_its_name() {
    let declared = WeightInit { init: Some(Init::XavierNormal), ..WeightInit::default() };
    let tensor = || uniform("hidden.weight", pytorch());
    let found = judged(&declared, &subject(), tensor(), tensor());
    assert_eq!((found.judged.verdict, found.causes), (Verdict::Fail, vec!["other_initialiser"]));
    assert!(found.help.contains("PyTorch's default"), "{}", found.help);
}

#[test]
fn units_that_stay_equal_fail_and_those_that_part_pass() {
    let equal = || WeightTensor { twins: 20, ..uniform("hidden.weight", pytorch()) };
    let found = judged(&WeightInit::default(), &subject(), equal(), equal());
    assert_eq!(found.causes, ["symmetry"]);
    assert!(found.help.contains("20 of 20 units of hidden.weight"), "{}", found.help);
    let parted = uniform("hidden.weight", pytorch());
    assert_eq!(judged(&WeightInit::default(), &subject(), equal(), parted).judged.verdict, Verdict::Pass);
}

#[test]
fn vectors_alone_are_nothing_to_see() {
    let vector = || WeightTensor { shape: vec![20], ..uniform("scale", 1.0) };
    assert_eq!(judged(&WeightInit::default(), &subject(), vector(), vector()).judged.verdict, Verdict::Skipped);
}

#[test]
fn weights_of_a_file_are_moot() {
    let mut subject = subject();
    subject.model.source = ModelSource::TorchScript(Located::new("/m.pt".into(), 0..0));
    let settings = Settings::default();
    assert!(WeightInit::default().moot(&Context { subject: &subject, settings: &settings }).is_some());
}

#[test]
fn what_is_allowed_is_not_judged() {
    let equal = || WeightTensor { twins: 20, ..uniform("hidden.weight", pytorch()) };
    let taken = [equal(), equal()].map(|tensor| Weights { tensors: vec![tensor] }.into());
    let settings = allow(&[Allowance::Parameter("hidden.*".into())]);
    assert_eq!(outcome(&WeightInit::default(), &subject(), &settings, &taken).judged.verdict, Verdict::Skipped);
}
