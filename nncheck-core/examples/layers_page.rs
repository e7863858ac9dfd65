//! Prints the reference page of the layers: `cargo run -p nncheck-core --example layers_page > docs/layers.md`.

fn main() {
    print!("{}", nncheck_core::spec::layer::reference_page());
}
