//! Reports: one stream of events, one file an output format. A renderer knows nothing of how events came about.

pub mod event;
pub mod human;
pub mod json;
