//! What every format of named arrays can be asked for.

use super::Values;
use crate::spec::run::Dtype;

/// A file of named arrays, opened.
pub(super) trait Archive {
    /// What it is called in messages.
    fn what(&self) -> &'static str;
    /// The names of its arrays.
    fn names(&self) -> Vec<String>;
    /// The shape of one, without its numbers.
    fn shape(&mut self, name: &str) -> Result<Vec<usize>, String>;
    /// One with its numbers, of its first `most` rows.
    fn array(&mut self, name: &str, most: usize, dtype: Dtype) -> Result<(Vec<usize>, Values), String>;
}
