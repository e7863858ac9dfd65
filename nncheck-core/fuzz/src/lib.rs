//! What is fuzzed: one function for each kind of text or file that comes from outside. It gets any bytes, and panics where
//! nncheck does something that it must never do. The fuzzers in `fuzz_targets` run these functions, and so does an
//! ordinary test of nncheck-core, over the corpus.

pub mod baseline;
pub mod csv;
pub mod expression;
pub mod idx;
pub mod memory;
pub mod model_file;
pub mod npy;
pub mod npz;
pub mod reading;
pub mod safetensors;
pub mod spec;

/// Reads bytes as one kind of file.
pub type Target = fn(&[u8]);

/// All targets by name: of its binary, and of its folder in `corpus`.
pub const ALL: [(&str, Target); 9] = [
    ("baseline", baseline::read),
    ("csv", csv::read),
    ("expression", expression::read),
    ("idx", idx::read),
    ("model_file", model_file::read),
    ("npy", npy::read),
    ("npz", npz::read),
    ("safetensors", safetensors::read),
    ("spec", spec::read),
];

/// Memory that reading an input may take, whatever the input: what a header claims is not believed, and what is
/// compressed grows a thousandfold at most.
pub const MEMORY: usize = 96 << 20;

/// Runs a target, its memory bounded.
///
/// # Panics
/// When the target does, or when it took more than [`MEMORY`].
pub fn run(target: Target, bytes: &[u8]) {
    let most = memory::peak_of(|| target(bytes));
    assert!(most <= MEMORY, "{} bytes took {} MiB of memory", bytes.len(), most >> 20);
}
