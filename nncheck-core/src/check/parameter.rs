//! Bounds of the checks' parameters, held while they are read, so that the spec's line is shown.

use serde::de::{Deserialize, Deserializer, Error};
use toml::Spanned;

use crate::diagnostic::Located;
use crate::spec::name::rust_path;

/// A finite number above zero.
pub(super) fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(Error::custom(format_args!("{value} is out of range, expected a number above 0")))
    }
}

/// A finite number above zero, where there is one.
pub(super) fn positive_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    positive(deserializer).map(Some)
}

/// A share: from 0 to 1.
pub(super) fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err(Error::custom(format_args!("{value} is out of range, expected a share from 0 to 1")))
    }
}

/// A number that is neither NaN nor infinite.
pub(super) fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Error::custom(format_args!("{value} is out of range, expected a finite number")))
    }
}

/// A number that is neither NaN nor infinite, where there is one.
pub(super) fn finite_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    finite(deserializer).map(Some)
}

/// A default count.
pub(super) const fn count(n: usize) -> std::num::NonZeroUsize {
    match std::num::NonZeroUsize::new(n) {
        Some(n) => n,
        None => std::num::NonZeroUsize::MIN,
    }
}

/// The path of the user's own Rust, where there is one.
pub(super) fn path_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Located<String>>, D::Error> {
    path(deserializer).map(Some)
}

/// The path of the user's own Rust.
pub(super) fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Located<String>, D::Error> {
    let path = Spanned::<String>::deserialize(deserializer)?;
    match rust_path(path.get_ref()) {
        Ok(()) => Ok(Located::new(path.get_ref().clone(), path.span())),
        Err(why) => Err(Error::custom(why)),
    }
}
