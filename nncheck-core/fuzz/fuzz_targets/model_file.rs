//! See `nncheck_fuzz::model_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nncheck_fuzz::run(nncheck_fuzz::model_file::read, bytes));
