//! `cargo nncheck`: tests neural networks the way `cargo test` tests code.
//!
//! This crate finds the project, provides libtorch, builds the harness and shows its results. It links neither `tch` nor
//! libtorch: those belong to the harness that it builds.

pub mod accepted;
pub mod child;
pub mod cli;
pub mod commands;
pub mod error;
pub mod exit_code;
pub mod file_lock;
pub mod first_spec;
pub mod harness_build;
pub mod harness_package;
pub mod harness_run;
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
use std::panic;
use std::thread;

use exit_code::ExitCode;

/// Room for the deepest source that is read, in an unoptimised build too; only what is used of it costs anything.
const STACK: usize = rust_source::DEEPEST << 16;

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
    let work = move || match commands::dispatch(invocation) {
        Ok(code) => code,
        Err(error) => {
            error::print(&error);
            ExitCode::from(&error)
        }
    };
    match thread::Builder::new().name("main".to_owned()).stack_size(STACK).spawn(work) {
        Ok(thread) => thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic)),
        Err(error) => {
            eprintln!("error: no thread can be started: {error}");
            ExitCode::Environment
        }
    }
}
