//! Helpers of the end-to-end tests: they run the `cargo-nncheck` program as a user would, and look at its exit code and
//! what it prints.
//!
//! The tests need libtorch in the environment: `cargo nncheck exec -- cargo test --workspace`.

pub mod cases;
mod command;
mod golden;
mod outcome;
mod scratch;

pub use command::{cargo, command, environment, nncheck, program, repository, target};
pub use golden::{loss_and_steps, spec_of_64_digits};
pub use outcome::Outcome;
pub use scratch::Scratch;

use std::path::PathBuf;

/// The folder of an example project.
#[must_use]
pub fn project(name: &str) -> PathBuf {
    repository().join("tests/projects").join(name)
}

/// The manifest of an example project, as an argument.
#[must_use]
pub fn manifest(name: &str) -> String {
    project(name).join("Cargo.toml").display().to_string()
}

/// Runs an example project's specs with JSON events on standard output; `more` are further arguments.
#[must_use]
pub fn run_project(name: &str, more: &[&str]) -> Outcome {
    let manifest = manifest(name);
    nncheck(&[&["run", "--manifest-path", &manifest, "--message-format", "json"], more].concat())
}

/// Runs a folder of specs that needs no Rust, with JSON events on standard output; `more` are further arguments.
#[must_use]
pub fn run_specs(folder: &std::path::Path, more: &[&str]) -> Outcome {
    let folder = folder.display().to_string();
    nncheck(&[&["run", "--specs", &folder, "--message-format", "json"], more].concat())
}
