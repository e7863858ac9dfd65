//! Reports: one stream of events, one file an output format. A renderer knows nothing of how events came about.

mod detail;
pub mod event;
mod exhibits;
#[cfg(test)]
mod fixture;
pub mod human;
pub mod json;
mod paint;
mod style;
