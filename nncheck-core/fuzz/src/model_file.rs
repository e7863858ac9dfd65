//! Models and state dicts: which kind of file one is.

use nncheck_core::model_file::{ModelFile, is_traced, torchscript};

use super::reading;

/// A file that may be a model.
pub fn read(bytes: &[u8]) {
    reading::with_file(bytes, |file| {
        let kind = ModelFile::of(file).expect("a file that is there can be read");
        assert_eq!(torchscript(file).is_ok(), kind == ModelFile::TorchScript);
        if let Err((cause, help)) = torchscript(file) {
            assert!(!cause.is_empty() && !help.is_empty());
            assert!(help.iter().chain([&cause]).all(|words| !words.contains(char::is_control)));
        }
        let zipped = !matches!(kind, ModelFile::OldPickle | ModelFile::Safetensors | ModelFile::Other);
        assert!(!zipped || bytes.starts_with(b"PK"));
        // Whatever comes before an archive, zip finds it.
        let _ = is_traced(file);
    });
}
