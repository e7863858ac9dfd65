//! What each layer's units do over many rows.

use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};

/// Asks for the units of a program in a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitsAsk {
    /// Over how many of the first training rows.
    pub rows: usize,
    /// After how many training steps.
    pub after: usize,
}

impl Ask for UnitsAsk {
    fn key(&self) -> String {
        format!("units-{}-{}", self.rows, self.after)
    }

    fn words(&self) -> String {
        match self.after {
            0 => "the units before training".to_owned(),
            steps => format!("the units after {steps} training steps"),
        }
    }

    fn after(&self) -> Option<usize> {
        Some(self.after)
    }
}

/// The units of every layer, in train mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Units {
    /// Facts of the data.
    pub facts: DataFacts,
    /// Why nothing could be looked at.
    pub cannot: Option<String>,
    /// Over how many rows.
    pub rows: usize,
    /// The operators of the forward pass that compute something, in order.
    pub layers: Vec<UnitLayer>,
}

/// The units of one operator's output: features of `[N, F]`, channels of `[N, C, ...]`, the last axis of `[N, T, F]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitLayer {
    /// Named after its parameters (`hidden`), or after the layer before it (`hidden.relu`).
    pub name: String,
    /// libtorch's name of the operator.
    pub operator: String,
    /// Whether it reads parameters.
    pub has_parameters: bool,
    /// How many units.
    pub units: usize,
    /// Mean of all entries.
    pub mean: f64,
    /// Standard deviation (n - 1) of all entries.
    pub std: f64,
    /// Share of entries that are zero.
    pub zero_fraction: f64,
    /// Share of units that are zero in every row and position.
    pub dead: f64,
    /// Root mean square over the units of each one's standard deviation over rows and positions.
    pub spread: f64,
    /// Share of entries on a plateau, where the operator has some: where its slope is below a twentieth of its steepest.
    pub plateau: Option<f64>,
}

impl Units {
    /// The layer of this name.
    #[must_use]
    pub fn layer(&self, name: &str) -> Option<&UnitLayer> {
        self.layers.iter().find(|layer| layer.name == name)
    }

    /// The layers before the last one, whose output is the model's.
    #[must_use]
    pub fn inner(&self) -> &[UnitLayer] {
        self.layers.split_last().map_or(&[], |(_, inner)| inner)
    }
}
