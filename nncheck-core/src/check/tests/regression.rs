use super::super::fixture::{initial, losses, step, subject, trace};
use super::*;
use crate::baseline::Measured;
use crate::judge::{Look, Verdict, judge};
use crate::measurement::score::{Score, ShareScore};
use crate::spec::property::Settings;

/// A seed's numbers.
#[derive(Clone, Copy)]
struct Numbers {
    initial: f64,
    last: f64,
    score: f64,
}

/// What a program with these numbers measures: 2,634 parameters, a gradient of norm 2.
fn measured(numbers: &Numbers) -> Vec<Measurement> {
    let mut steps = losses(&[numbers.initial; 180]).steps;
    steps[0] = step(numbers.initial, &[0.01; 4]);
    steps.extend(losses(&[numbers.last; 20]).steps);
    let share = |value| ShareScore { rows: 100, value: Ok(value), baseline: Ok(0.1) };
    let facts = super::super::fixture::facts();
    vec![
        crate::measurement::Initial { loss: numbers.initial, ..initial() }.into(),
        crate::measurement::Trace { steps, ..trace(0, 0.0) }.into(),
        Score { facts, cannot: None, training: Some(share(1.0)), validation: Some(share(numbers.score)) }.into(),
    ]
}

/// Ten seeds that spread by a few percent.
fn seeds() -> Vec<Numbers> {
    let wave = [0.0, 1.0, -1.0, 0.5, -0.5, 0.8, -0.8, 0.3, -0.3, 0.1];
    wave.map(|w| Numbers { initial: 2.3 + 0.05 * w, last: 0.3 + 0.03 * w, score: 0.9 + 0.01 * w }).to_vec()
}

/// The same with other random numbers.
fn shuffled() -> Vec<Numbers> {
    seeds().into_iter().rev().collect()
}

fn taken(seeds: &[Numbers]) -> Vec<Vec<Measurement>> {
    seeds.iter().map(measured).collect()
}

fn held(accepted: Option<Accepted>, accepting: Option<u32>) -> Held {
    Held { accepted, confidence: 0.99, searched: 4, first_seed: 0, unclaimed: Vec::new(), accepting }
}

fn accepted_by(check: &Regression, seeds: &[Numbers]) -> Accepted {
    let check = Regression { held: Some(held(None, Some(10))), ..check.clone() };
    let context = Context { subject: &subject(), settings: &Settings::default() };
    check.accepted(&context, &taken(seeds)).unwrap()
}

fn against(check: Regression, seeds: &[Numbers]) -> Regression {
    let accepted = accepted_by(&check, seeds);
    Regression { held: Some(held(Some(accepted), None)), ..check }
}

struct Outcome {
    judged: Judged,
    causes: Vec<&'static str>,
    help: String,
    remark: Option<String>,
}

fn outcome(check: &Regression, taken: &[Vec<Measurement>]) -> Outcome {
    let (subject, settings) = (subject(), Settings::default());
    let context = Context { subject: &subject, settings: &settings };
    let samples: Vec<Sample> = (0..).zip(taken).map(|(seed, t)| check.sample_of(&context, seed, t)).collect();
    let effort = check.effort(Effort { seeds: 5, max_seeds: 40, confidence: 0.99 });
    let Look::Decided(judged) = judge(Rule::Change, &samples, &effort) else { panic!("ten seeds are all there are") };
    let used = &taken[..judged.values.len()];
    let causes = check.diagnose(&context, &judged, used);
    let help = causes.iter().map(|cause| cause.help.as_str()).collect::<Vec<_>>().join("\n");
    let remark = check.remark(&context, &judged, used);
    Outcome { judged: *judged, causes: causes.into_iter().map(|cause| cause.id).collect(), help, remark }
}

/// The outcome of a program that was accepted as it was, and whose seeds are changed.
fn changed(change: impl Fn(&mut Numbers)) -> Outcome {
    let mut now = seeds();
    now.iter_mut().for_each(change);
    outcome(&against(Regression::default(), &seeds()), &taken(&now))
}

#[test]
fn it_asks_what_others_ask_and_no_more_than_it_holds() {
    let keys = |check: &Regression| check.needs(&subject()).iter().map(Request::key).collect::<Vec<_>>();
    assert_eq!(keys(&Regression::default()), ["initial-1024", "trace-real-200-1", "score-accuracy-5-200-4096"]);
    let of = |quantities: &[Quantity]| Regression { quantities: Some(quantities.to_vec()), ..Regression::default() };
    assert_eq!(keys(&of(&[Quantity::Parameters])), ["trace-real-1-1"]);
    assert_eq!(keys(&of(&[Quantity::InitialLoss])), ["initial-1024"]);
}

#[test]
fn a_single_seed_that_goes_astray_is_no_chance_and_hides_nothing() {
    let mut now = seeds();
    now[3].last = 300.0;
    let seen = outcome(&against(Regression::default(), &seeds()), &taken(&now));
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["unstable"][..]));
    assert!(
        seen.help.contains("final_loss is far from all that was accepted in 1 of 10 seeds (seed 3: 0.315 -> 300)"),
        "{}",
        seen.help
    );
    // All of them, across decades: no interval of the mean tells.
    let mut now = seeds();
    now.iter_mut().enumerate().for_each(|(at, seed)| seed.last = 10_f64.powi(1 + at as i32));
    let seen = outcome(&against(Regression::default(), &seeds()), &taken(&now));
    assert_eq!((seen.judged.verdict, &seen.causes[..]), (Verdict::Fail, &["training_changed"][..]));
}

#[test]
fn a_score_near_zero_is_held_in_units_of_its_spread() {
    let around_zero = |by: f64| {
        let mut all = seeds();
        all.iter_mut().enumerate().for_each(|(at, seed)| {
            seed.score = if at % 2 == 0 { 0.03 } else { -0.03 } + 2e-5 + by * (1.0 + at as f64 / 10.0);
        });
        all
    };
    let check = against(Regression::default(), &around_zero(0.0));
    assert_eq!(outcome(&check, &taken(&around_zero(1e-7))).judged.verdict, Verdict::Pass);
    assert_eq!(outcome(&check, &taken(&around_zero(0.1))).judged.verdict, Verdict::Fail);
}

#[test]
fn a_property_of_another_name_than_the_baseline_s_is_an_error_and_not_skipped() {
    let mut held = held(None, None);
    held.unclaimed = vec!["`drift` in its file".to_owned()];
    let check = Regression { held: Some(held), ..Regression::default() };
    let context = Context { subject: &subject(), settings: &Settings::default() };
    assert_eq!((check.moot(&context), check.needs(&subject()).len()), (None, 0));
    let Sample::Unanswerable(why) = check.sample_of(&context, 0, &[]) else { panic!() };
    assert!(why.contains("accepted as `drift` in its file belongs to no property any more"), "{why}");
}

#[test]
fn without_a_baseline_there_is_nothing_to_look_at() {
    let context = Context { subject: &subject(), settings: &Settings::default() };
    let none = Some("no baseline yet: `cargo nncheck accept` takes one".to_owned());
    assert_eq!(Regression::default().moot(&context), none);
    let check = Regression { held: Some(held(None, None)), ..Regression::default() };
    assert_eq!(check.moot(&context), none);
    assert_eq!(against(check, &seeds()).moot(&context), None);
}

#[test]
fn what_is_accepted_has_every_number_with_its_spread_and_what_it_can_tell() {
    let accepted = accepted_by(&Regression::default(), &seeds());
    assert_eq!(accepted.measured, Measured { steps: 200, metric: Some("accuracy".into()) });
    let mean = |quantity| accepted.quantities[&quantity].mean;
    assert_eq!(accepted.quantities.keys().copied().collect::<Vec<_>>(), Quantity::ALL);
    assert_eq!((mean(Quantity::Parameters), mean(Quantity::GradientNorm)), (2410.0, 2.0));
    assert!((mean(Quantity::FinalLoss) - 0.3003).abs() < 1e-12);
    // By numerical integration of the t density: t(1 - 0.01 / 8, 9) = 4.1457888, times 0.019922349 times sqrt(2 / 10) over 0.3003.
    let told = accepted.quantities[&Quantity::FinalLoss].told;
    // And the thousandth that is no change.
    assert!((told - 0.124_000_646).abs() < 1e-8, "{told}");
    assert_eq!(accepted.quantities[&Quantity::GradientNorm].told, 0.001);
}

#[test]
fn a_program_that_is_what_it_was_holds_at_the_first_look() {
    let seen = outcome(&against(Regression::default(), &seeds()), &taken(&seeds()));
    assert_eq!((seen.judged.verdict, seen.judged.values.len()), (Verdict::Pass, 5));
    assert!(seen.judged.by.iter().all(|(_, value)| *value == Some(0.0)), "{:?}", seen.judged.by);
    assert_eq!(seen.remark.as_deref(), Some("every number is what was accepted, bit for bit"));
}

#[test]
fn other_random_numbers_are_no_change() {
    let seen = outcome(&against(Regression::default(), &seeds()), &taken(&shuffled()));
    assert_eq!((seen.judged.verdict, seen.judged.values.len()), (Verdict::Pass, 10), "{:?}", seen.judged);
    assert!(seen.remark.unwrap().contains(" can be told"));
}

#[test]
fn each_cause_is_told_by_which_numbers_changed() {
    let worse = changed(|seed| seed.last *= 1.5);
    assert_eq!(worse.causes, ["training_changed"]);
    assert!(worse.help.starts_with("final_loss rose by 50 % (0.3003 -> 0.45045), and changes of "), "{}", worse.help);
    assert!(worse.help.contains("the program begins as before"), "{}", worse.help);
    assert_eq!(changed(|seed| seed.last *= 0.5).causes, ["improved"]);
    assert_eq!(changed(|seed| seed.score -= 0.1).causes, ["scoring_changed"]);
    assert_eq!(
        changed(|seed| (seed.last, seed.score) = (seed.last * 0.5, seed.score - 0.1)).causes,
        ["training_changed"]
    );
    let start = changed(|seed| (seed.initial, seed.last) = (seed.initial * 1.5, seed.last * 1.5));
    assert_eq!(start.causes, ["start_changed"]);
    assert_eq!(changed(|seed| (seed.initial, seed.last) = (4.0, 0.1)).causes, ["start_changed", "improved"]);
    let wild = changed(|seed| seed.last = f64::NAN);
    assert_eq!((wild.judged.verdict, wild.causes), (Verdict::Fail, vec!["not_finite"]));
    assert!(wild.help.contains("final_loss is not finite"), "{}", wild.help);
}

#[test]
fn one_parameter_more_is_another_model() {
    let check = against(Regression::default(), &seeds());
    let mut now = taken(&seeds());
    for seed in &mut now {
        let Measurement::Trace(trace) = &mut seed[1] else { panic!() };
        trace.parameters[0].shape = vec![11];
    }
    let seen = outcome(&check, &now);
    assert_eq!((seen.judged.verdict, seen.causes), (Verdict::Fail, vec!["model_changed"]));
    assert!(seen.help.starts_with("parameters rose (2410 -> 2411): the model is another one"), "{}", seen.help);
}

#[test]
fn a_small_change_of_every_seed_is_told_where_random_numbers_are_the_same() {
    let seen = changed(|seed| seed.last *= 1.01);
    assert_eq!(seen.causes, ["training_changed"], "finer than the 12 % that other random numbers would hide");
    assert_eq!(changed(|seed| seed.last *= 1.0005).judged.verdict, Verdict::Pass, "below `at_least`");
}

#[test]
fn what_was_measured_otherwise_cannot_be_compared() {
    let says = |change: fn(&mut Regression)| {
        let mut check = against(Regression::default(), &seeds());
        change(&mut check);
        assert_eq!(check.needs(&subject()).len(), 0, "nothing is measured in vain");
        let judged = outcome(&check, &taken(&seeds())).judged;
        assert_eq!(judged.verdict, Verdict::Error);
        judged.reason.unwrap()
    };
    assert!(
        says(|check| check.steps = super::super::parameter::count(100)).starts_with("the baseline is of 200 steps")
    );
    assert!(says(|check| check.metric = Some(Metric::F1)).contains("metric `accuracy`, the property of `f1`"));
    let fewer = |check: &mut Regression| {
        check.quantities = Some(vec![Quantity::Metric]);
        let held = check.held.as_mut().unwrap();
        held.accepted.as_mut().unwrap().quantities.remove(&Quantity::Metric);
        held.accepted.as_mut().unwrap().measured.metric = None;
    };
    assert!(says(fewer).starts_with("the baseline has no `metric`"));
    let later = says(|check| check.held.as_mut().unwrap().first_seed = 9);
    assert!(later.contains("seeds 0 to 9, and the run begins with 9") && later.contains("--seed 0"), "{later}");
}

#[test]
fn seeds_that_were_accepted_are_used_and_no_others() {
    let mut check = against(Regression::default(), &seeds());
    let asked = Effort { seeds: 5, max_seeds: 40, confidence: 0.99 };
    let effort = check.effort(asked);
    assert_eq!((effort.seeds, effort.max_seeds), (5, 10));
    assert!((effort.confidence - 0.9975).abs() < 1e-12);
    check.held.as_mut().unwrap().first_seed = 7;
    assert_eq!(check.effort(asked).max_seeds, 3);
    let one = Effort { seeds: 1, max_seeds: 1, ..asked };
    assert_eq!((check.effort(one).seeds, check.effort(one).max_seeds), (1, 3), "whatever others may take");
}

#[test]
fn fewer_quantities_than_were_accepted_are_fine() {
    let mut check = against(Regression::default(), &seeds());
    check.quantities = Some(vec![Quantity::InitialLoss]);
    let by = outcome(&check, &taken(&seeds())).judged.by;
    assert_eq!(by, [("initial_loss".to_owned(), Some(0.0)), (ASTRAY.to_owned(), Some(0.0))]);
}

#[test]
fn what_does_not_exist_is_left_out_where_it_was_not_asked_for() {
    let mut without = taken(&seeds());
    for seed in &mut without {
        let Measurement::Score(score) = &mut seed[2] else { panic!() };
        (score.cannot, score.training, score.validation) = (Some("no predictions".into()), None, None);
    }
    let context = Context { subject: &subject(), settings: &Settings::default() };
    let check = Regression { held: Some(held(None, Some(10))), ..Regression::default() };
    let accepted = check.accepted(&context, &without).unwrap();
    assert!(!accepted.quantities.contains_key(&Quantity::Metric) && accepted.measured.metric.is_none());
    let named = Regression { quantities: Some(vec![Quantity::Metric]), ..check };
    let said = named.sample_of(&context, 0, &without[0]);
    assert_eq!(said, Sample::Unanswerable("the program has no `metric`: no predictions".into()));
    let gone = outcome(&against(Regression::default(), &seeds()), &without).judged;
    assert!(gone.reason.unwrap().starts_with("`metric` was accepted and does not exist now: no predictions"));
}

#[test]
fn numbers_that_are_not_finite_are_never_accepted() {
    let mut wild = seeds();
    wild[3].last = f64::INFINITY;
    let context = Context { subject: &subject(), settings: &Settings::default() };
    let check = Regression { held: Some(held(None, Some(10))), ..Regression::default() };
    assert_eq!(check.accepted(&context, &taken(&wild)), None);
    assert_eq!(outcome(&check, &taken(&wild)).judged.verdict, Verdict::Fail);
}

#[test]
fn a_mean_of_zero_is_compared_as_it_is() {
    let zero = |last| vec![Numbers { initial: 2.3, last, score: 0.0 }; 10];
    let check = against(Regression::default(), &zero(0.0));
    let seen = outcome(&check, &taken(&zero(0.5)));
    assert_eq!(seen.judged.value, Some(0.5));
    assert_eq!(seen.causes, ["training_changed"]);
}
