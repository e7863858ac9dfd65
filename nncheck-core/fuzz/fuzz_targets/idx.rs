//! See `nncheck_fuzz::idx`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nncheck_fuzz::run(nncheck_fuzz::idx::read, bytes));
