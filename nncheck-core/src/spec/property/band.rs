//! From `expect`, `within`, `min`, `max` to a band.

use super::Settings;
use crate::judge::Band;
use crate::measurement::DataFacts;
use crate::spec::tolerance::Tolerance;

/// How far a value may be from a bare `expect`, where the check has no band of its own to go by.
const DEFAULT: Tolerance = Tolerance::Percent(10.0);

impl Settings {
    /// The band that the property states, else the check's own. Edges belong to it.
    ///
    /// - Nothing stated: the check's band.
    /// - `expect` and `within`: that band.
    /// - `expect` alone: the check's band moved there, its edges in the same proportion to `expect` as before (x0.9 to
    ///   x1.9 stays x0.9 to x1.9); 10 % either way, where the check's band has no proportions.
    /// - `within` alone: around the value that the check expects.
    /// - `min` and `max` replace that edge of the band so made. Without `expect` and `within`, an edge that is not stated
    ///   is open: `min = 0.95` alone sets no upper edge.
    ///
    /// # Errors
    /// When an expression has no value for this data, or no band can be made; in words.
    pub fn band(&self, facts: &DataFacts, otherwise: Band) -> Result<Band, String> {
        let [expect, min, max] =
            [&self.expect, &self.min, &self.max].map(|edge| edge.as_ref().map(|e| e.value.eval(facts)).transpose());
        let (expect, min, max) = (expect?, min?, max?);
        let within = self.within.as_ref().map(|w| w.value);
        let base = match (expect, within) {
            (None, None) if min.is_none() && max.is_none() => return Ok(otherwise),
            (None, None) => Band { min: None, max: None, expect: otherwise.expect },
            (Some(expect), Some(within)) => within.around(expect)?,
            (Some(expect), None) => around(expect, otherwise)?,
            (None, Some(within)) => match otherwise.expect {
                Some(expect) => {
                    let band = within.around(expect)?;
                    if let Tolerance::Absolute(by) = within
                        && otherwise.min.is_some_and(|min| min > 0.0)
                        && band.min.is_some_and(|min| min <= 0.0)
                    {
                        return Err(format!(
                            "`within = {by}` around the {expect} that this check expects holds everything from zero up: a factor either way is written \"x{by}\""
                        ));
                    }
                    band
                }
                None => {
                    return Err("`within` needs an `expect` here: the check has no expectation of its own".to_owned());
                }
            },
        };
        let mut band = Band { min: min.or(base.min), max: max.or(base.max), expect: base.expect };
        if let (Some(min), Some(max)) = (band.min, band.max)
            && min > max
        {
            return Err(format!("its band is empty: the least is {min}, the most {max}"));
        }
        // An expectation that is only the check's own says nothing about a band that leaves it out.
        if expect.is_none() {
            band.expect = band.expect.filter(|e| band.min.is_none_or(|m| m <= *e) && band.max.is_none_or(|m| *e <= m));
        }
        Ok(band)
    }
}

fn around(expect: f64, otherwise: Band) -> Result<Band, String> {
    if let Some(from) = otherwise.expect
        && from > 0.0
        && expect > 0.0
        && (otherwise.min.is_some() || otherwise.max.is_some())
    {
        let moved = |edge: Option<f64>| edge.map(|e| expect * (e / from));
        return Ok(Band { min: moved(otherwise.min), max: moved(otherwise.max), expect: Some(expect) });
    }
    if expect == 0.0 {
        return Err(
            "`expect` is 0, and a share of nothing is nothing: say how far off it may be with `within`".to_owned()
        );
    }
    DEFAULT.around(expect)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Located;
    use crate::spec::expression::Expression;

    const CHECKS_OWN: Band = Band { min: Some(1.8), max: Some(3.8), expect: Some(2.0) };

    #[test]
    fn a_number_that_was_meant_as_a_factor_is_told() {
        let ratio = Band { min: Some(5e-5), max: Some(0.1), expect: Some(1e-3) };
        let facts = DataFacts::default();
        let within = |by| Settings { within: Some(Located::new(by, 0..0)), ..Settings::default() };
        let error = within(Tolerance::Absolute(10.0)).band(&facts, ratio).unwrap_err();
        assert!(error.contains("\"x10\""), "{error}");
        assert!(within(Tolerance::Absolute(5e-4)).band(&facts, ratio).is_ok());
        assert!(settings(None, Some("x10"), None, None).band(&facts, ratio).is_ok());
    }

    fn settings(expect: Option<&str>, within: Option<&str>, min: Option<&str>, max: Option<&str>) -> Settings {
        let edge = |text: Option<&str>| text.map(|t| Located::new(Expression::parse(t).unwrap(), 0..0));
        Settings {
            expect: edge(expect),
            within: within.map(|t| Located::new(Tolerance::parse(t).unwrap(), 0..0)),
            min: edge(min),
            max: edge(max),
            ..Settings::default()
        }
    }

    #[track_caller]
    fn edges(settings: &Settings, otherwise: Band) -> (Option<f64>, Option<f64>, Option<f64>) {
        let band = settings.band(&DataFacts { classes: Some(4), ..DataFacts::default() }, otherwise).unwrap();
        (band.min, band.max, band.expect)
    }

    #[test]
    fn nothing_stated_is_the_checks_own_band() {
        assert_eq!(edges(&settings(None, None, None, None), CHECKS_OWN), (Some(1.8), Some(3.8), Some(2.0)));
    }

    #[test]
    fn expect_and_within_make_a_band_of_their_own() {
        assert_eq!(edges(&settings(Some("k"), Some("50%"), None, None), CHECKS_OWN), (Some(2.0), Some(6.0), Some(4.0)));
        assert_eq!(edges(&settings(Some("k"), Some("x4"), None, None), CHECKS_OWN), (Some(1.0), Some(16.0), Some(4.0)));
    }

    #[test]
    fn a_bare_expectation_keeps_the_proportions_of_the_checks_band() {
        assert_eq!(edges(&settings(Some("k"), None, None, None), CHECKS_OWN), (Some(3.6), Some(7.6), Some(4.0)));
        let one_sided = Band { min: None, max: Some(3.0), expect: Some(2.0) };
        assert_eq!(edges(&settings(Some("k"), None, None, None), one_sided), (None, Some(6.0), Some(4.0)));
    }

    #[test]
    fn a_bare_expectation_is_ten_percent_where_there_are_no_proportions() {
        assert_eq!(edges(&settings(Some("-10"), None, None, None), CHECKS_OWN), (Some(-11.0), Some(-9.0), Some(-10.0)));
        assert_eq!(
            edges(&settings(Some("10"), None, None, None), Band::default()),
            (Some(9.0), Some(11.0), Some(10.0))
        );
        assert!(settings(Some("0"), None, None, None).band(&DataFacts::default(), CHECKS_OWN).is_err());
    }

    #[test]
    fn a_bare_tolerance_is_around_what_the_check_expects() {
        assert_eq!(edges(&settings(None, Some("50%"), None, None), CHECKS_OWN), (Some(1.0), Some(3.0), Some(2.0)));
        assert!(settings(None, Some("50%"), None, None).band(&DataFacts::default(), Band::default()).is_err());
    }

    #[test]
    fn an_edge_replaces_its_own_and_a_lone_edge_opens_the_other() {
        assert_eq!(edges(&settings(None, None, Some("1"), None), CHECKS_OWN), (Some(1.0), None, Some(2.0)));
        assert_eq!(edges(&settings(None, None, Some("3"), None), CHECKS_OWN), (Some(3.0), None, None));
        assert_eq!(edges(&settings(None, None, Some("1"), Some("5")), CHECKS_OWN), (Some(1.0), Some(5.0), Some(2.0)));
        assert_eq!(edges(&settings(Some("k"), None, None, Some("9")), CHECKS_OWN), (Some(3.6), Some(9.0), Some(4.0)));
    }

    #[test]
    fn an_empty_band_is_refused_in_words() {
        let words = settings(None, None, Some("5"), Some("k"))
            .band(&DataFacts { classes: Some(4), ..DataFacts::default() }, CHECKS_OWN);
        assert_eq!(words.unwrap_err(), "its band is empty: the least is 5, the most 4");
        assert!(settings(Some("ln(k)"), None, None, None).band(&DataFacts::default(), CHECKS_OWN).is_err());
    }
}
