//! Files that nncheck writes for the user: whole or not at all, and over another only where that is asked for.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::error::CommandError;

/// Writes a file that is not there yet.
///
/// # Errors
/// Where there is one, or where it cannot be written.
pub fn write_new(path: &Path, text: &str, shown: &str) -> Result<(), CommandError> {
    if path.exists() {
        return Err(CommandError::Usage(format!("`{shown}` is there already; it was left as it is")));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|e| cannot_write(folder, &e))?;
    }
    whole(path, text)?.persist_noclobber(path).map_err(|e| cannot_write(path, &e.error))?;
    eprintln!("wrote {shown}");
    Ok(())
}

/// Writes a file in the place of the one that is there, if any; the old one is there until the new one is whole.
///
/// # Errors
/// Where it cannot be written; what is there is left as it is then.
pub fn replace(path: &Path, text: &str) -> Result<(), CommandError> {
    // A link stays one.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    whole(&path, text)?.persist(&path).map_err(|e| cannot_write(&path, &e.error))?;
    Ok(())
}

/// A file beside `path` that holds the text.
fn whole(path: &Path, text: &str) -> Result<tempfile::NamedTempFile, CommandError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file: what the user's mask takes away is taken away.
        temporary.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut temporary = temporary.tempfile_in(folder).map_err(|e| cannot_write(path, &e))?;
    temporary.write_all(text.as_bytes()).map_err(|e| cannot_write(path, &e))?;
    Ok(temporary)
}

/// That a file could not be written, and why.
#[must_use]
pub fn cannot_write(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::Usage(format!("cannot write `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_what_cannot_be_written_leaves_it() {
        let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let path = folder.path().join("a.json");
        for text in ["first", "second"] {
            assert!(replace(&path, text).is_ok());
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), Some(text));
        }
        assert_eq!(fs::read_dir(folder.path()).map(Iterator::count).ok(), Some(1), "nothing else is left");
        let nowhere = replace(&folder.path().join("none/a.json"), "text").map_err(|e| e.to_string());
        assert!(nowhere.is_err_and(|words| words.contains("cannot write") && words.contains("a.json")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let (path, link) = (folder.path().join("a.json"), folder.path().join("b.json"));
        assert!(fs::write(&path, "first").is_ok() && std::os::unix::fs::symlink(&path, &link).is_ok());
        assert!(replace(&link, "second").is_ok());
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&path).ok().as_deref(), Some("second"));
    }
}
