use super::super::fixture::{facts, outcome, subject};
use super::*;
use crate::judge::Verdict;
use crate::measurement;
use crate::spec::expression::Expression;
use crate::spec::property::Settings;

fn run(value: f64, max: Option<f64>) -> (Verdict, Option<f64>) {
    let check = Value { function: Located::new("vae::kl".into(), 0..0) };
    let max = max.map(|max| Located::new(Expression::number(max), 0..0));
    let settings = Settings { max, ..Settings::default() };
    let seen = outcome(&check, &subject(), &settings, &[measurement::Value { value, facts: facts() }.into()]);
    (seen.judged.verdict, seen.judged.value)
}

#[test]
fn a_number_in_the_band_passes_and_one_outside_fails() {
    assert_eq!(run(3.0, Some(5.0)), (Verdict::Pass, Some(3.0)));
    assert_eq!(run(7.0, Some(5.0)), (Verdict::Fail, Some(7.0)));
}

#[test]
fn what_is_no_number_fails() {
    assert_eq!(run(f64::NAN, Some(5.0)).0, Verdict::Fail);
}

#[test]
fn without_a_band_there_is_nothing_to_hold_it_against() {
    assert_eq!(run(3.0, None).0, Verdict::Error);
}
