//! Faults, one at a time, in training programs that are sound otherwise: for each check what it has to find. The specs
//! are named `CHECK.CASE.toml`: `sound` holds, `nothing` is skipped, and any other case is the cause that must be named
//! first or second. `-2`, `-3` make a second and third of a kind.

pub mod accumulation;
pub mod activations;
pub mod finite;
pub mod gradients;
pub mod inputs;
pub mod invariance;
pub mod learning;
pub mod losses;
pub mod masks;
pub mod norms;
pub mod parts;
pub mod rates;
pub mod scores;
pub mod sequences;
pub mod updates;
pub mod weights;
