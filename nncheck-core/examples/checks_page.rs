//! Prints the reference page of the checks: `cargo run -p nncheck-core --example checks_page > docs/checks.md`.

fn main() {
    print!("{}", nncheck_core::check::documentation::reference_page());
}
