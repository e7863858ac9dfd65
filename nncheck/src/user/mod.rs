//! What the user's own Rust implements and is handed: batches, outputs, losses, and the traits of models, optimizers
//! and whole training programs.

mod batch;
mod dataset;
mod losses;
mod model;
mod moves;
mod named;
mod optimize;
mod outputs;
mod record;
mod subject;

pub use batch::Batch;
pub use dataset::Dataset;
pub use losses::{Losses, Term};
pub use model::Model;
pub(crate) use moves::Update;
pub use named::Named;
pub use optimize::Optimize;
pub use outputs::Outputs;
pub(crate) use record::{Mode, Seen};
pub use record::{Recorder, RecordingModel, RecordingOptimizer};
pub use subject::{Setup, Subject};
