//! Text files of reasonable length.

use std::fs;
use std::io;
use std::path::Path;

/// The longest spec that is read.
const LONGEST: u64 = 16 << 20;

/// The text of a file. Pipes and devices are refused: they may never end.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let words = |why: io::Error| match why.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => why.to_string(),
    };
    let metadata = fs::metadata(path).map_err(words)?;
    if metadata.is_dir() {
        return Err("it is a folder, not a file".to_owned());
    }
    if !metadata.is_file() {
        return Err("it is a pipe or a device, not a file".to_owned());
    }
    if metadata.len() > LONGEST {
        return Err(format!("it is longer than {} MiB, too long for a spec", LONGEST >> 20));
    }
    let bytes = fs::read(path).map_err(words)?;
    String::from_utf8(bytes).map_err(|why| {
        let line = why.as_bytes()[..why.utf8_error().valid_up_to()].iter().filter(|&&b| b == b'\n').count() + 1;
        format!("it is not UTF-8 (line {line})")
    })
}
