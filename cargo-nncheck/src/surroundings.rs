//! What surrounds this process: environment variables and the current directory.
//!
//! A value rather than the process's own globals, so that a test can surround the search for libtorch with whatever it
//! likes, and so that every child starts from the same clean environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

/// Environment variables and a current directory.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    variables: BTreeMap<OsString, OsString>,
    directory: PathBuf,
}

/// The variable in which the dynamic linker looks for folders of shared libraries.
pub const LIBRARY_PATH: &str = if cfg!(target_os = "macos") {
    "DYLD_LIBRARY_PATH"
} else if cfg!(windows) {
    "PATH"
} else {
    "LD_LIBRARY_PATH"
};

impl Surroundings {
    /// What surrounds this process, less what cargo put there for this process alone.
    pub fn current() -> io::Result<Self> {
        let mut surroundings = Self { variables: env::vars_os().collect(), directory: env::current_dir()? };
        surroundings.forget_own_package(env::current_exe().ok().as_deref());
        Ok(surroundings)
    }

    /// Surroundings made of the given variables alone.
    pub fn new(
        variables: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>,
        directory: impl Into<PathBuf>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, directory: directory.into() }
    }

    /// The value of a variable; `None` where it is unset or empty.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Whether a variable is set, be it to nothing.
    pub fn is_set(&self, name: &str) -> bool {
        self.variables.contains_key(OsStr::new(name))
    }

    /// A variable that holds a path, made absolute.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(|value| self.directory.join(value))
    }

    /// The current directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file that `program` names on `PATH`.
    pub fn find_program(&self, program: &str) -> Option<PathBuf> {
        let suffixes: &[&str] = if cfg!(windows) { &[".exe", ".bat", ".cmd", ""] } else { &[""] };
        let path = self.variable("PATH")?;
        env::split_paths(path)
            .flat_map(|folder| suffixes.iter().map(move |suffix| folder.join(format!("{program}{suffix}"))))
            .find(|file| is_executable(file))
    }

    /// A command that starts `program` in these surroundings.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.variables).current_dir(&self.directory);
        command
    }

    /// A command that starts cargo in these surroundings: the one that started us, where one did.
    pub fn cargo(&self) -> Command {
        self.command(self.variable("CARGO").unwrap_or(OsStr::new("cargo")))
    }

    /// Removes what `cargo run` and `cargo test` set for the program that they start: the variables that describe its
    /// package, which build scripts of the user's crates would take for their own, and the folders of its own build.
    fn forget_own_package(&mut self, program: Option<&Path>) {
        self.variables.retain(|name, _| !name.to_str().is_some_and(describes_a_package));
        // Cargo adds the build's own folders and the toolchain's to the library path. (PATH, on Windows, has too much
        // else in it to be touched.)
        let Some(value) = self.variables.get(OsStr::new(LIBRARY_PATH)).filter(|_| LIBRARY_PATH != "PATH") else {
            return;
        };
        let build = program.and_then(Path::parent).map(|folder| {
            // Test programs lie one level deeper, in `deps`.
            if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder }
        });
        let toolchains = self.variable("RUSTUP_HOME").map_or_else(
            || self.variable("HOME").map(|home| Path::new(home).join(".rustup")),
            |home| Some(PathBuf::from(home)),
        );
        let own = |folder: &Path| {
            build.is_some_and(|build| is_build_folder(build) && folder.starts_with(build))
                || toolchains.as_ref().is_some_and(|home| folder.starts_with(home.join("toolchains")))
        };
        let kept: Vec<PathBuf> = env::split_paths(value).filter(|folder| !own(folder)).collect();
        if kept.iter().all(|folder| folder.as_os_str().is_empty()) {
            self.variables.remove(OsStr::new(LIBRARY_PATH));
        } else if let Ok(value) = env::join_paths(kept) {
            self.variables.insert(LIBRARY_PATH.into(), value);
        }
    }
}

/// Whether a variable describes the package that cargo runs, rather than how the user wants cargo to behave.
fn describes_a_package(name: &str) -> bool {
    const NAMES: [&str; 6] = [
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_MANIFEST_LINKS",
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_PRIMARY_PACKAGE",
    ];
    const PREFIXES: [&str; 4] = ["CARGO_PKG_", "CARGO_BIN_EXE_", "CARGO_FEATURE_", "CARGO_CFG_"];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || name == "OUT_DIR"
}

/// Whether cargo builds into `folder` (`target/debug`), as opposed to a folder where programs are installed.
fn is_build_folder(folder: &Path) -> bool {
    folder.join(".fingerprint").is_dir() || folder.join("deps").is_dir()
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(variables: &[(&str, &str)], program: Option<&Path>) -> Surroundings {
        let mut surroundings = Surroundings::new(variables.iter().copied(), "/");
        surroundings.forget_own_package(program);
        surroundings
    }

    #[test]
    fn variables_of_the_own_package_are_forgotten_and_those_of_the_user_kept() {
        let surroundings = cleaned(
            &[
                ("CARGO_MANIFEST_DIR", "/somewhere"),
                ("CARGO_PKG_NAME", "cargo-nncheck"),
                ("CARGO_BIN_EXE_cargo-nncheck", "/somewhere"),
                ("OUT_DIR", "/somewhere"),
                ("CARGO_HOME", "/home/.cargo"),
                ("CARGO_TARGET_DIR", "/target"),
                ("CARGO_BUILD_JOBS", "2"),
                ("CARGO_PROFILE_DEV_DEBUG", "0"),
                ("CARGO_NET_OFFLINE", "true"),
                ("CARGO", "/bin/cargo"),
            ],
            None,
        );
        let names: Vec<&OsStr> = surroundings.variables.keys().map(OsString::as_os_str).collect();
        assert_eq!(
            names,
            [
                "CARGO",
                "CARGO_BUILD_JOBS",
                "CARGO_HOME",
                "CARGO_NET_OFFLINE",
                "CARGO_PROFILE_DEV_DEBUG",
                "CARGO_TARGET_DIR"
            ]
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn library_folders_of_the_own_build_are_forgotten() {
        let target = tempfile::tempdir().expect("a folder");
        let debug = target.path().join("debug");
        std::fs::create_dir_all(debug.join("deps")).expect("created");
        let value = format!("{0}/deps:{0}:/home/me/.rustup/toolchains/stable/lib:/opt/lib", debug.display());
        let variables = [("HOME", "/home/me"), (LIBRARY_PATH, value.as_str())];
        for program in [debug.join("cargo-nncheck"), debug.join("deps/search-0123")] {
            let surroundings = cleaned(&variables, Some(&program));
            assert_eq!(surroundings.variable(LIBRARY_PATH), Some(OsStr::new("/opt/lib")));
        }
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let surroundings = Surroundings::new([("LIBTORCH", "")], "/");
        assert_eq!(surroundings.variable("LIBTORCH"), None);
        assert!(surroundings.is_set("LIBTORCH"));
    }

    #[test]
    fn a_relative_path_is_taken_from_the_current_directory() {
        let surroundings = Surroundings::new([("LIBTORCH", "torch")], "/home/me");
        assert_eq!(surroundings.path("LIBTORCH"), Some(PathBuf::from("/home/me/torch")));
    }

    #[test]
    fn commands_see_the_variables_of_their_surroundings_alone() {
        let surroundings = Surroundings::new([("PATH", "/usr/bin:/bin"), ("GREETING", "hello")], "/");
        let output = surroundings.command("env").output().expect("env runs");
        let text = String::from_utf8(output.stdout).expect("text");
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["GREETING=hello", "PATH=/usr/bin:/bin"]);
    }
}
