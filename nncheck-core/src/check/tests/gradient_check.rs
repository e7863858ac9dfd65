use super::*;
use crate::check::fixture::{Outcome, allow, outcome, subject};
use crate::judge::Verdict;
use crate::spec::property::{Allowance, Settings};

fn tensor(parameter: &str) -> TensorGradient {
    TensorGradient {
        parameter: parameter.to_owned(),
        term: None,
        shape: vec![3, 4],
        autograd: 0.25,
        differences: 0.25,
        answer: Answer::Agrees,
        relative: 1e-9,
        resolution: 1e-7,
        sees_an_entry: true,
        wrong: None,
    }
}

fn wrong() -> Wrong {
    Wrong {
        index: vec![1, 2],
        entries: 1,
        autograd: 0.5,
        differences: -0.5,
        compared: 12,
        wrong: 12,
        ratio: Some(-1.0),
        without: false,
    }
}

fn differs(parameter: &str, wrong: Wrong) -> TensorGradient {
    TensorGradient { answer: Answer::Differs, relative: 1.0, wrong: Some(wrong), ..tensor(parameter) }
}

fn seen(tensors: Vec<TensorGradient>) -> Gradients {
    Gradients { cannot: None, loss: 2.3, noise: 3e-16, evaluations: 40, tensors }
}

fn judged(gradients: Gradients) -> Outcome {
    outcome(&GradientCheck::default(), &subject(), &Settings::default(), &[gradients.into()])
}

#[test]
fn gradients_that_agree_pass() {
    let found = judged(seen(vec![tensor("hidden.bias"), tensor("hidden.weight")]));
    assert_eq!(found.judged.verdict, Verdict::Pass);
    assert_eq!(found.remark, None);
}

#[test]
fn a_wrong_gradient_fails_with_parameter_index_and_both_values() {
    let found = judged(seen(vec![tensor("hidden.bias"), differs("hidden.weight", wrong())]));
    assert_eq!((found.judged.verdict, found.judged.at.as_deref()), (Verdict::Fail, Some("hidden.weight")));
    assert_eq!(found.causes, ["scaled"]);
    for part in ["hidden.weight[1, 2]", "is 0.5", "show -0.5", "-1 times"] {
        assert!(found.help.contains(part), "{}", found.help);
    }
}

#[test]
fn the_kind_of_fault_tells_the_cause() {
    for (wrong, cause) in [
        (Wrong { without: true, autograd: 0.0, ratio: Some(0.0), ..wrong() }, "detached"),
        (Wrong { wrong: 1, ..wrong() }, "entries"),
        (Wrong { wrong: 6, autograd: 0.0, ratio: Some(0.0), ..wrong() }, "entries"),
        (Wrong { ratio: None, ..wrong() }, "cut"),
    ] {
        assert_eq!(judged(seen(vec![differs("hidden.weight", wrong)])).causes, [cause]);
    }
}

#[test]
fn what_is_too_small_or_at_a_kink_is_excused_and_told() {
    let small = TensorGradient { answer: Answer::TooSmall, relative: 0.5, ..tensor("hidden.bias") };
    let kink = TensorGradient { answer: Answer::Kink, relative: 0.5, ..tensor("scale") };
    let found = judged(seen(vec![small.clone(), kink, tensor("hidden.weight")]));
    assert_eq!(found.judged.verdict, Verdict::Pass);
    assert_eq!(found.remark.as_deref(), Some("too small to compare: hidden.bias; at a kink of the loss: scale"));
    assert_eq!(judged(seen(vec![small])).judged.verdict, Verdict::Skipped, "nothing that agrees is nothing seen");
}

#[test]
fn a_loss_in_single_precision_is_told() {
    let found = judged(seen(vec![TensorGradient { resolution: 2e-3, relative: 1e-3, ..tensor("hidden.weight") }]));
    assert_eq!(found.judged.verdict, Verdict::Pass);
    assert!(found.remark.unwrap().contains("single precision"));
}

#[test]
fn what_is_allowed_is_not_judged() {
    let settings = allow(&[Allowance::Parameter("hidden.*".into())]);
    let taken = [seen(vec![differs("hidden.weight", wrong()), tensor("head.weight")]).into()];
    let found = outcome(&GradientCheck::default(), &subject(), &settings, &taken);
    assert_eq!(found.judged.verdict, Verdict::Pass);
}

#[test]
fn a_program_that_cannot_be_compared_is_skipped_with_the_reason() {
    let found = judged(Gradients::nothing("no parameter asks for a gradient"));
    assert_eq!(found.judged.verdict, Verdict::Skipped);
    assert_eq!(found.judged.reason.as_deref(), Some("no parameter asks for a gradient"));
}

#[test]
fn losses_that_are_differentiated_apart_are_named() {
    let of_term = TensorGradient { term: Some("generator".into()), ..differs("g.weight", wrong()) };
    let found = judged(seen(vec![of_term]));
    assert_eq!(found.judged.at.as_deref(), Some("g.weight (of generator)"));
    assert!(found.help.contains("of `generator`"), "{}", found.help);
}
