//! What a libtorch folder looks like.

use std::fs;
use std::path::{Path, PathBuf};

use semver::Version;

use super::version;

/// The file in a libtorch folder that states its version; torch-sys reads it too.
pub const BUILD_VERSION: &str = "build-version";

/// The library without which there is no libtorch.
pub const CPU_LIBRARY: &str = if cfg!(windows) {
    "torch_cpu.dll"
} else if cfg!(target_os = "macos") {
    "libtorch_cpu.dylib"
} else {
    "libtorch_cpu.so"
};

/// What is wrong with the folder, if it is no libtorch.
pub fn problem(root: &Path, libraries: &Path) -> Option<String> {
    if !root.is_dir() {
        return Some("there is no such folder".to_owned());
    }
    if !libraries.is_dir() {
        return Some(format!("there is no folder `{}`", libraries.display()));
    }
    if !libraries.join(CPU_LIBRARY).is_file() {
        return Some(format!("there is no {CPU_LIBRARY} in `{}`", libraries.display()));
    }
    None
}

/// The version of the libtorch in `root`, as it is written down there: `build-version` in a libtorch archive,
/// `version.py` in a Python package, and the headers in both. `None` where nothing is written down.
pub fn version_text(root: &Path) -> Option<String> {
    let read = |name: &str| fs::read_to_string(root.join(name)).ok();
    read(BUILD_VERSION)
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .or_else(|| version_of_python_file(&read("version.py")?))
        .or_else(|| version_of_header(&read("include/torch/headeronly/version.h")?))
        .or_else(|| version_of_header(&read("include/torch/version.h")?))
        .or_else(|| version_of_header(&read("include/torch/csrc/api/include/torch/version.h")?))
}

/// Whether a version as written down is the wanted one.
pub fn is_version(text: &str, wanted: &Version) -> bool {
    version::read(text).as_ref() == Some(wanted)
}

/// The folder of shared libraries inside a libtorch folder.
pub fn libraries(root: &Path) -> PathBuf {
    root.join("lib")
}

/// `__version__ = '2.11.0+cu130'`
fn version_of_python_file(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix("__version__"))?;
    let (_, value) = line.split_once('=')?;
    let value = value.trim().trim_matches(['\'', '"']);
    (!value.is_empty()).then(|| value.to_owned())
}

/// `#define TORCH_VERSION_MAJOR 2`
fn version_of_header(text: &str) -> Option<String> {
    let number = |name: &str| {
        text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("#define") && words.next() == Some(name))
                .then(|| words.next()?.parse::<u64>().ok())?
        })
    };
    let [major, minor, patch] = ["MAJOR", "MINOR", "PATCH"].map(|part| number(&format!("TORCH_VERSION_{part}")));
    Some(format!("{}.{}.{}", major?, minor?, patch?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_wherever_it_is_written_down() {
        let header = "#pragma once\n#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 11\n\
                      #define TORCH_VERSION_PATCH 0\n#define TORCH_VERSION \\\n  \"2.11.0\"\n";
        for (file, text, version) in [
            ("build-version", "2.11.0+cpu\n", "2.11.0+cpu"),
            (
                "version.py",
                "from typing import Optional\n\n__version__ = '2.11.0+cu130'\ndebug = False\n",
                "2.11.0+cu130",
            ),
            ("include/torch/headeronly/version.h", header, "2.11.0"),
            ("include/torch/version.h", header, "2.11.0"),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("created");
            fs::write(path, text).expect("written");
            assert_eq!(version_text(folder.path()).as_deref(), Some(version), "{file}");
            assert!(is_version(version, &Version::new(2, 11, 0)));
            assert!(!is_version(version, &Version::new(2, 11, 1)));
        }
        let empty = tempfile::tempdir().expect("a folder");
        assert_eq!(version_text(empty.path()), None);
    }

    #[test]
    fn a_folder_without_the_library_is_no_libtorch() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let problem = |root: &Path| problem(root, &libraries(root));
        assert!(problem(&root.join("nowhere")).is_some_and(|text| text.contains("no such folder")));
        assert!(problem(root).is_some_and(|text| text.contains("lib")));
        fs::create_dir(root.join("lib")).expect("created");
        assert!(problem(root).is_some_and(|text| text.contains(CPU_LIBRARY)));
        fs::write(root.join("lib").join(CPU_LIBRARY), "").expect("written");
        assert_eq!(problem(root), None);
    }
}
