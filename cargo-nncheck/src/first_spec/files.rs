//! Data files near a package.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// So many files of a folder are looked at.
const MOST: usize = 500;

/// A file, or the two of an idx pair, that may hold data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataFile {
    /// One file; its name tells its format.
    One(&'static str, PathBuf),
    /// Images and labels of MNIST's format.
    Idx(PathBuf, PathBuf),
}

impl DataFile {
    /// The file with the inputs.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::One(_, path) | Self::Idx(path, _) => path,
        }
    }
}

/// The data files in some folders, in the order of the folders and then of their names; what is for testing comes last.
#[must_use]
pub fn find(folders: &[PathBuf]) -> Vec<DataFile> {
    let mut found: Vec<DataFile> = Vec::new();
    for folder in folders {
        let files = files(folder);
        let of_folder = files.iter().filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_lowercase();
            let format = ["csv", "npz", "safetensors"].into_iter().find(|format| name.ends_with(&format!(".{format}")));
            match format {
                Some(format) => Some(DataFile::One(format, path.clone())),
                None => Some(DataFile::Idx(path.clone(), labels_of(path, &name, &files)?)),
            }
        });
        for file in of_folder.collect::<Vec<_>>() {
            if !found.contains(&file) {
                found.push(file);
            }
        }
    }
    found.sort_by_key(|file| {
        let name = file.path().file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
        ["test", "t10k", "val", "eval"].iter().any(|word| name.starts_with(word))
    });
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|entry| normal(&entry.path())).filter(|path| path.is_file()).take(MOST).collect();
    files.sort();
    files
}

/// The labels that belong to a file of images.
fn labels_of(images: &Path, name: &str, files: &[PathBuf]) -> Option<PathBuf> {
    if !name.contains("idx") || !name.contains("images") {
        return None;
    }
    let original = images.file_name()?.to_str()?;
    let labels = original.replace("images", "labels").replace("idx3", "idx1");
    let plain = labels.strip_suffix(".gz").unwrap_or(&labels).to_owned();
    let zipped = format!("{plain}.gz");
    [labels, plain, zipped].into_iter().map(|name| images.with_file_name(name)).find(|path| files.contains(path))
}

/// A TorchScript model in some folders.
#[must_use]
pub fn torchscript(folders: &[PathBuf]) -> Option<PathBuf> {
    use nncheck_core::model_file::ModelFile;
    folders.iter().flat_map(|folder| files(folder)).find(|path| {
        path.extension().is_some_and(|e| e == "pt" || e == "pth" || e == "ts")
            && ModelFile::of(path).is_ok_and(|kind| kind == ModelFile::TorchScript)
    })
}

/// A path without `.` and `..`, by its names alone.
#[must_use]
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The way from a folder to a file, with forward slashes; both are absolute.
#[must_use]
pub fn relative(folder: &Path, file: &Path) -> String {
    let (folder, file) = (normal(folder), normal(file));
    let common = folder.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().count() - common;
    let down: PathBuf = file.components().skip(common).collect();
    format!("{}{}", "../".repeat(up), down.to_string_lossy().replace('\\', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_a_file_is_written_with_forward_slashes() {
        let way = |folder: &str, file: &str| relative(Path::new(folder), Path::new(file));
        assert_eq!(way("/a/b/specs", "/a/b/data/x.csv"), "../data/x.csv");
        assert_eq!(way("/a/b/specs", "/a/b/../data/x.csv"), "../../data/x.csv");
        assert_eq!(way("/a/b", "/a/b/x.csv"), "x.csv");
    }

    #[test]
    fn data_is_found_with_the_labels_that_belong_to_it_and_test_sets_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let names = [
            "test.csv",
            "train.csv",
            "t10k-images-idx3-ubyte",
            "train-images-idx3-ubyte.gz",
            "train-labels-idx1-ubyte.gz",
            "notes.txt",
        ];
        for name in names {
            fs::write(folder.path().join(name), "").expect("written");
        }
        let at = |name: &str| folder.path().join(name);
        let found = find(&[folder.path().to_owned(), folder.path().join("."), folder.path().join("none")]);
        assert_eq!(
            found,
            [
                DataFile::Idx(at("train-images-idx3-ubyte.gz"), at("train-labels-idx1-ubyte.gz")),
                DataFile::One("csv", at("train.csv")),
                DataFile::One("csv", at("test.csv")),
            ]
        );
    }
}
