//! Takes files out of wheels, which are zip archives.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::LibtorchError;
use super::manifest::Entry;
use super::sha256;

/// An open wheel.
pub struct Wheel {
    name: String,
    archive: ZipArchive<BufReader<File>>,
    names: Vec<String>,
}

impl Wheel {
    /// Opens a wheel.
    pub fn open(path: &Path) -> Result<Self, LibtorchError> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let file = File::open(path).map_err(LibtorchError::io("could not open", path))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| unusable(&name, &error))?;
        let names = (0..archive.len())
            .map(|index| match archive.name_for_index(index) {
                Some(Ok(entry)) => Ok(entry.into_owned()),
                Some(Err(error)) => Err(unusable(&name, &error)),
                None => Err(unusable(&name, &"an entry has no name")),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { name, archive, names })
    }

    /// The wheel's file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of its entries.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The uncompressed size of an entry.
    pub fn size(&mut self, entry: &str) -> Result<u64, LibtorchError> {
        let Self { name, archive, .. } = self;
        archive.by_name(entry).map(|file| file.size()).map_err(|error| unusable(name, &error))
    }

    /// Writes the content of an entry to `path` below `folder`. `written` is told of each number of bytes.
    pub fn extract(
        &mut self,
        entry: &str,
        folder: &Path,
        path: &str,
        written: &mut impl FnMut(u64),
    ) -> Result<Entry, LibtorchError> {
        let target = target(folder, path).ok_or_else(|| unusable(&self.name, &format!("`{entry}` leads elsewhere")))?;
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(LibtorchError::io("could not create", parent))?;
        }
        let mut source = self.archive.by_name(entry).map_err(|error| unusable(&self.name, &error))?;
        let mut file = File::create(&target).map_err(LibtorchError::io("could not create", &target))?;
        let (size, sha256) =
            sha256::copy(&mut source, &mut file, written).map_err(LibtorchError::io("could not extract", &target))?;
        Ok(Entry { path: path.to_owned(), size, sha256 })
    }
}

/// The file that `path` names below `folder`; none where it would lie elsewhere.
fn target(folder: &Path, path: &str) -> Option<PathBuf> {
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0', '\n']);
    path.split('/').all(plain).then(|| folder.join(path.split('/').collect::<PathBuf>()))
}

fn unusable(wheel: &str, problem: &dyn ToString) -> LibtorchError {
    LibtorchError::Wheel { file: wheel.to_owned(), problem: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;
    use crate::libtorch::sha256::Sha256;

    fn wheel(folder: &Path) -> PathBuf {
        let path = folder.join("torch-1.whl");
        let mut writer = ZipWriter::new(File::create(&path).expect("created"));
        for (name, text) in [("torch/include/a.h", "// a".repeat(1000)), ("torch/lib/b.so", "b".to_owned())] {
            writer.start_file(name, SimpleFileOptions::default()).expect("started");
            writer.write_all(text.as_bytes()).expect("written");
        }
        writer.finish().expect("finished");
        path
    }

    #[test]
    fn an_entry_is_written_with_its_size_and_hash() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut wheel = Wheel::open(&wheel(folder.path())).expect("opened");
        assert_eq!(wheel.names().collect::<Vec<_>>(), ["torch/include/a.h", "torch/lib/b.so"]);
        let mut told = 0;
        let entry = wheel
            .extract("torch/include/a.h", folder.path(), "include/a.h", &mut |count| told += count)
            .expect("extracted");
        let text = fs::read(folder.path().join("include/a.h")).expect("read");
        assert_eq!(text, "// a".repeat(1000).as_bytes());
        assert_eq!(entry, Entry { path: "include/a.h".to_owned(), size: 4000, sha256: Sha256::of(&text) });
        assert_eq!((told, wheel.size("torch/include/a.h").expect("there")), (4000, 4000));
    }

    #[test]
    fn nothing_is_written_outside_of_the_folder() {
        for path in ["../a", "/a", "a/../../b", "a//b", "", "c:/a", "a\\b"] {
            assert_eq!(target(Path::new("/cache"), path), None, "{path}");
        }
        assert_eq!(target(Path::new("/cache"), "include/a.h"), Some(PathBuf::from("/cache/include/a.h")));
    }

    #[test]
    fn a_file_that_is_no_archive_or_a_cut_one_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = wheel(folder.path());
        let bytes = fs::read(&path).expect("read");
        for bytes in [b"no archive at all".as_slice(), &bytes[..bytes.len() / 2]] {
            fs::write(&path, bytes).expect("written");
            assert!(matches!(Wheel::open(&path), Err(LibtorchError::Wheel { file, .. }) if file == "torch-1.whl"));
        }
    }
}
