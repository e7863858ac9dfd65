//! Which torch a tch wants.

use std::fmt;
use std::path::PathBuf;

use semver::Version;

/// The minor versions of tch 0.x and the torch that each was written for (`TORCH_VERSION` in the build script of the
/// torch-sys of the same version). There is no tch 0.25.
const TORCH_OF_TCH: [(u64, Version); 4] = [
    (22, Version::new(2, 9, 0)),
    (23, Version::new(2, 10, 0)),
    (24, Version::new(2, 11, 0)),
    (26, Version::new(2, 13, 0)),
];

/// The tch that nncheck's own tests run with, and so that of projects that have none.
pub const OWN_TCH: Version = Version::new(0, 24, 0);

/// The torch that [`OWN_TCH`] wants.
const OWN_TORCH: Version = Version::new(2, 11, 0);

/// A torch version, and who wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The version.
    pub torch: Version,
    /// Who wants it.
    pub origin: Origin,
}

/// Who wants a torch version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The tch of the user's project.
    Project {
        /// Its version.
        tch: Version,
        /// The lock file that says so, where it was a lock file.
        lock: Option<PathBuf>,
    },
    /// nncheck, for projects without tch.
    Own,
    /// The user, on the command line.
    CommandLine,
}

impl Wanted {
    /// What nncheck wants where there is no project with a tch of its own.
    pub fn own() -> Self {
        Self { torch: OWN_TORCH, origin: Origin::Own }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project { tch, .. } => write!(f, "the project's tch {tch}"),
            Self::Own => write!(f, "nncheck's own tch {OWN_TCH}, there being none in the project"),
            Self::CommandLine => write!(f, "the command line"),
        }
    }
}

/// The torch that a tch (or torch-sys: their versions go together) wants.
pub fn torch_of_tch(tch: &Version) -> Option<Version> {
    if tch.major != 0 {
        return None;
    }
    TORCH_OF_TCH.iter().find(|(minor, _)| *minor == tch.minor).map(|(_, torch)| torch.clone())
}

/// The torch that the build script of a torch-sys asks for.
pub fn torch_of_build_script(script: &str) -> Option<Version> {
    let (_, rest) = script.split_once("const TORCH_VERSION: &str = \"")?;
    rest.split_once('"')?.0.parse().ok()
}

/// Reads a torch version as people and files write it: `2.11.0+cpu` is 2.11.0.
pub fn read(text: &str) -> Option<Version> {
    text.trim().split('+').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_supported_tch_has_a_torch() {
        for (tch, torch) in
            [((0, 22, 0), "2.9.0"), ((0, 23, 4), "2.10.0"), ((0, 24, 0), "2.11.0"), ((0, 26, 1), "2.13.0")]
        {
            let tch = Version::new(tch.0, tch.1, tch.2);
            assert_eq!(torch_of_tch(&tch).map(|torch| torch.to_string()).as_deref(), Some(torch), "tch {tch}");
        }
        for unknown in [Version::new(0, 21, 0), Version::new(0, 27, 0), Version::new(1, 24, 0)] {
            assert_eq!(torch_of_tch(&unknown), None);
        }
    }

    #[test]
    fn the_own_torch_is_that_of_the_own_tch() {
        assert_eq!(torch_of_tch(&OWN_TCH), Some(Wanted::own().torch));
    }

    #[test]
    fn the_build_script_states_its_torch() {
        let script = "use std::env;\n\nconst TORCH_VERSION: &str = \"2.14.1\";\nconst X: &str = \"1\";\n";
        assert_eq!(torch_of_build_script(script), Some(Version::new(2, 14, 1)));
        assert_eq!(torch_of_build_script("fn main() {}"), None);
    }

    #[test]
    fn the_local_part_of_a_version_does_not_count() {
        assert_eq!(read("2.11.0+cu130\n"), Some(Version::new(2, 11, 0)));
        assert_eq!(read("nightly"), None);
    }
}
