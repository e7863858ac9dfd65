//! Worker processes. libtorch's random generator is global to the process, and so are its crashes: measurements run in
//! processes of their own (the harness binary started again), so that they are reproducible whatever runs beside
//! them, and a measurement that crashes, hangs or eats all memory takes nothing else with it.

mod child;
mod limits;
mod panics;
mod pool;
mod process;
mod protocol;

pub use crate::subject::error::panic_words;
pub use pool::{Answer, Pool, Task};
pub use process::{is_worker, serve};
pub use protocol::Failure;
