//! See `nncheck_fuzz::safetensors`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nncheck_fuzz::run(nncheck_fuzz::safetensors::read, bytes));
