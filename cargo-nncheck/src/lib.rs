//! `cargo nncheck`: tests neural networks the way `cargo test` tests code.
//!
//! This crate finds the project, provides libtorch, builds the harness and shows its results. It links neither `tch` nor
//! libtorch: those belong to the harness that it builds.

pub mod child;
pub mod cli;
pub mod commands;
pub mod error;
pub mod exit_code;
pub mod file_lock;
pub mod first_spec;
pub mod harness_build;
pub mod harness_package;
pub mod interrupt;
pub mod libtorch;
pub mod new_file;
pub mod packages;
pub mod progress;
pub mod project;
pub mod rust_source;
pub mod selection;
pub mod show;
pub mod surroundings;
pub mod wrong_paths;

use std::ffi::OsString;

use exit_code::ExitCode;

/// Runs the command line `arguments` (the program's name first) and says how it ended.
///
/// Errors are printed to standard error.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let invocation = match cli::parse(arguments) {
        Ok(invocation) => invocation,
        Err(error) => {
            let code = ExitCode::of_usage(&error);
            // A closed pipe while printing help is nobody's problem.
            let _ = error.print();
            return code;
        }
    };
    match commands::dispatch(invocation) {
        Ok(code) => code,
        Err(error) => {
            error::print(&error);
            ExitCode::from(&error)
        }
    }
}
