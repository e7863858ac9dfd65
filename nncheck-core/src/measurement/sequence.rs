//! What a sequence model's outputs owe to the positions of its input, and to their order.

use serde::{Deserialize, Serialize};

use super::Ask;
use super::trace::LayerSeen;

/// Asks how a model of sequences depends on positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceAsk {
    /// Rows in a batch.
    pub rows: usize,
}

impl Ask for SequenceAsk {
    fn key(&self) -> String {
        format!("sequence-{}", self.rows)
    }

    fn words(&self) -> String {
        "outputs under changed positions".to_owned()
    }

    fn after(&self) -> Option<usize> {
        Some(0)
    }
}

/// Sequences with some positions changed, in eval mode. Differences are the largest of any entry, over the spread of the
/// outputs (the root of their mean variance over the rows).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sequence {
    /// Why there is nothing to look at.
    pub cannot: Option<String>,
    /// Positions of a sequence.
    pub length: usize,
    /// Whether there is a target, and an output, for each position.
    pub per_position: bool,
    /// Whether each target is what the input holds one position later.
    pub next: bool,
    /// For some positions: what changes in front of them when they and all that follow change.
    pub ahead: Vec<Ahead>,
    /// How many positions ahead a change reaches at most; 0 where nothing changed above.
    pub reach: usize,
    /// Whether the first position's output changes with the last position.
    pub whole: bool,
    /// What changes when the inner positions are put in reverse; outputs for each position are put back first. `None`
    /// where they hold the same whichever way round.
    pub reversed: Option<f64>,
    /// Operators that look at several positions in a way that could know their order or not: attention, recurrence.
    pub mixers: Vec<LayerSeen>,
}

/// What stands in front of a position, when it and all that follow change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ahead {
    /// The first position that changed.
    pub position: usize,
    /// What changed in front of it.
    pub difference: f64,
}
