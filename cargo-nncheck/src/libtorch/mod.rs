//! Provides libtorch: where it is, which one the project wants, how to install it, how to use it.
//!
//! Looked for in this order: `LIBTORCH`; `LIBTORCH_USE_PYTORCH`; the active Python environment, if its torch is the
//! version that the project's `tch` wants; nncheck's own cache. Where all of them come to nothing, it is installed into
//! that cache.

pub mod cache;
pub mod elf;
pub mod environment;
pub mod error;
pub mod find;
pub mod install;
pub mod layout;
pub mod link;
pub mod manifest;
pub mod pip;
pub mod platform;
pub mod python;
pub mod sha256;
pub mod version;
pub mod wheel;

pub use environment::Environment;
pub use error::LibtorchError;
pub use find::{Found, Search, Source, find};
pub use version::Wanted;

use crate::progress::Progress;
use crate::surroundings::Surroundings;
use cache::{Cache, State};
use install::Installer;

/// Finds the wanted libtorch, and installs it where there is none.
pub fn ensure(wanted: &Wanted, surroundings: &Surroundings, progress: &dyn Progress) -> Result<Found, LibtorchError> {
    let search = find(wanted, surroundings)?;
    if let Some(found) = search.found {
        return Ok(found);
    }
    let cache = Cache::of(surroundings)?;
    let torch = &wanted.torch;
    match cache.state(torch) {
        State::Damaged(damage) => {
            progress.say(&format!("libtorch {torch} in nncheck's cache is damaged ({damage}); it is installed anew"));
        }
        State::Absent | State::Whole(_) => progress.say(&format!(
            "no libtorch {torch} on this machine ({}); it is installed into nncheck's cache, once",
            wanted.origin
        )),
    }
    let installer = Installer::new(&cache, surroundings, progress);
    installer.install(torch)?;
    Ok(find::in_cache(&cache, torch))
}
