//! Why there is no libtorch, and the way out of each case.

use std::io;
use std::path::PathBuf;

use semver::Version;
use thiserror::Error;

/// Why libtorch cannot be provided.
#[derive(Debug, Error)]
pub enum LibtorchError {
    /// The project's tch is unknown.
    #[error(
        "which torch does torch-sys {tch} want? nncheck knows tch 0.22 to 0.26\n  \
         help: use one of these in the project, or update nncheck: cargo install cargo-nncheck"
    )]
    UnknownTch {
        /// The version that the project resolves to.
        tch: Version,
    },
    /// `LIBTORCH` is set, but to no libtorch.
    #[error(
        "LIBTORCH is set to `{path}`, but {problem}\n  \
         help: set it to the folder of libtorch {wanted} (the one that holds `lib` and `include`), or unset it and \
         nncheck finds or installs the right one: env -u LIBTORCH cargo nncheck libtorch"
    )]
    BadVariable {
        /// Its value.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// The version that is wanted.
        wanted: Version,
    },
    /// `LIBTORCH` holds another version than the project's tch wants.
    #[error(
        "LIBTORCH is set to `{path}`, which is torch {actual}, but {why} wants torch {wanted}\n  \
         help: set it to libtorch {wanted}, or unset it and nncheck finds or installs the right one; with \
         LIBTORCH_BYPASS_VERSION_CHECK=1 it is used as it is"
    )]
    WrongVersionInVariable {
        /// Its value.
        path: PathBuf,
        /// The version found there.
        actual: String,
        /// The version that is wanted.
        wanted: Version,
        /// Who wants it.
        why: String,
    },
    /// `LIBTORCH_USE_PYTORCH` is set, but Python has no torch.
    #[error(
        "LIBTORCH_USE_PYTORCH is set, but {problem}\n  \
         help: {python} -m pip install torch=={wanted}, or unset LIBTORCH_USE_PYTORCH and nncheck finds or installs \
         a libtorch of its own"
    )]
    NoPytorch {
        /// What is wrong.
        problem: String,
        /// How Python is called.
        python: String,
        /// The version that is wanted.
        wanted: Version,
    },
    /// The torch of the Python environment is of another version.
    #[error(
        "LIBTORCH_USE_PYTORCH is set, but the torch in `{path}` is {actual}, and {why} wants torch {wanted}\n  \
         help: {python} -m pip install torch=={wanted}, or unset LIBTORCH_USE_PYTORCH and nncheck finds or installs \
         a libtorch of its own"
    )]
    WrongPytorch {
        /// Its folder.
        path: PathBuf,
        /// Its version.
        actual: String,
        /// How Python is called.
        python: String,
        /// The version that is wanted.
        wanted: Version,
        /// Who wants it.
        why: String,
    },
    /// There is no place for a cache.
    #[error(
        "no place for nncheck's cache: neither NNCHECK_CACHE_DIR nor the home folder is set\n  help: set NNCHECK_CACHE_DIR to a folder"
    )]
    NoCacheFolder,
    /// There is no Python to install with.
    #[error(
        "libtorch {wanted} has to be installed, which takes Python with pip, and `{python}` is not on PATH\n  \
         help: install Python 3 (Debian, Ubuntu: apt install python3-pip), or set LIBTORCH to a libtorch {wanted} that \
         you have"
    )]
    NoPython {
        /// How Python is called.
        python: String,
        /// The version to install.
        wanted: Version,
    },
    /// The Python that there is has no pip.
    #[error(
        "libtorch {wanted} has to be installed through pip, and `{python}` has no pip\n  \
         help: {python} -m ensurepip, or install it with the system's packages (Debian, Ubuntu: apt install \
         python3-pip), or set LIBTORCH to a libtorch {wanted} that you have"
    )]
    NoPip {
        /// How Python is called.
        python: String,
        /// The version to install.
        wanted: Version,
    },
    /// pip is too old to tell what it would install.
    #[error(
        "the pip of `{python}` is too old: libtorch is installed with pip 22.2 or newer\n  \
         help: {python} -m pip install --upgrade pip; or with a virtual environment: {python} -m venv venv && . \
         venv/bin/activate && python -m pip install --upgrade pip"
    )]
    OldPip {
        /// How Python is called.
        python: String,
    },
    /// Nobody makes wheels of torch for this platform.
    #[error(
        "there is no libtorch {wanted} to install for this platform\n  \
         help: build libtorch from source and set LIBTORCH to it"
    )]
    UnknownPlatform {
        /// The version to install.
        wanted: Version,
    },
    /// There is no C compiler.
    #[error(
        "installing libtorch takes a C compiler, and `{compiler}` is not on PATH\n  \
         help: install one (Debian, Ubuntu: apt install build-essential; Fedora: dnf install gcc gcc-c++), or set CC"
    )]
    NoCompiler {
        /// The compiler's name.
        compiler: String,
    },
    /// The C compiler failed.
    #[error("the C compiler `{compiler}` could not link libtorch.so:\n{report}")]
    Compiler {
        /// The compiler's name.
        compiler: String,
        /// What it had to say.
        report: String,
    },
    /// The package index cannot be reached.
    #[error(
        "libtorch {wanted} could not be downloaded: the package index cannot be reached, or has no torch at all\n{report}\n  \
         help: check the network (pip takes a proxy from HTTPS_PROXY and a mirror from PIP_INDEX_URL), or set LIBTORCH \
         to a libtorch {wanted} that you have"
    )]
    NoNetwork {
        /// The version to install.
        wanted: Version,
        /// pip's last lines.
        report: String,
    },
    /// The index has no such version for this platform.
    #[error(
        "the package index has no {requirement} for this platform ({platform})\n{report}\n  \
         help: build libtorch from source and set LIBTORCH to it, or use a tch whose torch there is"
    )]
    NoSuchVersion {
        /// What was asked for.
        requirement: String,
        /// The platform it was asked for.
        platform: String,
        /// pip's last lines.
        report: String,
    },
    /// A download is not what it should be.
    #[error(
        "{file} is not the file that it should be: {problem}; nothing was installed\n  \
         help: try again; if it stays so, the package index or a proxy before it delivers other files than the \
         official index"
    )]
    Hash {
        /// The file.
        file: String,
        /// Which hashes differ.
        problem: String,
    },
    /// pip failed in another way.
    #[error("pip could not download libtorch {wanted}; its last lines:\n{report}")]
    Pip {
        /// The version to install.
        wanted: Version,
        /// pip's last lines.
        report: String,
    },
    /// The downloaded wheel is not what it should be.
    #[error("{file} cannot be used: {problem}")]
    Wheel {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The disk is full.
    #[error(
        "no space left in `{path}`: installing libtorch takes up to 3 GB for a while, 0.5 GB in the end\n  \
         help: free some space, or set NNCHECK_CACHE_DIR to a folder on another disk"
    )]
    DiskFull {
        /// Where.
        path: PathBuf,
    },
    /// A file or a program would not work.
    #[error("{doing} `{path}`: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The user pressed Ctrl-C.
    #[error("interrupted; nothing was installed")]
    Interrupted,
}

impl LibtorchError {
    /// Whether the user asked for it.
    pub fn is_interrupt(&self) -> bool {
        matches!(self, Self::Interrupted)
    }

    /// The error of doing something with a path; a full disk is told apart.
    pub fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::Interrupted if crate::interrupt::requested() => Self::Interrupted,
            _ => Self::Io { doing, path, source },
        }
    }
}
