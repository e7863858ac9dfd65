//! What the command tells the harness that it built: the protocol between `cargo nncheck` and the harness binary.

use serde::{Deserialize, Serialize};

use super::{Filter, Overrides, Sources};

/// The environment variable that holds the options, as JSON.
pub const VARIABLE: &str = "NNCHECK_OPTIONS";

/// The version of the protocol: these options one way, the events of [`crate::report::event`] the other way.
pub const PROTOCOL: u32 = 2;

/// Everything that a harness needs to know to run for the command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HarnessOptions {
    /// [`PROTOCOL`] of the command.
    pub protocol: u32,
    /// The package, as shown.
    pub package: String,
    /// Its specs.
    pub sources: Sources,
    /// What the command line overrides in them.
    pub overrides: Overrides,
    /// Which properties.
    pub filter: Filter,
    /// Worker processes at once; `None`: one a core.
    pub jobs: Option<usize>,
    /// Stop after the first failure.
    pub fail_fast: bool,
    /// Take the numbers of properties that are held against a baseline, to accept them.
    #[serde(default)]
    pub accept: bool,
    /// tch's version, which the command knows from the lock file.
    pub tch: Option<String>,
    /// libtorch's version, which the command knows from where it found it.
    pub libtorch: Option<String>,
}

/// Why a harness cannot work for a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// Not what a command would send.
    #[error("`{VARIABLE}` is not what cargo nncheck would set: {0}")]
    Unreadable(String),
    /// Another version on the other side.
    #[error(
        "cargo nncheck speaks protocol {command} and this harness, built with the `nncheck` crate of its package, \
         speaks {PROTOCOL}; bring both to the same version"
    )]
    Version {
        /// The command's version.
        command: u32,
    },
}

impl HarnessOptions {
    /// Reads what the command wrote. The version is looked at first, so that another version's options need not be
    /// readable to be refused in plain words.
    ///
    /// # Errors
    /// When it is of another version, or no options at all.
    pub fn read(json: &str) -> Result<Self, OptionsError> {
        #[derive(Deserialize)]
        struct Version {
            protocol: u32,
        }
        let unreadable = |e: serde_json::Error| OptionsError::Unreadable(e.to_string());
        let version: Version = serde_json::from_str(json).map_err(unreadable)?;
        if version.protocol != PROTOCOL {
            return Err(OptionsError::Version { command: version.protocol });
        }
        serde_json::from_str(json).map_err(unreadable)
    }

    /// As it goes into the environment.
    #[must_use]
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_back_as_written() {
        let options =
            HarnessOptions { protocol: PROTOCOL, package: "digits".into(), jobs: Some(2), ..Default::default() };
        assert_eq!(HarnessOptions::read(&options.write()), Ok(options));
    }

    #[test]
    fn another_version_is_refused_even_where_nothing_else_can_be_read() {
        assert_eq!(HarnessOptions::read(r#"{"protocol": 99}"#), Err(OptionsError::Version { command: 99 }));
        assert!(matches!(HarnessOptions::read("no"), Err(OptionsError::Unreadable(_))));
    }
}
