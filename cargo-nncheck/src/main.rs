//! The `cargo nncheck` subcommand. Everything it does lives in the library of the same package.

use std::process;

fn main() -> process::ExitCode {
    cargo_nncheck::run(std::env::args_os()).into()
}
