//! Archives of numpy's.

use nncheck_core::spec::data::{DataSource, NextToken};

use super::reading;

/// The arrays `x` and `y`, and `x` as tokens.
pub fn read(bytes: &[u8]) {
    reading::with_file(bytes, |file| {
        reading::several_ways(&DataSource::Npz(reading::arrays(file, None)));
        reading::several_ways(&DataSource::Npz(reading::arrays(file, Some(NextToken::Rows))));
    });
}
