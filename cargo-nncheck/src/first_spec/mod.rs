//! A first spec for a package, from what its sources and the data near by tell.
//!
//! What is written is held against the reader before anybody sees it: of the guesses the first one counts whose spec can
//! be read and whose data can be loaded.

mod aim;
mod choose;
pub mod files;
mod fit;
pub mod guess;
mod text;

use std::path::PathBuf;

use aim::Aim;
use files::DataFile;
use guess::Guess;

use crate::rust_source::{Input, Network};

pub use choose::{candidates, survey};
pub use text::text;

/// A builder that a spec can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builder {
    /// Its public path.
    pub path: String,
    /// Where it is defined.
    pub place: String,
    /// It takes hyperparameters.
    pub hyper: bool,
    /// What the sources tell of its network.
    pub network: Network,
}

impl Builder {
    /// The name of a spec about it: its own, or its type's in snake case where it is called `new`.
    #[must_use]
    pub fn spec_name(&self) -> String {
        let mut names = self.path.rsplit("::");
        let own = names.next().unwrap_or_default();
        let name = match names.next() {
            Some(owner) if owner.starts_with(char::is_uppercase) => owner,
            _ => own,
        };
        let mut snake = String::new();
        for c in name.trim_start_matches("r#").chars() {
            if c.is_uppercase() && snake.chars().next_back().is_some_and(char::is_lowercase) {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
        }
        // A spec's name is of letters that every file system and shell agrees upon.
        if snake.is_ascii() && !snake.is_empty() { snake } else { "model".to_owned() }
    }
}

/// What the library has besides builders.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Functions that read data.
    pub data: Vec<String>,
    /// Losses.
    pub losses: Vec<String>,
    /// Functions that make an optimizer.
    pub optimizers: Vec<String>,
    /// Training steps.
    pub steps: Vec<String>,
    /// Types that are a whole training program.
    pub subjects: Vec<String>,
}

/// Where the model of a draft comes from.
#[derive(Clone, Debug)]
pub enum Model {
    /// The first builder; the others are named in comments.
    Builder(Vec<Builder>),
    /// A TorchScript file, relative to the spec.
    TorchScript(String),
    /// Layers that go with the data, for there is no builder.
    Layers(NoBuilder),
}

/// Why a spec names no builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoBuilder {
    /// A folder of specs has no Rust at all.
    Folder,
    /// The package has no library that a spec could name a function of.
    NoLibrary,
    /// The library has none.
    NoneInLibrary,
}

/// Where the data of a draft comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file, or a pair of them.
    File(DataFile),
    /// A function of the library, by its path.
    Function(String),
    /// Made up, and why.
    Synthetic(String),
}

/// A spec that may be written.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// Its model.
    pub model: Model,
    /// Where its data comes from.
    pub source: Source,
    /// What the data is taken for.
    pub guess: Guess,
    /// What is known of the network.
    pub network: Network,
    /// The folder that it is written into, absolute.
    pub folder: PathBuf,
    /// What else the library has.
    pub parts: Parts,
    /// Nothing but guesses of what nobody said stands between it and a run.
    pub sure: bool,
}

/// Made-up data for a network: of the shape that the sources tell, else of some shape.
#[must_use]
pub fn made_up(network: &Network) -> (Guess, bool) {
    let (shape, tokens, known) = match network.input {
        Input::Features(width) => (vec![width], None, true),
        Input::Images(channels) => (vec![channels, 32, 32], None, false),
        Input::Signals(channels) => (vec![channels, 64], None, false),
        Input::Steps(width) => (vec![16, width], None, true),
        Input::Tokens(tokens) => (vec![16], Some(tokens), true),
        Input::Unknown => (vec![16], None, false),
    };
    let (shape, known) = match &network.viewed {
        Some(viewed) if tokens.is_none() && viewed.len() > 1 => (viewed.clone(), true),
        _ => (shape, known),
    };
    let sigmoid = network.last == Some(crate::rust_source::Activation::Sigmoid);
    let aim = match (network.output, tokens) {
        (Some(1), _) if sigmoid => Aim::Binary,
        (Some(1), _) => Aim::Numbers(1),
        (Some(outputs), Some(tokens)) if outputs == tokens => Aim::NextToken(tokens),
        (Some(outputs), _) => Aim::Classes(outputs),
        (None, Some(tokens)) => Aim::NextToken(tokens),
        (None, None) => Aim::Classes(10),
    };
    let fit = if known { fit::Fit::Yes } else { fit::Fit::Perhaps };
    (Guess { aim, shape, tokens, fit, lines: Vec::new() }, known && network.output.is_some())
}
