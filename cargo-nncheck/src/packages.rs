//! Which packages are meant, and where their specs are.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, Package as CargoPackage, TargetKind};
use nncheck_core::suite::{Manifest, ManifestKind, Sources};

use crate::cli::ProjectArgs;
use crate::error::CommandError;
use crate::project;
use crate::surroundings::Surroundings;

/// A package with specs, or a folder of specs without any Rust.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name as shown.
    pub name: String,
    /// The folder that specs are shown relative to.
    pub root: PathBuf,
    /// Where the specs are.
    pub sources: Sources,
    /// The library that specs name functions of; `None` for a folder of specs, and for a package without a library.
    pub library: Option<Library>,
    /// The root files of its programs: where a package without a library keeps its model.
    pub programs: Vec<PathBuf>,
}

/// A package's library.
#[derive(Clone, Debug)]
pub struct Library {
    /// The name by which Rust knows it.
    pub crate_name: String,
    /// The file that it begins in.
    pub source: PathBuf,
    /// The package's manifest.
    pub manifest: PathBuf,
    /// The package's features, for `--all-features`.
    pub features: Vec<String>,
}

/// The packages that the command line means, with what cargo said of the project (`None` for a folder of specs).
#[derive(Debug)]
pub struct Chosen {
    /// In the order of their names.
    pub packages: Vec<Package>,
    /// What cargo said.
    pub metadata: Option<Metadata>,
}

/// Finds the packages that the command line means. With `resolve`, cargo resolves the dependencies too, which takes
/// longer and may need the network.
///
/// # Errors
/// When there is no project, or a package is named that it does not have.
pub fn choose(
    args: &ProjectArgs,
    options: &[&str],
    resolve: bool,
    surroundings: &Surroundings,
) -> Result<Chosen, CommandError> {
    if let Some(folder) = &args.specs_folder {
        let path = surroundings.directory().join(folder);
        if !path.is_dir() {
            return Err(CommandError::Usage(format!("there is no folder `{}` (--specs)", folder.display())));
        }
        return Ok(Chosen { packages: vec![folder_of_specs(&path, folder)], metadata: None });
    }
    let Some(manifest) = project::manifest(args.manifest.manifest_path.as_deref(), surroundings)? else {
        return Err(CommandError::Usage(
            "there is no Cargo.toml here or in any folder above; run in a package, pass --manifest-path, or pass \
             --specs DIR for a folder of specs without any Rust"
                .to_owned(),
        ));
    };
    let mut options = options.to_vec();
    if !resolve {
        options.push("--no-deps");
    }
    let metadata = project::metadata(&manifest, &options, surroundings)?;
    for name in &args.workspace.package {
        if !metadata.workspace_packages().iter().any(|p| p.name.as_str() == name) {
            let known: Vec<&str> = metadata.workspace_packages().iter().map(|p| p.name.as_str()).collect();
            return Err(CommandError::Usage(format!(
                "there is no package `{name}` in the workspace; its packages are {}",
                known.join(", ")
            )));
        }
    }
    let named = !args.workspace.package.is_empty();
    let mut chosen: Vec<&CargoPackage> = if named || args.workspace.workspace || args.workspace.all {
        args.workspace.partition_packages(&metadata).0
    } else {
        near(&metadata, &manifest)
    };
    chosen.sort_by(|a, b| a.name.cmp(&b.name));
    // Of many packages, those without specs are not meant; of one, that it has none is worth an error.
    let packages: Vec<Package> = chosen.iter().map(|p| package(p, &metadata)).collect();
    let with_specs: Vec<Package> =
        packages.iter().filter(|p| p.sources.sources.iter().any(|s| s.path.exists())).cloned().collect();
    let packages = if with_specs.is_empty() || named { packages } else { with_specs };
    Ok(Chosen { packages, metadata: Some(metadata) })
}

/// The package of the manifest, or, at a workspace's root, all its members.
fn near<'m>(metadata: &'m Metadata, manifest: &Path) -> Vec<&'m CargoPackage> {
    let manifest = manifest.canonicalize().unwrap_or_else(|_| manifest.to_owned());
    let members = metadata.workspace_packages();
    let is_it = |p: &&CargoPackage| {
        let path = p.manifest_path.as_std_path();
        path.canonicalize().unwrap_or_else(|_| path.to_owned()) == manifest
    };
    match members.iter().find(|p| is_it(p)) {
        Some(package) => vec![package],
        None => members,
    }
}

fn package(package: &CargoPackage, metadata: &Metadata) -> Package {
    let root = package.manifest_path.parent().map_or_else(PathBuf::new, |p| p.as_std_path().to_owned());
    let stated = |of: &serde_json::Value| match of.get("nncheck").and_then(|n| n.get("specs")) {
        Some(serde_json::Value::String(folder)) => Some(vec![folder.clone()]),
        Some(serde_json::Value::Array(folders)) => {
            Some(folders.iter().filter_map(|f| f.as_str()).map(str::to_owned).collect::<Vec<_>>())
        }
        _ => None,
    };
    let folders = stated(&package.metadata)
        .or_else(|| stated(&metadata.workspace_metadata))
        .unwrap_or_else(|| vec!["specs".to_owned()]);
    let mut sources = Sources::default();
    for folder in folders {
        sources = sources.and(root.join(&folder), folder);
    }
    let workspace = metadata.workspace_root.as_std_path().join("Cargo.toml");
    let own = package.manifest_path.as_std_path().to_owned();
    sources.manifests = vec![
        Manifest { shown: shown_from(&root, &workspace), path: workspace, kind: ManifestKind::Workspace },
        Manifest { path: own, shown: "Cargo.toml".to_owned(), kind: ManifestKind::Package },
    ];
    let library = package
        .targets
        .iter()
        .find(|t| t.kind.iter().any(|k| matches!(k, TargetKind::Lib | TargetKind::RLib | TargetKind::DyLib)));
    let programs = package.targets.iter().filter(|t| t.kind.contains(&TargetKind::Bin));
    Package {
        name: package.name.to_string(),
        root,
        programs: programs.map(|t| t.src_path.as_std_path().to_owned()).collect(),
        sources,
        library: library.map(|target| Library {
            crate_name: target.name.replace('-', "_"),
            source: target.src_path.as_std_path().to_owned(),
            manifest: package.manifest_path.as_std_path().to_owned(),
            features: package.features.keys().cloned().collect(),
        }),
    }
}

/// A file of a folder above, as it is seen from a package.
fn shown_from(root: &Path, file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let up =
        file.parent().and_then(|above| root.strip_prefix(above).ok()).map_or(0, |below| below.components().count());
    format!("{}{name}", "../".repeat(up))
}

fn folder_of_specs(path: &Path, shown: &Path) -> Package {
    let name = path.file_name().map_or_else(|| "specs".to_owned(), |n| n.to_string_lossy().into_owned());
    let shown = shown.to_string_lossy().replace('\\', "/");
    Package { name, root: path.to_owned(), sources: Sources::one(path, shown), library: None, programs: Vec::new() }
}
