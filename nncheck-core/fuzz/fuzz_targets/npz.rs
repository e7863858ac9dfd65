//! See `nncheck_fuzz::npz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nncheck_fuzz::run(nncheck_fuzz::npz::read, bytes));
