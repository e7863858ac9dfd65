//! What stands in `expect` and `within`.

use nncheck_core::measurement::DataFacts;
use nncheck_core::spec::expression::Expression;
use nncheck_core::spec::tolerance::Tolerance;

/// An expression and a tolerance.
pub fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Expression::parse(text) {
        Err(error) => assert!(text.get(error.range.clone()).is_some() && !error.message.is_empty(), "{error:?}"),
        Ok(expression) => {
            let facts = DataFacts {
                examples: 10,
                classes: Some(3),
                priors: vec![0.5, 0.25, 0.25],
                target_mean: Some(0.5),
                target_variance: Some(2.0),
                ..DataFacts::default()
            };
            match expression.eval(&facts) {
                Ok(value) => assert!(value.is_finite()),
                Err(why) => assert!(!why.is_empty()),
            }
            if let Some(value) = expression.constant() {
                assert_eq!(expression.eval(&DataFacts::default()), Ok(value));
            }
            assert_eq!(Expression::parse(expression.as_str()).as_ref(), Ok(&expression), "its own text means the same");
        }
    }
    match Tolerance::parse(text) {
        Err(why) => assert!(!why.is_empty()),
        Ok(tolerance) => {
            for expect in [0.0, 1.5, -2.0] {
                if let Ok(band) = tolerance.around(expect) {
                    assert!(band.min <= Some(expect) && Some(expect) <= band.max, "{tolerance:?} around {expect}");
                }
            }
        }
    }
}
