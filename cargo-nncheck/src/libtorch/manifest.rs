//! The list of the files of an installed libtorch. It is written last, so a folder that has one was once whole, and
//! whatever is missing has been deleted since.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::sha256::Sha256;

/// The name of the list inside a libtorch folder.
pub const NAME: &str = "nncheck-manifest";

/// The first line, with the version of the form that follows.
const HEADER: &str = "nncheck libtorch manifest 1";

/// A file of the installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path inside the folder, with `/` whatever the platform.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// The hash of its content.
    pub sha256: Sha256,
}

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The wheels that the files came from, and their hashes.
    pub wheels: Vec<(String, Sha256)>,
    /// The files.
    pub files: Vec<Entry>,
}

impl Manifest {
    /// The size of all files together.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Writes the list into the folder, by way of a temporary file.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let mut text = format!("{HEADER}\n");
        for (name, sha256) in &self.wheels {
            let _ = writeln!(text, "wheel {sha256} {name}");
        }
        for Entry { path, size, sha256 } in &self.files {
            let _ = writeln!(text, "file {sha256} {size} {path}");
        }
        // Without this line a list that was cut off would pass for a shorter one.
        text.push_str("end\n");
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        file.persist(folder.join(NAME)).map_err(|error| error.error)?;
        Ok(())
    }

    /// Reads the list in `folder`; an error says what is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let text = match fs::read_to_string(folder.join(NAME)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(format!("{NAME} is missing")),
            Err(error) => return Err(format!("{NAME} cannot be read: {error}")),
        };
        Self::parse(&text).ok_or_else(|| format!("{NAME} is not in the form that this version of nncheck writes"))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix("\nend\n")?.lines();
        if lines.next() != Some(HEADER) {
            return None;
        }
        let mut manifest = Self::default();
        for line in lines {
            let (kind, rest) = line.split_once(' ')?;
            let (hash, rest) = rest.split_once(' ')?;
            let sha256 = hash.parse().ok()?;
            match kind {
                "wheel" => manifest.wheels.push((rest.to_owned(), sha256)),
                "file" => {
                    let (size, path) = rest.split_once(' ')?;
                    manifest.files.push(Entry { path: path.to_owned(), size: size.parse().ok()?, sha256 });
                }
                _ => return None,
            }
        }
        Some(manifest)
    }

    /// A quick look at the folder: every file is there and has its size; contents are not read. The first that is not is
    /// told.
    pub fn check(&self, folder: &Path) -> Result<(), String> {
        for Entry { path, size, .. } in &self.files {
            match fs::metadata(path_in(folder, path)) {
                Ok(metadata) if metadata.len() == *size => {}
                Ok(metadata) => return Err(format!("{path} has {} bytes instead of {size}", metadata.len())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(format!("{path} is missing")),
                Err(error) => return Err(format!("{path} cannot be read: {error}")),
            }
        }
        Ok(())
    }
}

fn path_in(folder: &Path, path: &str) -> PathBuf {
    let mut whole = folder.to_owned();
    whole.extend(path.split('/'));
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed() -> (tempfile::TempDir, Manifest) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut manifest =
            Manifest { wheels: vec![("torch 1.whl".to_owned(), Sha256::of(b"torch"))], files: Vec::new() };
        for (path, text) in [("lib/a.so", "one"), ("include/b c.h", "three"), ("empty", "")] {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().expect("a parent")).expect("created");
            fs::write(file, text).expect("written");
            let (size, sha256) = (text.len() as u64, Sha256::of(text.as_bytes()));
            manifest.files.push(Entry { path: path.to_owned(), size, sha256 });
        }
        manifest.write(folder.path()).expect("written");
        (folder, manifest)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let (folder, manifest) = installed();
        assert_eq!(Manifest::read(folder.path()), Ok(manifest.clone()));
        assert_eq!(manifest.size(), 8);
    }

    #[test]
    fn a_list_that_was_cut_off_is_refused() {
        let (folder, _) = installed();
        let text = fs::read_to_string(folder.path().join(NAME)).expect("read");
        for length in (0..text.len()).filter(|&length| text.is_char_boundary(length)) {
            assert_eq!(Manifest::parse(&text[..length]), None, "the first {length} bytes pass for a whole list");
        }
    }

    #[test]
    fn a_missing_and_a_shortened_file_are_noticed() {
        let (folder, manifest) = installed();
        let file = folder.path().join("lib/a.so");
        fs::write(&file, "o").expect("written");
        assert_eq!(manifest.check(folder.path()), Err("lib/a.so has 1 bytes instead of 3".to_owned()));
        fs::remove_file(&file).expect("removed");
        assert_eq!(manifest.check(folder.path()), Err("lib/a.so is missing".to_owned()));
    }
}
