use super::super::fixture::{Outcome, allow, facts, initial as sound, outcome, subject, subject_with};
use super::*;
use crate::diagnostic::Located;
use crate::judge::Verdict;
use crate::measurement::DataFacts;
use crate::spec::loss::LossKind;
use crate::spec::model::Weights;
use crate::spec::property::{Allowance, Settings};

fn run(subject: &Subject, initial: Initial) -> Outcome {
    outcome(&InitialLoss::default(), subject, &Settings::default(), &[Measurement::Initial(initial)])
}

#[test]
fn a_sound_classifier_passes_in_the_band_around_ln_k() {
    let seen = run(&subject(), sound());
    assert_eq!(seen.judged.verdict, Verdict::Pass);
    // ln 10 = 2.302585; x0.9 and x1.9 of it.
    assert!((seen.judged.band.min.unwrap() - 2.072_326_5).abs() < 1e-6);
    assert!((seen.judged.band.max.unwrap() - 4.374_911_5).abs() < 1e-6);
    assert!((seen.judged.band.expect.unwrap() - std::f64::consts::LN_10).abs() < 1e-12);
    assert_eq!(seen.remark, None);
}

#[test]
fn a_bias_that_starts_at_the_prior_of_20_to_80_is_admitted() {
    let facts = DataFacts { classes: Some(2), priors: vec![0.2, 0.8], ..facts() };
    let ln2 = std::f64::consts::LN_2;
    // The entropy of 20 to 80 is 0.5004.
    let prior = Initial {
        facts,
        loss: 0.5004,
        loss_of_zeros: Some(ln2),
        loss_of_prior: Some(0.5004),
        width: Some(1),
        ..sound()
    };
    assert_eq!(run(&subject_with(LossKind::BceWithLogits), prior.clone()).judged.verdict, Verdict::Pass);
    let lower = Initial { loss: 0.44, ..prior };
    assert_eq!(run(&subject_with(LossKind::BceWithLogits), lower).judged.verdict, Verdict::Fail);
}

#[test]
fn a_regression_is_held_against_the_mean_square_of_its_targets() {
    let facts =
        DataFacts { classes: None, priors: vec![], target_mean: Some(0.0), target_variance: Some(1.0), ..facts() };
    let seen =
        Initial { facts, loss: 1.05, loss_of_zeros: Some(1.0), loss_of_prior: Some(1.0), width: Some(1), ..sound() };
    let passed = run(&subject_with(LossKind::Mse), seen);
    assert_eq!((passed.judged.verdict, passed.judged.band.min), (Verdict::Pass, Some(0.9)));
}

#[test]
fn a_regression_by_a_builder_may_start_as_wide_as_tch_starts() {
    let facts =
        DataFacts { classes: None, priors: vec![], target_mean: Some(0.0), target_variance: Some(1.0), ..facts() };
    let seen = |loss: f64, builder: bool| {
        let mut subject = subject_with(LossKind::Mse);
        if !builder {
            subject.model.source = ModelSource::Layers(Vec::new());
        }
        let start = Initial {
            facts: facts.clone(),
            loss,
            loss_of_zeros: Some(1.0),
            loss_of_prior: Some(1.0),
            width: Some(1),
            ..sound()
        };
        run(&subject, start).judged.verdict
    };
    // Outputs of variance 2 beside targets of variance 1: `nn::linear` on normalised inputs.
    assert_eq!((seen(3.0, true), seen(3.0, false)), (Verdict::Pass, Verdict::Fail));
    assert_eq!(seen(5.0, true), Verdict::Fail);
}

#[test]
fn the_excess_is_told_in_nats_beside_half_the_variance() {
    let seen = run(&subject(), Initial { loss: 3.3025851, output_variance: 2.1, ..sound() });
    assert_eq!(seen.judged.verdict, Verdict::Pass);
    let remark = seen.remark.unwrap();
    assert!(remark.starts_with("1 nats above") && remark.ends_with("is 1.05"), "{remark}");
}

#[test]
fn large_weights_are_named_before_data_that_is_normalised() {
    let seen = run(&subject(), Initial { loss: 12.0, output_variance: 40.0, ..sound() });
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["large_initial_weights"]));
    assert!(seen.help.contains("variance 40"), "{}", seen.help);
}

#[test]
fn unnormalised_data_is_named_before_the_weights() {
    let facts = DataFacts { input_std: Some(70.0), input_max_abs: Some(255.0), ..facts() };
    let seen = run(&subject(), Initial { facts, loss: 31.0, output_variance: 900.0, ..sound() });
    assert_eq!(seen.causes, ["unnormalised_data", "large_initial_weights"]);
    assert!(seen.help.contains("255") && seen.help.contains("70"), "{}", seen.help);
}

#[test]
fn another_width_than_the_classes_fails_by_name_though_the_loss_is_fine() {
    let wide = Initial { width: Some(12), ..sound() };
    let seen = run(&subject(), wide.clone());
    assert_eq!((seen.judged.verdict, seen.judged.at.as_deref()), (Verdict::Fail, Some("output width")));
    assert_eq!((seen.judged.value, seen.causes), (Some(12.0), vec!["output_width"]));
    assert!(seen.help.contains("12 outputs and the data 10 classes"), "{}", seen.help);
    let settings = allow(&[Allowance::Cause("output_width".into())]);
    let allowed = outcome(&InitialLoss::default(), &subject(), &settings, &[Measurement::Initial(wide)]);
    assert_eq!(allowed.judged.verdict, Verdict::Pass);
}

#[test]
fn a_summed_loss_is_recognised_by_the_batch() {
    let summed = || Initial { loss: 2.33 * 64.0, ..sound() };
    let mut own = subject();
    own.loss.terms[0].function = Some(Located::new("digits::loss".to_owned(), 0..0));
    assert_eq!(run(&own, summed()).causes.first(), Some(&"loss_sum"));
    // A mean of nncheck's own is none, however large it is.
    assert!(!run(&subject(), summed()).causes.contains(&"loss_sum"));
}

#[test]
fn a_loss_over_the_batch_axis_is_recognised_by_its_logarithm() {
    let mut wide = subject();
    wide.data.batch = 256;
    let seen = run(&wide, Initial { loss: 256f64.ln(), ..sound() });
    assert_eq!(seen.causes.first(), Some(&"loss_axis"));
}

#[test]
fn an_activation_before_the_loss_is_named() {
    let seen = run(&subject(), Initial { loss: 1.46, last_operator: Some("softmax".into()), ..sound() });
    assert_eq!(seen.causes, ["output_activation", "label_leak"]);
    assert!(seen.help.contains("ends with softmax"));
    let missing = Initial { loss: 0.02, last_operator: Some("linear".into()), ..sound() };
    assert_eq!(run(&subject_with(LossKind::Nll), missing).causes.first(), Some(&"output_activation"));
}

#[test]
fn trained_weights_are_named_before_a_leak() {
    let mut trained = subject();
    trained.model.weights =
        Some(Weights { file: Located::new("/models/mlp.safetensors".into(), 0..0), ignore: vec![] });
    let seen = run(&trained, Initial { loss: 0.05, ..sound() });
    assert_eq!(seen.causes, ["trained_weights", "label_leak"]);
    assert!(seen.help.contains("mlp.safetensors"));
}

#[test]
fn an_offset_of_the_outputs_is_named() {
    let facts =
        DataFacts { classes: None, priors: vec![], target_mean: Some(0.0), target_variance: Some(1.0), ..facts() };
    let seen =
        Initial { facts, loss: 26.0, loss_of_zeros: Some(1.0), output_mean: 5.0, output_variance: 0.2, ..sound() };
    assert_eq!(run(&subject_with(LossKind::Mse), seen).causes, ["output_offset"]);
}

#[test]
fn a_loss_that_is_not_finite_fails() {
    let seen = run(&subject(), Initial { loss: f64::NAN, ..sound() });
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["not_finite"]));
}

#[test]
fn zero_outputs_that_fit_the_targets_leave_nothing_to_see() {
    let facts = DataFacts { classes: None, priors: vec![], ..facts() };
    let seen = run(&subject_with(LossKind::Mse), Initial { facts, loss_of_zeros: Some(0.0), ..sound() });
    assert_eq!(seen.judged.verdict, Verdict::Skipped);
    assert!(seen.judged.reason.unwrap().contains("tells nothing"));
}

#[test]
fn a_term_is_held_against_the_same_term_of_zero_outputs() {
    let mut two = subject();
    two.loss.terms.push(crate::spec::loss::Term::of(Some(LossKind::Mse)));
    let seen = |class: f64, mse: f64| Initial {
        loss: class + mse,
        loss_of_zeros: Some(10f64.ln() + 4.0),
        terms: vec![("cross_entropy".into(), class), ("mse".into(), mse)],
        terms_of_zeros: vec![("cross_entropy".into(), 10f64.ln()), ("mse".into(), 4.0)],
        ..sound()
    };
    let judged = |term: &str, seen: Initial| {
        let settings = Settings { term: Some(Located::new(term.to_owned(), 0..0)), ..Settings::default() };
        outcome(&InitialLoss::default(), &two, &settings, &[Measurement::Initial(seen)]).judged
    };
    let mse = judged("mse", seen(2.3, 4.2));
    assert_eq!(
        (mse.verdict, mse.value, mse.band.min, mse.band.expect),
        (Verdict::Pass, Some(4.2), Some(3.6), Some(4.0))
    );
    // The sum of both is in the band of the whole loss, and neither term is in its own.
    let odd = seen(5.0, 1.4);
    let whole = outcome(&InitialLoss::default(), &two, &Settings::default(), &[Measurement::Initial(odd.clone())]);
    assert_eq!(whole.judged.verdict, Verdict::Pass);
    assert_eq!(judged("cross_entropy", odd.clone()).verdict, Verdict::Fail);
    assert_eq!(judged("mse", odd.clone()).verdict, Verdict::Fail);
    let none = judged("kl", odd);
    assert_eq!(none.reason.as_deref(), Some("the loss has no term `kl`; there are `cross_entropy`, `mse`"));
}

/// Cross-entropy and a mean square of targets whose mean is far from zero.
fn two_terms() -> (Subject, Initial) {
    let mut two = subject();
    two.loss.terms.push(crate::spec::loss::Term::of(Some(LossKind::Mse)));
    let seen = Initial {
        loss: 10f64.ln() + 4.0,
        loss_of_zeros: Some(10f64.ln() + 4.0),
        loss_of_prior: Some(10f64.ln() + 1.0),
        terms: vec![("cross_entropy".into(), 10f64.ln()), ("mse".into(), 4.0)],
        terms_of_zeros: vec![("cross_entropy".into(), 10f64.ln()), ("mse".into(), 4.0)],
        terms_of_prior: vec![("cross_entropy".into(), 10f64.ln()), ("mse".into(), 1.0)],
        ..sound()
    };
    (two, seen)
}

#[test]
fn a_sum_of_terms_may_begin_no_lower_than_the_priors_of_all_of_them() {
    let (two, seen) = two_terms();
    let least = run(&two, seen.clone()).judged.band.min.unwrap();
    assert!((least - 0.9 * (10f64.ln() + 1.0)).abs() < 1e-12, "{least}");
    // The entropy of the labels alone is no prior of the sum.
    let low = run(&two, Initial { loss: 10f64.ln(), ..seen });
    assert_eq!((low.judged.verdict, low.causes), (Verdict::Fail, vec!["label_leak"]));
}

#[test]
fn a_term_of_a_second_target_may_begin_at_the_prior_of_that_target() {
    let (two, seen) = two_terms();
    let settings = Settings { term: Some(Located::new("mse".to_owned(), 0..0)), ..Settings::default() };
    let terms = vec![("cross_entropy".into(), 10f64.ln()), ("mse".into(), 1.02)];
    let taken = [Measurement::Initial(Initial { terms, ..seen })];
    let biased = outcome(&InitialLoss::default(), &two, &settings, &taken);
    assert_eq!((biased.judged.verdict, biased.judged.band.min), (Verdict::Pass, Some(0.9)));
}

#[test]
fn a_term_that_zero_outputs_tell_nothing_of_wants_an_expectation() {
    let mut own = subject();
    own.loss = crate::spec::loss::Loss::none();
    let seen = Initial { terms: vec![("kl".into(), 0.3)], loss_of_zeros: None, ..sound() };
    let term = Some(Located::new("kl".to_owned(), 0..0));
    let judged = |settings: Settings| {
        outcome(&InitialLoss::default(), &own, &settings, &[Measurement::Initial(seen.clone())]).judged
    };
    let bare = judged(Settings { term: term.clone(), ..Settings::default() });
    assert_eq!(bare.verdict, Verdict::Skipped);
    assert!(bare.reason.unwrap().ends_with("state `expect`"));
    let max = Some(Located::new(crate::spec::expression::Expression::number(0.5), 0..0));
    let stated = judged(Settings { term, max, ..Settings::default() });
    assert_eq!((stated.verdict, stated.value), (Verdict::Pass, Some(0.3)));
}
