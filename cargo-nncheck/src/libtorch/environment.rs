//! The environment in which programs are built with libtorch, and run.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::find::{Found, Source};
use crate::surroundings::{LIBRARY_PATH, Surroundings};

/// Changes to environment variables: a value, or none where the variable has to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    changes: Vec<(&'static str, Option<OsString>)>,
}

impl Environment {
    /// What `libtorch` needs in the given surroundings.
    ///
    /// torch-sys is built anew whenever one of its variables changes, so the same libtorch always gives the same
    /// values.
    pub fn of(libtorch: &Found, surroundings: &Surroundings) -> Self {
        let mut changes = Vec::new();
        match libtorch.source {
            // torch-sys asks Python itself, and would do so first of all.
            Source::UsePytorch => changes.push(("LIBTORCH", None)),
            Source::Variable => {
                changes.push(("LIBTORCH", Some(libtorch.root.clone().into_os_string())));
                changes.push(("LIBTORCH_USE_PYTORCH", None));
                // A build script runs in the folder of its package, where a relative path leads nowhere.
                for name in ["LIBTORCH_LIB", "LIBTORCH_INCLUDE"] {
                    if let Some(path) = surroundings.path(name) {
                        changes.push((name, Some(path.into_os_string())));
                    }
                }
            }
            Source::Python | Source::Cache => {
                changes.push(("LIBTORCH", Some(libtorch.root.clone().into_os_string())));
                // These would lead torch-sys to files of another libtorch.
                for name in ["LIBTORCH_USE_PYTORCH", "LIBTORCH_LIB", "LIBTORCH_INCLUDE", "LIBTORCH_STATIC"] {
                    changes.push((name, None));
                }
            }
        }
        let path = with_first(&libtorch.libraries, surroundings.variable(LIBRARY_PATH));
        changes.push((LIBRARY_PATH, Some(path)));
        Self { changes }
    }

    /// Sets up a command.
    pub fn apply(&self, command: &mut Command) {
        for (name, value) in &self.changes {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }

    /// The variables and their values; none where a variable has to go.
    pub fn changes(&self) -> impl Iterator<Item = (&'static str, Option<&OsStr>)> {
        self.changes.iter().map(|(name, value)| (*name, value.as_deref()))
    }
}

/// The list of folders `path` with `folder` at its head, once.
fn with_first(folder: &Path, path: Option<&OsStr>) -> OsString {
    let others = path.map(|path| env::split_paths(path).collect::<Vec<PathBuf>>()).unwrap_or_default();
    // An empty entry would mean the current directory, which nobody meant to say.
    let others = others.into_iter().filter(|other| other != folder && !other.as_os_str().is_empty());
    env::join_paths(std::iter::once(folder.to_owned()).chain(others))
        // A folder with a colon in its name cannot be told in such a list at all.
        .unwrap_or_else(|_| folder.to_owned().into_os_string())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn found(source: Source) -> Found {
        Found { source, root: "/torch".into(), libraries: "/torch/lib".into(), version: None }
    }

    fn changed(source: Source, variables: &[(&str, &str)]) -> Vec<(&'static str, Option<String>)> {
        let surroundings = Surroundings::new(variables.iter().copied(), "/project");
        Environment::of(&found(source), &surroundings)
            .changes()
            .map(|(name, value)| (name, value.map(|value| value.to_string_lossy().into_owned())))
            .collect()
    }

    fn value(changes: &[(&'static str, Option<String>)], name: &str) -> Option<Option<String>> {
        changes.iter().find(|(changed, _)| *changed == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn the_library_folder_comes_first_and_once() {
        for (before, after) in [
            ("", "/torch/lib"),
            ("/usr/lib:/opt/lib", "/torch/lib:/usr/lib:/opt/lib"),
            ("/opt/lib:/torch/lib", "/torch/lib:/opt/lib"),
            ("/torch/lib::", "/torch/lib"),
        ] {
            let changes = changed(Source::Cache, &[("LD_LIBRARY_PATH", before)]);
            assert_eq!(value(&changes, "LD_LIBRARY_PATH"), Some(Some(after.to_owned())), "before: `{before}`");
        }
    }

    #[test]
    fn pytorch_is_left_to_torch_sys_if_the_user_says_so() {
        let changes = changed(Source::UsePytorch, &[("LIBTORCH_USE_PYTORCH", "1")]);
        assert_eq!(value(&changes, "LIBTORCH_USE_PYTORCH"), None);
        assert_eq!(value(&changes, "LIBTORCH"), Some(None));
    }

    #[test]
    fn a_libtorch_that_the_user_set_wins_over_pytorch_in_torch_sys_too() {
        let changes = changed(Source::Variable, &[("LIBTORCH_USE_PYTORCH", "1"), ("LIBTORCH_LIB", "elsewhere")]);
        assert_eq!(value(&changes, "LIBTORCH_USE_PYTORCH"), Some(None));
        assert_eq!(value(&changes, "LIBTORCH"), Some(Some("/torch".to_owned())));
        assert_eq!(value(&changes, "LIBTORCH_LIB"), Some(Some("/project/elsewhere".to_owned())));
    }

    #[test]
    fn a_command_gets_the_changes() {
        let surroundings = Surroundings::new([("PATH", "/usr/bin:/bin"), ("LIBTORCH_STATIC", "1")], "/");
        let mut command = surroundings.command("env");
        Environment::of(&found(Source::Cache), &surroundings).apply(&mut command);
        let output = command.output().expect("env runs");
        let text = String::from_utf8(output.stdout).expect("text");
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["LD_LIBRARY_PATH=/torch/lib", "LIBTORCH=/torch", "PATH=/usr/bin:/bin"]);
    }
}
