//! The `cargo nncheck` subcommand.
fn main() {}
