//! The programs under test, and the environment that they are started in.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::Outcome;

/// The repository's root.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| panic!("tests/ is in the repository"))
}

/// The target folder that this test itself was built into; everything else is built into it too, once.
#[must_use]
pub fn target() -> PathBuf {
    let this = std::env::current_exe().unwrap_or_else(|e| panic!("a test has a path: {e}"));
    // TARGET/PROFILE/deps/test-0123
    this.ancestors().nth(3).unwrap_or_else(|| panic!("{} is in a target folder", this.display())).to_owned()
}

/// The `cargo-nncheck` program, built from this repository when the first test asks for it.
#[must_use]
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let built = cargo(repository())
            .args(["build", "--quiet", "--package", "cargo-nncheck", "--message-format", "json"])
            .stderr(Stdio::inherit())
            .output()
            .unwrap_or_else(|e| panic!("cargo cannot be started: {e}"));
        assert!(built.status.success(), "cargo-nncheck cannot be built");
        String::from_utf8_lossy(&built.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|message| message["target"]["name"] == "cargo-nncheck")
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .unwrap_or_else(|| panic!("cargo does not say where cargo-nncheck is"))
    })
}

/// What tells this test's own circumstances, and would reach what it starts.
fn is_of_this_test(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    const NAMES: [&str; 5] = ["CARGO", "OUT_DIR", "RUST_TEST_THREADS", "RUST_RECURSION_COUNT", "NEXTEST"];
    const STARTS: [&str; 8] = [
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
        "CARGO_PRIMARY_",
        "CARGO_TARGET_TMPDIR",
        "NEXTEST_",
        "NNCHECK_",
    ];
    // Where nncheck's own cache is, and whether it may install, is the surroundings' to say.
    NAMES.contains(&&*name) || (STARTS.iter().any(|s| name.starts_with(s)) && name != "NNCHECK_CACHE_DIR")
}

/// This test's environment without what cargo and nextest set for it alone, and with its target folder.
pub fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
        .filter(|(name, _)| !is_of_this_test(name) && name != "CARGO_TARGET_DIR")
        .chain([("CARGO_TARGET_DIR".into(), target().into()), ("CARGO_TERM_COLOR".into(), "never".into())])
}

/// A program, to be run in `folder`.
#[must_use]
pub fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().envs(environment()).stdin(Stdio::null());
    command
}

/// Cargo, to be run in `folder`.
#[must_use]
pub fn cargo(folder: &Path) -> Command {
    command(Path::new("cargo"), folder)
}

/// Runs `cargo nncheck` with these arguments, in the repository.
#[must_use]
pub fn nncheck(arguments: &[&str]) -> Outcome {
    Outcome::of(command(program(), repository()).arg("nncheck").args(arguments))
}
