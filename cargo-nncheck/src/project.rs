//! The user's project, as far as cargo tells.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};
use semver::Version;

use crate::child;
use crate::error::CommandError;
use crate::libtorch::version::{self, Origin, Wanted};
use crate::surroundings::Surroundings;

/// The manifest that is meant: the one that was asked for, else the nearest one from the current directory upwards.
pub fn manifest(asked: Option<&Path>, surroundings: &Surroundings) -> Result<Option<PathBuf>, CommandError> {
    if let Some(asked) = asked {
        let path = surroundings.directory().join(asked);
        return if path.is_file() { Ok(Some(path)) } else { Err(CommandError::NoManifest { path: asked.to_owned() }) };
    }
    Ok(surroundings.directory().ancestors().map(|folder| folder.join("Cargo.toml")).find(|path| path.is_file()))
}

/// Asks cargo about the whole project, with its resolved dependencies.
pub fn metadata(manifest: &Path, options: &[&str], surroundings: &Surroundings) -> Result<Metadata, CommandError> {
    let mut command = surroundings.cargo();
    command.args(["metadata", "--format-version=1", "--manifest-path"]).arg(manifest).args(options);
    let text = output(command, manifest)?;
    MetadataCommand::parse(text)
        .map_err(|error| CommandError::Project { manifest: manifest.to_owned(), report: error.to_string() })
}

/// Which torch the project at `manifest` wants: the one its tch was written for.
///
/// The lock file tells in no time. Only where there is none yet, or where it names a tch that this nncheck has never
/// heard of, cargo is asked, and the source of torch-sys read.
pub fn wanted(manifest: Option<&Path>, surroundings: &Surroundings) -> Result<Wanted, CommandError> {
    let Some(manifest) = manifest else { return Ok(Wanted::own()) };
    let mut command = surroundings.cargo();
    command.args(["locate-project", "--workspace", "--message-format=plain", "--manifest-path"]).arg(manifest);
    let root = PathBuf::from(output(command, manifest)?.trim_end());
    let lock = root.with_file_name("Cargo.lock");
    match fs::read_to_string(&lock) {
        Ok(text) => match locked_version(&text, "torch-sys") {
            None => Ok(Wanted::own()),
            Some(tch) => match version::torch_of_tch(&tch) {
                Some(torch) => Ok(Wanted { torch, origin: Origin::Project { tch, lock: Some(lock) } }),
                None => wanted_of(&metadata(manifest, &[], surroundings)?),
            },
        },
        Err(_) => wanted_of(&metadata(manifest, &[], surroundings)?),
    }
}

/// Which torch a project wants, from what cargo says about it.
pub fn wanted_of(metadata: &Metadata) -> Result<Wanted, CommandError> {
    let Some(package) = metadata.packages.iter().find(|package| package.name.as_str() == "torch-sys") else {
        return Ok(Wanted::own());
    };
    let script = package.manifest_path.with_file_name("build.rs");
    let stated = fs::read_to_string(script).ok().and_then(|text| version::torch_of_build_script(&text));
    match stated.or_else(|| version::torch_of_tch(&package.version)) {
        Some(torch) => Ok(Wanted { torch, origin: Origin::Project { tch: package.version.clone(), lock: None } }),
        None => Err(crate::libtorch::LibtorchError::UnknownTch { tch: package.version.clone() }.into()),
    }
}

/// The version of `package` in the text of a lock file. Cargo writes these files, always in the same form.
fn locked_version(lock: &str, package: &str) -> Option<Version> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| line.trim() != name);
    lines.next()?;
    lines.next()?.trim().strip_prefix("version = \"")?.strip_suffix('"')?.parse().ok()
}

fn output(mut command: std::process::Command, manifest: &Path) -> Result<String, CommandError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = child::output(&mut command).map_err(|source| CommandError::Start { program, source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    if crate::interrupt::requested() {
        return Err(CommandError::Interrupted);
    }
    let report = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    Err(CommandError::Project { manifest: manifest.to_owned(), report })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"torch-sys-helper\"\nversion = \"9.9.9\"\n\n[[package]]\n\
                        name = \"torch-sys\"\nversion = \"0.26.0\"\nsource = \"registry\"\n";

    #[test]
    fn the_lock_file_tells_the_version_of_a_package() {
        assert_eq!(locked_version(LOCK, "torch-sys"), Some(Version::new(0, 26, 0)));
        assert_eq!(locked_version(&LOCK.replace('\n', "\r\n"), "torch-sys"), Some(Version::new(0, 26, 0)));
        assert_eq!(locked_version(LOCK, "tch"), None);
    }

    #[test]
    fn a_manifest_is_looked_for_upwards() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("src/deep");
        fs::create_dir_all(&inner).expect("created");
        fs::write(folder.path().join("Cargo.toml"), "").expect("written");
        let surroundings = Surroundings::new([("PATH", "")], &inner);
        assert_eq!(manifest(None, &surroundings).expect("found"), Some(folder.path().join("Cargo.toml")));
    }

    #[test]
    fn a_manifest_that_is_not_there_is_an_error() {
        let surroundings = Surroundings::new([("PATH", "")], "/");
        assert!(matches!(
            manifest(Some(Path::new("nowhere/Cargo.toml")), &surroundings),
            Err(CommandError::NoManifest { .. })
        ));
    }
}
