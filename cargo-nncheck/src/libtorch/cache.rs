//! nncheck's cache of libtorch installations.

use std::fs;
use std::path::{Path, PathBuf};

use semver::Version;

use super::LibtorchError;
use super::manifest::Manifest;
use crate::surroundings::Surroundings;

/// The cache.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// What is there of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Absent,
    /// Something, but not everything; the text says what is wrong.
    Damaged(String),
    /// Everything.
    Whole(Manifest),
}

impl Cache {
    /// The user's cache: `NNCHECK_CACHE_DIR`, else `nncheck` in the folder where this platform keeps caches.
    pub fn of(surroundings: &Surroundings) -> Result<Self, LibtorchError> {
        if let Some(folder) = surroundings.path("NNCHECK_CACHE_DIR") {
            return Ok(Self { folder });
        }
        let home = || surroundings.path("HOME");
        let caches = if cfg!(windows) {
            surroundings.path("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            home().map(|home| home.join("Library/Caches"))
        } else {
            // The XDG specification says to ignore relative paths.
            let xdg = surroundings.variable("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
            xdg.or_else(|| home().map(|home| home.join(".cache")))
        };
        caches.map(|caches| Self { folder: caches.join("nncheck") }).ok_or(LibtorchError::NoCacheFolder)
    }

    /// A cache in the given folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder of the cache.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a version of libtorch lies, or would lie.
    pub fn libtorch(&self, torch: &Version) -> PathBuf {
        self.folder.join(name(torch))
    }

    /// What there is of a version of libtorch.
    pub fn state(&self, torch: &Version) -> State {
        let folder = self.libtorch(torch);
        if !folder.exists() {
            return State::Absent;
        }
        match Manifest::read(&folder).and_then(|manifest| manifest.check(&folder).map(|()| manifest)) {
            Ok(manifest) => State::Whole(manifest),
            Err(damage) => State::Damaged(damage),
        }
    }

    /// The file whose lock the installer of a version holds.
    pub(super) fn lock_file(&self, torch: &Version) -> PathBuf {
        self.folder.join(format!("{}.lock", name(torch)))
    }

    /// How the names of folders begin in which a version is put together.
    pub(super) fn staging_prefix(torch: &Version) -> String {
        format!(".staging-{}-", name(torch))
    }

    /// Removes what interrupted installations of a version left behind. Only for the holder of the lock.
    pub(super) fn remove_stale_staging(&self, torch: &Version) {
        let prefix = Self::staging_prefix(torch);
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                // What cannot be removed is in nobody's way; the next installation tries again.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

fn name(torch: &Version) -> String {
    format!("libtorch-{torch}-cpu")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TORCH: Version = Version::new(2, 11, 0);

    #[cfg(target_os = "linux")]
    #[test]
    fn the_folder_is_the_first_one_that_is_set() {
        let mut variables = vec![("HOME", "/home/me")];
        let folder = |variables: &[(&str, &str)]| {
            let surroundings = Surroundings::new(variables.iter().copied(), "/project");
            Cache::of(&surroundings).map(|cache| cache.folder).ok()
        };
        assert_eq!(folder(&variables), Some("/home/me/.cache/nncheck".into()));
        variables.push(("XDG_CACHE_HOME", "relative"));
        assert_eq!(folder(&variables), Some("/home/me/.cache/nncheck".into()));
        variables.push(("XDG_CACHE_HOME", "/xdg"));
        assert_eq!(folder(&variables), Some("/xdg/nncheck".into()));
        variables.push(("NNCHECK_CACHE_DIR", "mine"));
        assert_eq!(folder(&variables), Some("/project/mine".into()));
        assert_eq!(folder(&[]), None);
    }

    #[test]
    fn a_folder_without_a_list_is_damaged() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::at(folder.path());
        assert_eq!(cache.state(&TORCH), State::Absent);
        fs::create_dir(cache.libtorch(&TORCH)).expect("created");
        assert!(matches!(cache.state(&TORCH), State::Damaged(damage) if damage.contains("missing")));
        Manifest::default().write(&cache.libtorch(&TORCH)).expect("written");
        assert_eq!(cache.state(&TORCH), State::Whole(Manifest::default()));
    }

    #[test]
    fn only_stale_folders_of_the_same_version_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::at(folder.path());
        for name in [".staging-libtorch-2.11.0-cpu-a", ".staging-libtorch-2.9.0-cpu-b", "libtorch-2.11.0-cpu"] {
            fs::create_dir(folder.path().join(name)).expect("created");
        }
        cache.remove_stale_staging(&TORCH);
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).expect("read").map(|e| e.expect("read").file_name()).collect();
        left.sort();
        assert_eq!(left, [".staging-libtorch-2.9.0-cpu-b", "libtorch-2.11.0-cpu"]);
    }
}
