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
#[doc(hidden)]
pub mod cost;
mod generator;
pub mod harness;
pub mod hyper;
pub mod measure;
mod memory;
pub mod observe;
pub mod session;
pub mod subject;
mod tensors;
pub mod user;
pub mod worker;

pub use bindings::Bindings;
pub use hyper::Hyper;
pub use subject::Program;
pub use user::{Batch, Dataset, Losses, Model, Named, Optimize, Outputs, Recorder, Setup, Subject};

/// Makes the `main` function of a test harness (`harness = false`) that runs the specs of a package.
///
/// `specs` is the folder of specs, relative to the package; the lists bind the user's own Rust that specs name by
/// path, in this order, each of which may be left out: `builder` (`model.builder`), `subject` (`model.subject`), `loss`
/// (`loss.function`), `optimizer` (`optimizer.function`), `step` (`train.step`), `data` (`data.function`) and `value`
/// (`function` of `check = "value"`). `cargo nncheck explain signatures` prints their signatures. A spec whose path is
/// not listed is an error at that path's place.
#[macro_export]
macro_rules! harness {
    (
        $(root: $root:expr,)? specs: $specs:expr
        $(, builder: [$($builder:expr),* $(,)?])?
        $(, subject: [$($subject:ty),* $(,)?])?
        $(, loss: [$($loss:expr),* $(,)?])?
        $(, optimizer: [$($optimizer:expr),* $(,)?])?
        $(, step: [$($step:expr),* $(,)?])?
        $(, data: [$($data:expr),* $(,)?])?
        $(, value: [$($value:expr),* $(,)?])?
        $(,)?
    ) => {
        fn main() -> ::std::process::ExitCode {
            #[allow(unused_mut, unused_assignments, clippy::allow_attributes)]
            let mut root = env!("CARGO_MANIFEST_DIR");
            $(root = $root;)?
            let bindings = $crate::Bindings::new()
                $($(.builder(stringify!($builder), $builder))*)?
                $($(.subject::<$subject>(stringify!($subject)))*)?
                $($(.loss(stringify!($loss), $loss))*)?
                $($(.optimizer(stringify!($optimizer), $optimizer))*)?
                $($(.step(stringify!($step), $step))*)?
                $($(.data(stringify!($data), $data))*)?
                $($(.value(stringify!($value), $value))*)?;
            $crate::harness::main(root, $specs, &bindings)
        }
    };
}
