//! Every input that the fuzzers keep is read once more: see `fuzz/` for what they hold against it.

use std::path::Path;
use std::time::{Duration, Instant};

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

/// Longest that an input of some kilobytes may take, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn inputs_that_fuzzing_has_found_are_no_trouble() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target) in fuzz::ALL {
        let mut inputs: Vec<_> =
            std::fs::read_dir(corpus.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{name} has a corpus");
        for input in inputs {
            let bytes = std::fs::read(&input).unwrap();
            let start = Instant::now();
            if let Err(panic) = std::panic::catch_unwind(|| fuzz::run(target, &bytes)) {
                eprintln!("it was {}", input.display());
                std::panic::resume_unwind(panic);
            }
            assert!(start.elapsed() < PATIENCE, "{} took {:?}", input.display(), start.elapsed());
        }
    }
}

#[test]
#[should_panic(expected = "MiB of memory")]
fn memory_is_counted() {
    fuzz::run(|_| drop(vec![1_u8; fuzz::MEMORY + 1]), b"");
}
