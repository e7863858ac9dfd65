//! See `nncheck_fuzz::spec`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nncheck_fuzz::run(nncheck_fuzz::spec::read, bytes));
