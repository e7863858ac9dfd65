//! Opening a data file, with words for what is in the way.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{DataError, shown};
use crate::diagnostic::Located;
use crate::diagnostic::suggest::nearest;

/// Opens a file. Pipes and devices are refused: they may never end.
pub(super) fn open(path: &Located<PathBuf>) -> Result<File, DataError> {
    let metadata = std::fs::metadata(&path.value).map_err(|e| unreadable(path, &e))?;
    if metadata.is_dir() {
        return Err(DataError::new("data-file", format!("`{}` is a folder, not a file", name(&path.value)))
            .about(path.span)
            .help(format!("looked at {}", shown(&path.value))));
    }
    if !metadata.is_file() {
        return Err(DataError::new("data-file", format!("`{}` is a pipe or a device, not a file", shown(&path.value)))
            .about(path.span)
            .help("write what it gives to a file"));
    }
    File::open(&path.value).map_err(|e| unreadable(path, &e))
}

/// Why a file cannot be read, with a file of nearly the same name.
pub(super) fn unreadable(path: &Located<PathBuf>, error: &io::Error) -> DataError {
    let shown_path = shown(&path.value);
    let name = name(&path.value);
    if error.kind() != io::ErrorKind::NotFound {
        return DataError::new("data-file", format!("cannot read `{shown_path}`: {error}")).about(path.span);
    }
    let missing = DataError::new("data-file", format!("there is no file `{name}`")).about(path.span);
    let folder = path.value.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else {
        return missing.help(format!("there is no folder {}", shown(folder)));
    };
    let mut files: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    files.sort();
    let missing = match nearest(&name, files.iter().map(String::as_str)) {
        Some(near) => missing.help(format!("did you mean `{near}`, which is in the same folder?")),
        None => missing,
    };
    missing.help(format!("looked for {shown_path}; paths start from the folder of the file that names them"))
}

/// The last part of a path.
pub(super) fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.to_string_lossy(), |n| n.to_string_lossy()).into_owned()
}
