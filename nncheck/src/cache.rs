//! Measurements on disk, for runners that start a process for each test (`cargo nextest run`). The cache lives for one
//! run: one that outlived it would serve stale numbers, because a user's function reads what no hash sees.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nncheck_core::measurement::{Measurement, Request};
use nncheck_core::spec::Subject;

use crate::worker::Failure;

/// Runs older than this are of nobody any more.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// What one process measured and the others of the same run need not.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// Holds a task for this process alone until dropped; the system lets go of it when the process dies.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
}

impl Cache {
    /// The cache of the run that this process belongs to, if it is one of many.
    #[must_use]
    pub fn of_this_run() -> Option<Self> {
        let run = std::env::var("NEXTEST_RUN_ID").ok().filter(|id| !id.is_empty())?;
        let safe: String = run.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let all = std::env::temp_dir().join("nncheck-runs");
        let folder = all.join(safe);
        fs::create_dir_all(&folder).ok()?;
        forget_stale(&all, &folder);
        Some(Self { folder })
    }

    #[cfg(test)]
    fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Waits until no other process works on the measurements of this subject and seed.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn claim(&self, subject: &Subject, seed: u64, request: &Request) -> io::Result<Claim> {
        // A longer training answers for a shorter one of its kind; all else is measured by itself.
        let family = match request.run() {
            Some(_) => format!("{:?}", std::mem::discriminant(request)),
            None => request.key(),
        };
        let path = self.folder.join(format!("{}.lock", hash(&format!("{subject:?}{seed}{family}"))));
        let lock = File::create(path)?;
        lock.lock()?;
        Ok(Claim { _lock: lock })
    }

    /// A part that some process of this run has answered.
    #[must_use]
    pub fn get(&self, subject: &Subject, seed: u64, part: &Request) -> Option<Result<Measurement, Failure>> {
        let bytes = fs::read(self.path(subject, seed, part)).ok()?;
        postcard::from_bytes(&bytes).ok()
    }

    /// Keeps an answer for the others; a cache that cannot be written to costs time and nothing else.
    pub fn put(&self, subject: &Subject, seed: u64, part: &Request, result: &Result<Measurement, Failure>) {
        let Ok(bytes) = postcard::to_stdvec(result) else { return };
        let path = self.path(subject, seed, part);
        let temporary = path.with_extension(format!("{}.part", std::process::id()));
        let written = File::create(&temporary).and_then(|mut file| file.write_all(&bytes));
        if written.is_ok() {
            let _kept = fs::rename(&temporary, &path);
        } else {
            let _gone = fs::remove_file(&temporary);
        }
    }

    fn path(&self, subject: &Subject, seed: u64, part: &Request) -> PathBuf {
        self.folder.join(format!("{}.answer", hash(&format!("{subject:?}{seed}{part:?}"))))
    }
}

fn hash(text: &str) -> String {
    // The executable stands for the code under test: two harnesses of one run share nothing.
    let program = std::env::current_exe().unwrap_or_default();
    let mut hasher = blake3::Hasher::new();
    hasher.update(program.to_string_lossy().as_bytes());
    hasher.update(text.as_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}

fn forget_stale(all: &Path, mine: &Path) {
    let Ok(runs) = fs::read_dir(all) else { return };
    for run in runs.flatten().filter(|r| r.path() != mine) {
        let age = run.metadata().and_then(|m| m.modified()).ok().and_then(|t| SystemTime::now().duration_since(t).ok());
        if age.is_some_and(|age| age > STALE) {
            let _gone = fs::remove_dir_all(run.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nncheck_core::measurement::{InitialAsk, Share};

    #[test]
    fn an_answer_is_found_again_and_another_seeds_is_not() {
        let folder = std::env::temp_dir().join(format!("nncheck-cache-test-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let cache = Cache::at(&folder);
        let subject = crate::session::tests::subject();
        let request = Request::Initial(InitialAsk { rows: 4, share: Share::Training });
        let failure = Err(Failure { cause: "no".into(), help: vec![] });
        let claim = cache.claim(&subject, 0, &request).unwrap();
        cache.put(&subject, 0, &request, &failure);
        drop(claim);
        assert_eq!(cache.get(&subject, 0, &request), Some(failure));
        assert_eq!(cache.get(&subject, 1, &request), None);
        fs::remove_dir_all(&folder).unwrap();
    }
}
