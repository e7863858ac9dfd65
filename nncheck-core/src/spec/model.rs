//! `[model]`: the network under test.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::layer::Layer;
use crate::diagnostic::Located;

/// The network under test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Where it comes from.
    pub source: ModelSource,
    /// A state dict to load after building.
    pub weights: Option<Weights>,
    /// Globs of parameters that must not move.
    pub frozen: Vec<String>,
}

/// Exactly one of the ways to name a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ModelSource {
    /// A Rust function of the user's library, `fn(&nn::Path) -> impl ModuleT`, by path.
    Builder {
        /// `crate::path::function`.
        path: Located<String>,
        /// What `hyper = { ... }` hands to it; JSON object, `null` where there is none.
        hyper: String,
    },
    /// Layers, one after another.
    Layers(Vec<Located<Layer>>),
}

/// A file of parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// The file; absolute, resolved against the spec's folder.
    pub file: Located<PathBuf>,
    /// Names in the file that are no parameters.
    pub ignore: Vec<String>,
}
