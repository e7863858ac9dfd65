//! Folders that a test writes specs, data and packages into.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A temporary folder, removed at the end of the test.
#[derive(Debug)]
pub struct Scratch(TempDir);

impl Scratch {
    /// An empty folder.
    ///
    /// # Panics
    /// When none can be made.
    #[must_use]
    pub fn new() -> Self {
        Self(TempDir::with_prefix("nncheck-e2e-").unwrap_or_else(|e| panic!("no temporary folder: {e}")))
    }

    /// With a file in it, given by its path from the folder and its text.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn with(self, path: &str, text: &str) -> Self {
        let full = self.join(path);
        let folder = full.parent().unwrap_or(self.path());
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&full, text))
            .unwrap_or_else(|e| panic!("{} cannot be written: {e}", full.display()));
        self
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A path in it.
    #[must_use]
    pub fn join(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}
