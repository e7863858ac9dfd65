//! Tests neural networks the way `cargo test` tests code.
//!
//! Users write TOML specs of expected properties; this crate builds the model through `tch`, measures it in worker
//! processes, has [`nncheck_core`] judge the measurements, and runs each property as a libtest test. Most users never
//! name it: `cargo nncheck` generates a harness that does. To run the same specs under plain `cargo test`, put this in
//! `tests/nncheck.rs` (with `harness = false`):
//!
//! ```ignore
//! nncheck::harness! { specs: "specs", builder: [digits::mlp, digits::convnet] }
//! ```

pub mod bindings;
mod cache;
pub mod harness;
pub mod hyper;
pub mod measure;
pub mod observe;
pub mod session;
pub mod subject;
pub mod worker;

pub use bindings::{Bindings, Builder};
pub use hyper::Hyper;

/// Makes the `main` function of a test harness (`harness = false`) that runs the specs of a package.
///
/// `specs` is the folder of specs, relative to the package; `builder` lists the model builders that specs name by
/// path: `fn(&nn::Path) -> M` or `fn(&nn::Path, &Hyper) -> M`, `M` a [`tch::nn::ModuleT`]. A spec whose path is not
/// listed is an error at that path's place.
#[macro_export]
macro_rules! harness {
    ($(root: $root:expr,)? specs: $specs:expr $(, builder: [$($builder:expr),* $(,)?])? $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            #[allow(unused_mut, unused_assignments, clippy::allow_attributes)]
            let mut root = env!("CARGO_MANIFEST_DIR");
            $(root = $root;)?
            let bindings = $crate::Bindings::new()$($(.builder(stringify!($builder), $builder))*)?;
            $crate::harness::main(root, $specs, &bindings)
        }
    };
}
