//! safetensors, held against the reader of those who made the format.

use nncheck_core::data::load;
use nncheck_core::spec::data::{Data, DataSource, NextToken};
use nncheck_core::spec::loss::Task;
use nncheck_core::spec::run::Dtype;

use super::reading;

/// The arrays `x` and `y`, and `x` as tokens.
pub fn read(bytes: &[u8]) {
    reading::with_file(bytes, |file| {
        let both = DataSource::Safetensors(reading::arrays(file, None));
        reading::several_ways(&both);
        for next in [NextToken::Rows, NextToken::Windows(4)] {
            reading::several_ways(&DataSource::Safetensors(reading::arrays(file, Some(next))));
        }
        let Ok(dataset) = load(&Data::of(both), Task::Regression, Dtype::Float64) else { return };
        let theirs = safetensors::SafeTensors::deserialize(bytes).expect("what is read here is sound for others too");
        let theirs = theirs.tensor("x").expect("there is an x");
        let x = &dataset.inputs[0];
        assert_eq!(theirs.shape().iter().product::<usize>(), x.values.len());
        if theirs.dtype() == safetensors::Dtype::F64 {
            let numbers = theirs.data().as_chunks().0.iter().map(|&chunk| f64::from_le_bytes(chunk));
            assert!(numbers.enumerate().all(|(at, number)| number == x.values.at(at)));
        }
    });
}
