use super::*;
use crate::check::fixture::{Outcome, outcome, subject};
use crate::judge::Verdict;
use crate::spec::property::Settings;

fn layer() -> Normalised {
    Normalised {
        layer: "bn".into(),
        momentum: 0.1,
        mean_off: Some(0.05),
        variance_off: Some(1.1),
        batch_noise: Some(0.18),
    }
}

fn judged(layers: Vec<Normalised>) -> Outcome {
    let taken = [Normalisation { rows: 32, layers }.into()];
    outcome(&BatchNorm::default(), &subject(), &Settings::default(), &taken)
}

#[test]
fn statistics_of_the_data_pass() {
    assert_eq!(judged(vec![layer()]).judged.verdict, Verdict::Pass);
}

#[test]
fn statistics_that_never_move_are_told() {
    let still = Normalised { momentum: 0.0, mean_off: None, variance_off: None, batch_noise: None, ..layer() };
    let found = judged(vec![layer(), Normalised { layer: "second".into(), ..still }]);
    assert_eq!(found.causes, ["never_updated"]);
    assert!(found.help.contains("second"), "{}", found.help);
}

#[test]
fn a_small_momentum_is_told_with_what_is_left_of_the_beginning() {
    let found = judged(vec![Normalised { momentum: 1e-3, mean_off: Some(0.9), variance_off: Some(3.0), ..layer() }]);
    assert_eq!(found.causes, ["lagging"]);
    assert!(found.help.contains("0.81865") && found.help.contains("use 0.1"), "{}", found.help);
}

#[test]
fn noisy_batches_are_told() {
    assert_eq!(judged(vec![Normalised { batch_noise: Some(0.7), ..layer() }]).causes, ["small_batch"]);
}

#[test]
fn no_running_statistics_are_nothing_to_see() {
    assert_eq!(judged(Vec::new()).judged.verdict, Verdict::Skipped);
}
