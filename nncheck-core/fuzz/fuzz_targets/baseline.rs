//! See `nncheck_fuzz::baseline`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nncheck_fuzz::run(nncheck_fuzz::baseline::read, bytes));
