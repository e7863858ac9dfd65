//! `cargo nncheck init --test-target`: the specs as tests of `cargo test` and `cargo nextest`.

use std::collections::BTreeSet;
use std::fs;

use cargo_metadata::Metadata;
use nncheck_core::spec::rust_path::Role;
use nncheck_core::suite::{self, Overrides};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::error::CommandError;
use crate::harness_package::{Nncheck, nncheck_source};
use crate::new_file::{cannot_write, write_new};
use crate::packages::Package;
use crate::rust_source::RustSource;

/// Writes `tests/nncheck.rs`, and what Cargo.toml needs for it.
///
/// # Errors
/// When the file is there already, or Cargo.toml cannot be read or written.
pub(super) fn write(
    package: &Package,
    specs: &str,
    metadata: Option<&Metadata>,
    source: &RustSource,
) -> Result<(), CommandError> {
    let Some(library) = &package.library else {
        return Err(CommandError::Usage(format!(
            "package `{}` has no library, whose builders a test target could bind: move the model into src/lib.rs",
            package.name
        )));
    };
    let test = package.root.join("tests/nncheck.rs");
    if test.exists() {
        return Err(CommandError::Usage("`tests/nncheck.rs` is there already; it was left as it is".to_owned()));
    }
    // The manifest first: what is wrong with it leaves nothing half done.
    let old = fs::read_to_string(&library.manifest).map_err(|e| cannot_write(&library.manifest, &e))?;
    let new = manifest(&old, &nncheck_source(metadata))
        .map_err(|why| CommandError::Usage(format!("cannot edit Cargo.toml: {why}")))?;
    write_new(&test, &program(package, specs, source), "tests/nncheck.rs")?;
    if new != old {
        let temporary = library.manifest.with_extension("toml.new");
        fs::write(&temporary, new)
            .and_then(|()| fs::rename(&temporary, &library.manifest))
            .map_err(|e| cannot_write(&library.manifest, &e))?;
        eprintln!("changed Cargo.toml: `[[test]]` without a harness of its own, and `nncheck` for tests");
    }
    eprintln!("next: `cargo nncheck exec -- cargo test --test nncheck` runs the specs as tests");
    Ok(())
}

/// The test's text: it binds what the specs name, or else every builder.
fn program(package: &Package, specs: &str, source: &RustSource) -> String {
    let mut bound: BTreeSet<(Role, String)> = BTreeSet::new();
    if let Ok(suite) = suite::load(&package.sources, &Overrides::default()) {
        bound = suite.specs.iter().flat_map(|s| s.paths()).map(|(role, path)| (role, path.value.clone())).collect();
    }
    // Every builder, for specs to come.
    bound.extend(source.of_role(Role::Builder).filter_map(|f| Some((Role::Builder, f.public.clone()?))));
    let mut text = format!(
        "//! The specs as tests of `cargo test` and `cargo nextest`. What they name of the library stands here.\n\n\
         nncheck::harness! {{\n    specs: {specs:?},\n"
    );
    for role in Role::ALL {
        let paths: Vec<&str> = bound.iter().filter(|(of, _)| *of == role).map(|(_, path)| path.as_str()).collect();
        if !paths.is_empty() {
            text += &format!("    {}: [{}],\n", role.harness_key(), paths.join(", "));
        }
    }
    text + "}\n"
}

/// The manifest with a test target named `nncheck` and the dependency that it needs; what is there stays.
fn manifest(old: &str, nncheck: &Nncheck) -> Result<String, String> {
    let mut manifest: DocumentMut = old.parse().map_err(|e: toml_edit::TomlError| e.to_string())?;
    let tests = manifest.entry("test").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let Some(tests) = tests.as_array_of_tables_mut() else {
        return Err(
            "its `test` is not written as `[[test]]`; add one with name = \"nncheck\" and harness = false".to_owned()
        );
    };
    let is_ours = |test: &Table| test.get("name").and_then(Item::as_str) == Some("nncheck");
    if !tests.iter().any(is_ours) {
        let mut test = Table::new();
        test.insert("name", value("nncheck"));
        tests.push(test);
    }
    if let Some(test) = tests.iter_mut().find(|test| is_ours(test)) {
        test.insert("harness", value(false));
    }
    let has = |table: &str| manifest.get(table).and_then(|t| t.get("nncheck")).is_some();
    if !has("dependencies") && !has("dev-dependencies") {
        let table = manifest.entry("dev-dependencies").or_insert(Item::Table(Table::new()));
        let Some(table) = table.as_table_like_mut() else {
            return Err("its `dev-dependencies` is no table".to_owned());
        };
        let dependency = match nncheck {
            Nncheck::Registry(version) => value(version.as_str()),
            Nncheck::Folder(path) => {
                let mut inline = toml_edit::InlineTable::new();
                inline.insert("path", path.to_string_lossy().replace('\\', "/").into());
                value(inline)
            }
        };
        table.insert("nncheck", dependency);
    }
    Ok(manifest.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_gets_what_it_lacks_and_keeps_what_it_has() {
        let old = "# mine\n[package]\nname = \"a\" # here\n\n[workspace]\n";
        let version = Nncheck::Registry("0.1".into());
        let new = manifest(old, &version).expect("edited");
        for words in
            ["# mine", "name = \"a\" # here", "[[test]]\nname = \"nncheck\"\nharness = false", "nncheck = \"0.1\""]
        {
            assert!(new.contains(words), "{words}\n{new}");
        }
        assert_eq!(manifest(&new, &version).expect("edited"), new);
        let other = "[package]\nname = \"a\"\n[dependencies]\nnncheck = \"9\"\n[[test]]\nname = \"nncheck\"\n[[test]]\nname = \"b\"\n";
        let new = manifest(other, &Nncheck::Folder("/n".into())).expect("edited");
        assert!(new.contains("name = \"nncheck\"\nharness = false") && !new.contains("path"), "{new}");
        let new = manifest(old, &Nncheck::Folder("/n".into())).expect("edited");
        assert!(new.contains("nncheck = { path = \"/n\" }"), "{new}");
    }

    #[test]
    fn a_manifest_that_cannot_be_edited_is_told() {
        assert!(manifest("test = 1", &Nncheck::Registry("0.1".into())).unwrap_err().contains("[[test]]"));
        assert!(manifest("[", &Nncheck::Registry("0.1".into())).is_err());
    }
}
