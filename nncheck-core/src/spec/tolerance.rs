//! How far from `expect` a value may be.

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::judge::Band;

/// How far from `expect` a value may be, either way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// `0.5`: by this much.
    Absolute(f64),
    /// `"10%"`: by this share of `|expect|`, in percent.
    Percent(f64),
    /// `"x10"`: by this factor; `expect` has to be above zero.
    Factor(f64),
}

impl Tolerance {
    /// Reads `"10%"` or `"x10"`.
    ///
    /// # Errors
    /// Where the text is neither, in words that say what it should be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(percent) = text.strip_suffix('%') {
            return match percent.trim().parse::<f64>() {
                Ok(p) if p.is_finite() && p >= 0.0 => Ok(Self::Percent(p)),
                Ok(p) => Err(format!("expected a percentage of 0 or more, found {p}%")),
                Err(_) => Err(format!("expected a number before `%`, found `{}`", percent.trim())),
            };
        }
        if let Some(factor) = text.strip_prefix(['x', 'X', '\u{d7}']) {
            return match factor.trim().parse::<f64>() {
                Ok(f) if f.is_finite() && f >= 1.0 => Ok(Self::Factor(f)),
                Ok(f) if f.is_finite() && f > 0.0 => {
                    Err(format!("expected a factor of 1 or more; it holds either way, so write \"x{}\"", 1.0 / f))
                }
                Ok(f) => Err(format!("expected a factor of 1 or more, found {f}")),
                Err(_) => Err(format!("expected a number after `x`, found `{}`", factor.trim())),
            };
        }
        match text.parse::<f64>() {
            Ok(n) => Err(format!(
                "expected a unit: {n} without quotes is absolute, \"{n}%\" is relative, \"x{n}\" is a factor"
            )),
            Err(_) => Err("expected a number, a percentage such as \"10%\", or a factor such as \"x10\"".to_owned()),
        }
    }

    /// The band around a value.
    ///
    /// # Errors
    /// When a factor is asked of a value that is not above zero, in words.
    pub fn around(self, expect: f64) -> Result<Band, String> {
        let (min, max) = match self {
            Self::Absolute(by) => (expect - by, expect + by),
            Self::Percent(percent) => {
                let by = expect.abs() * percent / 100.0;
                (expect - by, expect + by)
            }
            Self::Factor(factor) if expect > 0.0 => (expect / factor, expect * factor),
            Self::Factor(factor) => {
                return Err(format!(
                    "a factor such as \"x{factor}\" only holds around a value above zero, but `expect` is {expect}"
                ));
            }
        };
        Ok(Band { min: Some(min), max: Some(max), expect: Some(expect) })
    }
}

impl<'de> Deserialize<'de> for Tolerance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl Visitor<'_> for Words {
            type Value = Tolerance;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, a percentage such as \"10%\", or a factor such as \"x10\"")
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Tolerance, E> {
                self.visit_f64(v as f64)
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Tolerance, E> {
                self.visit_f64(v as f64)
            }
            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Tolerance, E> {
                if v.is_finite() && v >= 0.0 {
                    Ok(Tolerance::Absolute(v))
                } else {
                    Err(E::custom(format_args!("expected a tolerance of 0 or more, found {v}")))
                }
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Tolerance, E> {
                Tolerance::parse(v).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_and_factors_are_read_with_or_without_a_space() {
        assert_eq!(Tolerance::parse("10%"), Ok(Tolerance::Percent(10.0)));
        assert_eq!(Tolerance::parse(" 2.5 % "), Ok(Tolerance::Percent(2.5)));
        assert_eq!(Tolerance::parse("x10"), Ok(Tolerance::Factor(10.0)));
        assert_eq!(Tolerance::parse("x 1.5"), Ok(Tolerance::Factor(1.5)));
    }

    #[test]
    fn wrong_units_are_explained() {
        let words = |text| Tolerance::parse(text).unwrap_err();
        assert_eq!(
            words("10"),
            "expected a unit: 10 without quotes is absolute, \"10%\" is relative, \"x10\" is a factor"
        );
        assert_eq!(words("x0.5"), "expected a factor of 1 or more; it holds either way, so write \"x2\"");
        assert_eq!(words("-5%"), "expected a percentage of 0 or more, found -5%");
        assert_eq!(words("x-2"), "expected a factor of 1 or more, found -2");
        assert_eq!(words("some"), "expected a number, a percentage such as \"10%\", or a factor such as \"x10\"");
        assert_eq!(words("ten%"), "expected a number before `%`, found `ten`");
        assert!(Tolerance::parse("inf%").is_err() && Tolerance::parse("nan%").is_err());
        assert!(Tolerance::parse("xinf").is_err() && Tolerance::parse("xnan").is_err());
    }

    #[test]
    fn bands_have_the_width_that_was_asked_for() {
        let edges = |tolerance: Tolerance, expect| {
            let band = tolerance.around(expect).unwrap();
            (band.min.unwrap(), band.max.unwrap())
        };
        assert_eq!(edges(Tolerance::Absolute(0.5), -2.0), (-2.5, -1.5));
        assert_eq!(edges(Tolerance::Percent(50.0), -2.0), (-3.0, -1.0));
        assert_eq!(edges(Tolerance::Factor(4.0), 2.0), (0.5, 8.0));
        assert!(Tolerance::Factor(4.0).around(0.0).is_err());
    }
}
