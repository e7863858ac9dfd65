//! What `hyper = { ... }` of a spec hands to a builder.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The hyperparameters that a spec hands to a builder, as it wrote them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hyper(Map<String, Value>);

impl Hyper {
    /// Reads the JSON object that the spec's table became; anything else is no hyperparameters at all.
    #[must_use]
    pub fn from_json(json: &str) -> Self {
        Self(serde_json::from_str(json).unwrap_or_default())
    }

    /// The value of a key, or `otherwise` where the spec does not set it.
    ///
    /// # Panics
    /// When the spec's value is of another type than asked for: the panic is reported as the property's error, and
    /// names the key.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, key: &str, otherwise: T) -> T {
        match self.0.get(key) {
            None => otherwise,
            Some(value) => serde_json::from_value(value.clone())
                .unwrap_or_else(|e| panic!("`hyper.{key} = {value}` of the spec is not what the builder wants: {e}")),
        }
    }

    /// The keys that the spec sets.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_not_set_takes_the_default() {
        let hyper = Hyper::from_json(r#"{"hidden": 32}"#);
        assert_eq!(hyper.get("hidden", 8_i64), 32);
        assert_eq!(hyper.get("depth", 2_i64), 2);
    }

    #[test]
    #[should_panic(expected = "hyper.hidden")]
    fn a_value_of_another_type_is_named() {
        let _: i64 = Hyper::from_json(r#"{"hidden": "wide"}"#).get("hidden", 8);
    }
}
