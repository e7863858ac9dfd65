//! Installs libtorch into nncheck's cache.
//!
//! Everything is put together in a staging folder inside the cache and renamed into place when it is whole. A lock file
//! keeps two installers of the same version apart: the second waits and finds the work done.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use semver::Version;
use tempfile::TempDir;

use super::cache::{Cache, State};
use super::layout::{BUILD_VERSION, CPU_LIBRARY};
use super::link::{self, Compiler};
use super::manifest::{Entry, Manifest};
use super::pip::{Download, Pip};
use super::platform::{self, Platform};
use super::sha256::Sha256;
use super::wheel::Wheel;
use super::{LibtorchError, elf, layout};
use crate::file_lock;
use crate::progress::Progress;
use crate::surroundings::Surroundings;

/// The folder of headers inside a torch wheel.
const HEADERS: &str = "torch/include/";
/// The folder of shared libraries inside a torch wheel.
const LIBRARIES: &str = "torch/lib/";

/// What an installation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The files.
    pub manifest: Manifest,
    /// Whether it was there already, whole.
    pub before: bool,
}

/// Installs libtorch.
pub struct Installer<'a> {
    cache: &'a Cache,
    surroundings: &'a Surroundings,
    progress: &'a dyn Progress,
}

impl<'a> Installer<'a> {
    /// An installer into the given cache.
    pub fn new(cache: &'a Cache, surroundings: &'a Surroundings, progress: &'a dyn Progress) -> Self {
        Self { cache, surroundings, progress }
    }

    /// Installs a version, unless it is there, whole.
    pub fn install(&self, torch: &Version) -> Result<Installed, LibtorchError> {
        crate::interrupt::listen();
        let installed = self.install_locked(torch);
        self.progress.finish();
        installed
    }

    fn install_locked(&self, torch: &Version) -> Result<Installed, LibtorchError> {
        let folder = self.cache.folder();
        fs::create_dir_all(folder).map_err(LibtorchError::io("could not create", folder))?;
        // Held until the end of this function.
        let _lock = self.lock(torch)?;
        if let State::Whole(manifest) = self.cache.state(torch) {
            return Ok(Installed { manifest, before: true });
        }
        self.cache.remove_stale_staging(torch);
        let platform = Platform::current().ok_or_else(|| LibtorchError::UnknownPlatform { wanted: torch.clone() })?;
        // Before the download rather than after it.
        let compiler = if platform.cut { Some(Compiler::of(self.surroundings)?) } else { None };
        let staging = tempfile::Builder::new()
            .prefix(&Cache::staging_prefix(torch))
            .tempdir_in(folder)
            .map_err(LibtorchError::io("could not create a folder in", folder))?;
        let pip = Pip::new(torch, platform, staging.path(), self.surroundings, self.progress)?;
        let manifest =
            Assembly::new(&staging, &pip, self.progress).put_together(torch, compiler.as_ref(), self.surroundings)?;
        self.move_into_place(&staging, torch)?;
        Ok(Installed { manifest, before: false })
    }

    /// Waits for the lock of a version, looking at Ctrl-C now and then.
    fn lock(&self, torch: &Version) -> Result<File, LibtorchError> {
        let path = self.cache.lock_file(torch);
        file_lock::exclusive(&path, || {
            self.progress.say(&format!("another nncheck is installing libtorch {torch}; waiting for it"));
        })
        .map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => LibtorchError::Interrupted,
            _ => LibtorchError::io("could not lock", &path)(error),
        })
    }

    fn move_into_place(&self, staging: &TempDir, torch: &Version) -> Result<(), LibtorchError> {
        if crate::interrupt::requested() {
            return Err(LibtorchError::Interrupted);
        }
        let place = self.cache.libtorch(torch);
        if place.exists() {
            // Whatever is damaged leaves in one step too, and goes with the staging folder.
            let damaged = staging.path().join("damaged");
            fs::rename(&place, &damaged).map_err(LibtorchError::io("could not move away", &place))?;
        }
        fs::rename(root(staging), &place).map_err(LibtorchError::io("could not move into place", &place))
    }
}

/// The libtorch folder to be, inside the staging folder.
fn root(staging: &TempDir) -> PathBuf {
    staging.path().join("libtorch")
}

/// A libtorch that is being put together.
struct Assembly<'a> {
    root: PathBuf,
    pip: &'a Pip<'a>,
    progress: &'a dyn Progress,
    manifest: Manifest,
}

impl<'a> Assembly<'a> {
    fn new(staging: &TempDir, pip: &'a Pip<'a>, progress: &'a dyn Progress) -> Self {
        Self { root: root(staging), pip, progress, manifest: Manifest::default() }
    }

    /// Does all the work but moving the folder into place.
    fn put_together(
        mut self,
        torch: &Version,
        compiler: Option<&Compiler>,
        surroundings: &Surroundings,
    ) -> Result<Manifest, LibtorchError> {
        let (mut wheel, path) = self.fetch(&format!("torch=={torch}"))?;
        if let Some(compiler) = compiler {
            let headers = names(&wheel, |name| name.starts_with(HEADERS));
            self.take(&mut wheel, &headers)?;
            self.take_needed(wheel, path)?;
            let libraries = layout::libraries(&self.root);
            compiler.link(&libraries, surroundings)?;
            self.list(&format!("lib/{}", link::LIBRARY))?;
        } else {
            let files = names(&wheel, |name| name.starts_with(HEADERS) || name.starts_with(LIBRARIES));
            self.take(&mut wheel, &files)?;
            remove(wheel, &path);
        }
        let build_version = self.root.join(BUILD_VERSION);
        fs::write(&build_version, format!("{torch}\n"))
            .map_err(LibtorchError::io("could not write", &build_version))?;
        self.list(BUILD_VERSION)?;
        self.manifest
            .write(&self.root)
            .map_err(LibtorchError::io("could not write the list of files into", &self.root))?;
        Ok(self.manifest)
    }

    /// Takes the CPU's library and all that it needs, each from the wheel that has it.
    fn take_needed(&mut self, torch: Wheel, path: PathBuf) -> Result<(), LibtorchError> {
        let mut wheels = vec![(torch, path)];
        let mut wanted = vec![CPU_LIBRARY.to_owned()];
        let mut taken = BTreeSet::new();
        while let Some(library) = wanted.pop() {
            if !taken.insert(library.clone()) {
                continue;
            }
            let found = wheels.iter_mut().find_map(|(wheel, _)| Some((entry_of(wheel, &library)?, wheel)));
            if let Some((entry, wheel)) = found {
                self.take(wheel, &[(entry, format!("lib/{library}"))])?;
            } else {
                let package = platform::package_of(&library).ok_or_else(|| LibtorchError::Wheel {
                    file: wheels[0].0.name().to_owned(),
                    problem: format!("its libraries need {library}, and nncheck does not know where to get that"),
                })?;
                let (mut wheel, path) = self.fetch(&package)?;
                let entry = entry_of(&wheel, &library).ok_or_else(|| LibtorchError::Wheel {
                    file: wheel.name().to_owned(),
                    problem: format!("there is no {library} in it"),
                })?;
                self.take(&mut wheel, &[(entry, format!("lib/{library}"))])?;
                wheels.push((wheel, path));
            }
            let needed = elf::needed(&layout::libraries(&self.root).join(&library))?;
            wanted.extend(needed.into_iter().filter(|library| !platform::is_of_the_system(library)));
        }
        for (wheel, path) in wheels {
            remove(wheel, &path);
        }
        Ok(())
    }

    fn fetch(&mut self, requirement: &str) -> Result<(Wheel, PathBuf), LibtorchError> {
        self.progress.say(&format!("  fetching {requirement}"));
        let Download { path, sha256 } = self.pip.download(requirement)?;
        let wheel = Wheel::open(&path)?;
        self.manifest.wheels.push((wheel.name().to_owned(), sha256));
        Ok((wheel, path))
    }

    /// Takes entries out of a wheel; each comes with the path that it gets.
    fn take(&mut self, wheel: &mut Wheel, entries: &[(String, String)]) -> Result<(), LibtorchError> {
        let mut total = 0;
        for (entry, _) in entries {
            total += wheel.size(entry)?;
        }
        let what = match entries {
            [(_, path)] => format!("unpacking {path}"),
            _ => "unpacking".to_owned(),
        };
        let mut done = 0;
        for (entry, path) in entries {
            let written = &mut |count| {
                done += count;
                self.progress.bytes(&what, done, Some(total));
            };
            let entry = wheel.extract(entry, &self.root, path, written)?;
            self.manifest.files.push(entry);
        }
        Ok(())
    }

    /// Puts a file that was made here on the list.
    fn list(&mut self, path: &str) -> Result<(), LibtorchError> {
        let file = path.split('/').fold(self.root.clone(), |folder, part| folder.join(part));
        let mut size = 0;
        let sha256 =
            Sha256::of_file(&file, &mut |count| size += count).map_err(LibtorchError::io("could not read", &file))?;
        self.manifest.files.push(Entry { path: path.to_owned(), size, sha256 });
        Ok(())
    }
}

/// The files of a torch wheel that are meant, and the paths that they get: the same, less `torch/`.
fn names(wheel: &Wheel, meant: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let files = wheel.names().filter(|name| !name.ends_with('/') && meant(name));
    files.map(|name| (name.to_owned(), name.strip_prefix("torch/").unwrap_or(name).to_owned())).collect()
}

/// The entry that has a shared library.
fn entry_of(wheel: &Wheel, library: &str) -> Option<String> {
    // Wheels that were made self-contained keep the libraries of others in a folder `torch.libs`.
    wheel
        .names()
        .find(|name| {
            name.rsplit_once('/').is_some_and(|(folder, file)| {
                file == library && (folder.ends_with("/lib") || folder.ends_with(".libs"))
            })
        })
        .map(str::to_owned)
}

/// Closes a wheel and deletes its file.
fn remove(wheel: Wheel, path: &Path) {
    drop(wheel);
    // The staging folder goes as a whole in the end; this only frees the space sooner.
    let _ = fs::remove_file(path);
}
