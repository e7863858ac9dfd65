use super::super::fixture::{Outcome, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement::modes::Losses;
use crate::spec::property::Settings;

fn sound() -> Seen {
    Seen {
        alone: Some(1e-7),
        differ: true,
        statistics: vec![("norm.running_mean".to_owned(), true), ("norm.running_var".to_owned(), true)],
        steps: Some((60, 0)),
        losses: Some(Losses { before: 2.3, train: 0.4, eval: 0.3 }),
        ..Seen::default()
    }
}

fn run(seen: Seen) -> Outcome {
    outcome(&Modes::default(), &subject(), &Settings::default(), &[seen.into()])
}

#[test]
fn a_model_that_minds_its_modes_passes() {
    assert_eq!(run(sound()).judged.verdict, Verdict::Pass);
    assert_eq!(run(Seen::default()).judged.verdict, Verdict::Pass, "one without modes, that nothing trains");
}

#[test]
fn training_in_eval_mode_is_named_first() {
    let mut seen = Seen { steps: Some((0, 60)), ..sound() };
    seen.statistics.iter_mut().for_each(|(_, moved)| *moved = false);
    let seen = run(seen);
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["trained_in_eval_mode"]));
}

#[test]
fn a_model_without_modes_may_be_trained_in_either() {
    let seen = Seen { steps: Some((0, 60)), differ: false, statistics: Vec::new(), ..sound() };
    assert_eq!(run(seen).judged.verdict, Verdict::Pass);
}

#[test]
fn what_eval_mode_must_not_do_is_named() {
    assert_eq!(run(Seen { repeated: 0.3, alone: Some(0.3), ..sound() }).causes, ["random_in_eval_mode"]);
    let moved = vec!["norm.running_mean".to_owned()];
    let seen = run(Seen { alone: Some(0.8), moved_by_eval: moved, ..sound() });
    assert_eq!(seen.causes, ["batch_statistics_in_eval_mode"]);
    assert!(seen.help.contains("norm.running_mean"), "{}", seen.help);
}

#[test]
fn statistics_that_stand_still_or_lag_are_named() {
    let mut seen = sound();
    seen.statistics[0].1 = false;
    assert_eq!(run(seen).causes, ["statistics_stand_still"]);
    let losses = Some(Losses { before: 2.3, train: 0.4, eval: 3.0 });
    assert_eq!(run(Seen { losses, ..sound() }).causes, ["statistics_lag"]);
}

#[test]
fn a_program_of_its_own_may_put_out_samples_but_not_drop_units() {
    let mut own = subject();
    let path = crate::diagnostic::Located::new("gan::Gan".to_owned(), 0..0);
    own.model.source = ModelSource::Subject { path, hyper: "null".to_owned() };
    let run = |dropouts: &[&str]| {
        let dropouts = dropouts.iter().map(|name| (*name).to_owned()).collect();
        let seen = Seen { repeated: 3.0, dropouts, ..sound() };
        outcome(&Modes::default(), &own, &Settings::default(), &[seen.into()])
    };
    assert_eq!(run(&[]).judged.verdict, Verdict::Pass);
    assert_eq!(run(&["hidden.dropout"]).causes, ["random_in_eval_mode"]);
}

#[test]
fn a_single_training_step_in_eval_mode_is_one_too_many() {
    let seen = run(Seen { steps: Some((59, 1)), ..sound() });
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["trained_in_eval_mode"]));
    assert!(seen.help.contains("1 of 60 training steps"), "{}", seen.help);
}

#[test]
fn a_loss_that_is_not_finite_in_eval_mode_fails() {
    let losses = Some(Losses { before: 2.3, train: 0.4, eval: f64::NAN });
    assert_eq!(run(Seen { losses, ..sound() }).judged.verdict, Verdict::Fail);
}
