//! Expressions such as `"ln(k)"` or `"0.5 * mean(y)"`: arithmetic on what the data says.
//!
//! The grammar is that of mathematics and Python: `^` binds tighter than a sign and to the right, so `-2^2` is -4 and
//! `2^3^2` is 512. (The expression crates at hand say 4 and 64, read no `1e-3`, and name no place in their errors.)

mod parse;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::measurement::DataFacts;
pub use parse::ExpressionError;
use parse::Node;

/// A number, or arithmetic on facts of the data: `+ - * / ^`, parentheses, `ln exp sqrt abs min max`, `k` classes, `n`
/// training examples, `entropy(priors)`, `mean(y)`, `var(y)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    text: String,
    root: Node,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// Where the text is none, with the place in it, or where it has no finite value whatever the data.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let expression = Self { text: text.trim().to_owned(), root: parse::parse(text)? };
        match expression.constant().filter(|value| !value.is_finite()) {
            None => Ok(expression),
            Some(value) => {
                let start = text.len() - text.trim_start().len();
                let range = start..start + expression.text.len();
                let message = format!("`{}` is not a finite number: it works out to {value}", expression.text);
                Err(ExpressionError { message, range, help: None })
            }
        }
    }

    /// A plain number.
    #[must_use]
    pub fn number(value: f64) -> Self {
        Self { text: value.to_string(), root: Node::Number(value) }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its value, where it needs no data to have one.
    #[must_use]
    pub fn constant(&self) -> Option<f64> {
        self.root.constant().then(|| self.root.value(&DataFacts::default()).ok()).flatten()
    }

    /// Its value for this data.
    ///
    /// # Errors
    /// When the data lacks what it needs, or it has no finite value; in words.
    pub fn eval(&self, facts: &DataFacts) -> Result<f64, String> {
        let value = self.root.value(facts).map_err(|why| format!("`{}` has no value: {why}", self.text))?;
        if value.is_finite() {
            Ok(value)
        } else {
            Err(format!("`{}` has no value: it works out to {value}", self.text))
        }
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl Visitor<'_> for Words {
            type Value = Expression;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number or an expression such as \"ln(k)\"")
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Expression, E> {
                self.visit_f64(v as f64)
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Expression, E> {
                self.visit_f64(v as f64)
            }
            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Expression, E> {
                if v.is_finite() {
                    Ok(Expression::number(v))
                } else {
                    Err(E::custom(format_args!("expected a finite number, found {v}")))
                }
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Expression, E> {
                Expression::parse(v).map_err(|e| E::custom(e.message))
            }
        }
        deserializer.deserialize_any(Words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> DataFacts {
        DataFacts {
            examples: 80,
            classes: Some(2),
            priors: vec![0.2, 0.8],
            target_mean: Some(3.0),
            target_variance: Some(4.0),
            ..DataFacts::default()
        }
    }

    #[track_caller]
    fn value(text: &str) -> f64 {
        Expression::parse(text).unwrap().eval(&facts()).unwrap()
    }

    #[track_caller]
    fn error(text: &str) -> (String, &str) {
        let e = Expression::parse(text).unwrap_err();
        (e.message, &text[e.range])
    }

    #[test]
    fn arithmetic_is_that_of_mathematics() {
        assert_eq!(value("1 + 2 * 3"), 7.0);
        assert_eq!(value("(1 + 2) * 3"), 9.0);
        assert_eq!(value("7 - 2 - 1"), 4.0);
        assert_eq!(value("8 / 4 / 2"), 1.0);
        assert_eq!(value("-2^2"), -4.0);
        assert_eq!(value("2^3^2"), 512.0);
        assert_eq!(value("2^-1"), 0.5);
        assert_eq!(value("2 * -3"), -6.0);
        assert_eq!(value("--3"), 3.0);
        assert_eq!(value(" 1e-3 "), 0.001);
        assert_eq!(value("1.5E2"), 150.0);
        assert_eq!(value(".5"), 0.5);
    }

    #[test]
    fn functions_and_facts_of_the_data_have_their_values() {
        assert!((value("ln(k)") - std::f64::consts::LN_2).abs() < 1e-15);
        assert!((value("-ln(1/k)") - std::f64::consts::LN_2).abs() < 1e-15);
        assert_eq!(value("sqrt(n + 1)"), 9.0);
        assert_eq!(value("mean(y)^2 + var(y)"), 13.0);
        assert!((value("entropy(priors)") - 0.500_402_423_538_188_1).abs() < 1e-15);
        assert_eq!(value("max(1, abs(-2))"), 2.0);
        assert_eq!(value("min(k, n)"), 2.0);
        assert!((value("exp(1)") - std::f64::consts::E).abs() < 1e-15);
    }

    #[test]
    fn a_number_needs_no_data_and_a_fact_does() {
        assert_eq!(Expression::parse("2 * 3").unwrap().constant(), Some(6.0));
        assert_eq!(Expression::parse("ln(k)").unwrap().constant(), None);
    }

    #[test]
    fn what_the_data_lacks_is_said() {
        let none = DataFacts::default();
        let eval = |text: &str| Expression::parse(text).unwrap().eval(&none).unwrap_err();
        assert_eq!(eval("ln(k)"), "`ln(k)` has no value: the data has no classes, so there is no `k`");
        assert!(eval("mean(y)").contains("no real-valued targets"));
        assert!(eval("entropy(priors)").contains("no classes"));
        let two = DataFacts { classes: Some(2), ..DataFacts::default() };
        let eval = |text: &str| Expression::parse(text).unwrap().eval(&two).unwrap_err();
        assert_eq!(eval("1/(k - 2)"), "`1/(k - 2)` has no value: it works out to inf");
        assert_eq!(eval("ln(-k)"), "`ln(-k)` has no value: it works out to NaN");
    }

    #[test]
    fn what_is_never_finite_is_refused_before_there_is_data() {
        assert_eq!(error(" 1/0 "), ("`1/0` is not a finite number: it works out to inf".to_owned(), "1/0"));
        assert_eq!(error("ln(-1)").0, "`ln(-1)` is not a finite number: it works out to NaN");
    }

    #[test]
    fn errors_name_their_place() {
        assert_eq!(error("ln(q)"), ("unknown name `q`".to_owned(), "q"));
        assert_eq!(error("log(k)").1, "log");
        assert_eq!(error("1 +"), ("expected a number, a name or `(`, found the end".to_owned(), ""));
        assert_eq!(error("1 2"), ("expected an operator, found `2`".to_owned(), "2"));
        assert_eq!(error("(1"), ("expected `)`, found the end".to_owned(), ""));
        assert_eq!(error("1)").1, ")");
        assert_eq!(error("max(1)"), ("`max` takes two values, found 1".to_owned(), "max(1)"));
        assert_eq!(error("ln(1, 2)").1, "ln(1, 2)");
        assert_eq!(error("1 # 2").1, "#");
        assert_eq!(error("mean(k)").1, "k");
        assert_eq!(error("mean").0, "`mean` takes `y`: `mean(y)`");
        assert_eq!(error("").0, "expected a number, a name or `(`, found the end");
        assert_eq!(error("1 \u{d7} 2").1, "\u{d7}");
        assert_eq!(error("1e400").0, "`1e400` is not a finite number");
    }

    #[test]
    fn a_thousand_parentheses_are_refused_and_not_a_stack_overflow() {
        for sign in ["(", "-", "2^"] {
            let nested = Expression::parse(&sign.repeat(400)).unwrap_err();
            assert_eq!(nested.message, "nested more than 64 deep", "{sign}");
            let long = Expression::parse(&sign.repeat(100_000)).unwrap_err();
            assert!(long.message.contains("too long"), "{sign}");
        }
        let chain = format!("1{}", "+1".repeat(499));
        assert_eq!(Expression::parse(&chain).unwrap().constant(), Some(500.0));
    }
}
