//! The heart of nncheck, which tests neural networks the way `cargo test` tests code: the spec language, the
//! checks, judging and reporting. Nothing here knows libtorch; measuring lives in the `nncheck` crate.
//!
//! The way of the data, and the direction of the dependencies between the modules:
//!
//! ```text
//! diagnostic <- spec <- data
//!                 ^
//!   measurement   |    judge
//!            ^    |    ^
//!             \   |   /
//!               check  <- suite <- plan, evaluate <- report
//! ```

pub mod baseline;
pub mod check;
pub mod data;
pub mod diagnostic;
pub mod evaluate;
pub mod judge;
pub mod measurement;
pub mod metric;
pub mod model_file;
pub mod plan;
pub mod reference;
pub mod report;
pub mod spec;
pub mod suite;
