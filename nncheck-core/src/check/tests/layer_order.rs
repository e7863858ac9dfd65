use super::*;
use crate::check::fixture::{self, Outcome, outcome, subject_with};
use crate::judge::Verdict;
use crate::measurement::dropout::Shift;
use crate::spec::property::Settings;

fn judged(kind: LossKind, operator: &str, change: impl Fn(&mut Initial), shifts: &[f64]) -> Outcome {
    let mut first = Initial { last_operator: Some(operator.to_owned()), ..fixture::initial() };
    change(&mut first);
    let shifts = shifts.iter().map(|&on| Shift { layer: "norm".into(), on, off: 1.0 }).collect();
    let dropouts = Dropouts { cannot: None, layers: Vec::new(), in_eval: Vec::new(), shifts };
    outcome(&LayerOrder::default(), &subject_with(kind), &Settings::default(), &[first.into(), dropouts.into()])
}

fn targets(mean: f64, std: f64) -> impl Fn(&mut Initial) {
    move |first| (first.facts.target_mean, first.facts.target_variance) = (Some(mean), Some(std * std))
}

#[test]
fn raw_scores_pass_and_activations_before_a_loss_with_its_own_fail() {
    assert_eq!(judged(LossKind::CrossEntropy, "linear", |_| (), &[]).judged.verdict, Verdict::Pass);
    assert_eq!(judged(LossKind::CrossEntropy, "log_softmax", |_| (), &[]).judged.verdict, Verdict::Pass);
    for operator in ["softmax", "relu", "sigmoid", "tanh"] {
        let found = judged(LossKind::CrossEntropy, operator, |_| (), &[]);
        assert_eq!(found.causes, ["output_activation"], "{operator}");
        assert!(found.help.contains(operator), "{}", found.help);
    }
    assert_eq!(judged(LossKind::BceWithLogits, "sigmoid", |_| (), &[]).judged.verdict, Verdict::Fail);
    assert_eq!(judged(LossKind::Bce, "sigmoid", |_| (), &[]).judged.verdict, Verdict::Pass);
    assert_eq!(judged(LossKind::Nll, "softmax", |_| (), &[]).judged.verdict, Verdict::Fail);
}

#[test]
fn a_regression_may_be_bounded_where_its_targets_are() {
    let verdict = |operator, change: &dyn Fn(&mut Initial)| judged(LossKind::Mse, operator, change, &[]).judged.verdict;
    assert_eq!(verdict("relu", &targets(3.0, 1.0)), Verdict::Pass);
    assert_eq!(verdict("relu", &targets(0.0, 1.0)), Verdict::Fail);
    assert_eq!(verdict("sigmoid", &targets(0.5, 0.3)), Verdict::Pass);
    assert_eq!(verdict("tanh", &targets(0.0, 2.0)), Verdict::Fail);
    assert_eq!(verdict("linear", &targets(0.0, 2.0)), Verdict::Pass);
}

#[test]
fn dropout_is_no_last_layer() {
    assert_eq!(judged(LossKind::CrossEntropy, "dropout", |_| (), &[]).causes, ["output_dropout"]);
}

#[test]
fn dropout_before_batch_norm_is_advice() {
    let found = judged(LossKind::CrossEntropy, "linear", |_| (), &[1.5]);
    assert_eq!(found.causes, ["variance_shift"]);
    assert!(LayerOrder::default().advises("norm") && !LayerOrder::default().advises(LAST));
    assert_eq!(judged(LossKind::CrossEntropy, "linear", |_| (), &[1.01]).judged.verdict, Verdict::Pass);
}

#[test]
fn a_program_without_outputs_is_nothing_to_see() {
    let found = judged(LossKind::CrossEntropy, "", |first| first.last_operator = None, &[]);
    assert_eq!(found.judged.verdict, Verdict::Skipped);
}
