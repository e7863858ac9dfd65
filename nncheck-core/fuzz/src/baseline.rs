//! Baselines: JSON that was written by `accept`, and merged or edited by others.

use nncheck_core::baseline::{Broken, read as parse, write};

/// A file that may be a baseline.
pub fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match parse(text) {
        Ok(baseline) => {
            let written = write(&baseline);
            assert_eq!(parse(&written).as_ref(), Ok(&baseline), "{written}");
            for accepted in baseline.properties.values() {
                let numbers = accepted.quantities.values().flat_map(|values| values.seeds.values());
                assert!(numbers.copied().all(f64::is_finite));
                assert!(accepted.quantities.values().all(|values| values.seeds.len() > 1));
            }
        }
        Err(Broken { message, span }) => {
            assert!(!message.is_empty() && !message.contains(char::is_control), "{message:?}");
            assert!(span.start <= span.end && span.end <= text.len(), "{span:?}");
            assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end), "{span:?}");
        }
    }
}
