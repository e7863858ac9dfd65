//! Properties that are held against what was accepted of them: the file beside their spec, read where it is there.

use std::io::ErrorKind;
use std::sync::Arc;

use super::text_file::read;
use super::{BoundSpec, Suite};
use crate::baseline::{self, Baseline, Held};
use crate::diagnostic::{Diagnostic, SourceFile};

/// Gives each property that is held against a baseline what was accepted of it; what is wrong with the files comes back.
pub(super) fn attach(suite: &mut Suite) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    // The rungs of a ladder stand one after another, and share their file.
    for rungs in suite.specs.chunk_by_mut(|a, b| a.file.path == b.file.path) {
        let searched = rungs.iter().map(searches).sum();
        let of_none =
            Held { accepted: None, confidence: 0.0, searched, first_seed: 0, unclaimed: Vec::new(), accepting: None };
        let holds = |spec: &BoundSpec| spec.properties.iter().any(|p| p.check.against(of_none.clone()).is_some());
        if !rungs.iter().any(holds) {
            continue;
        }
        let (baseline, unclaimed) = match beside(&rungs[0].file) {
            Ok(Some(baseline)) => (baseline.clone(), unclaimed(rungs, &baseline)),
            Ok(None) => (Baseline::default(), orphans(&rungs[0].file)),
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        for spec in rungs {
            let rung = spec.rung.as_ref().map(|rung| rung.name.as_str());
            for property in &mut spec.properties {
                let accepted = baseline.properties.get(&baseline::key(rung, &property.name)).cloned();
                let (confidence, first_seed) = (spec.run.confidence, spec.run.seed);
                let unclaimed = unclaimed.clone();
                let held = Held { accepted, confidence, first_seed, unclaimed, ..of_none.clone() };
                if let Some(check) = property.check.against(held) {
                    property.check = check;
                }
            }
        }
    }
    errors
}

/// The names in a file that no property of its spec has.
fn unclaimed(rungs: &[BoundSpec], baseline: &Baseline) -> Vec<String> {
    let of_rung = |spec: &BoundSpec| -> Vec<String> {
        let rung = spec.rung.as_ref().map(|rung| rung.name.as_str());
        spec.properties.iter().map(|property| baseline::key(rung, &property.name)).collect()
    };
    let known: Vec<String> = rungs.iter().flat_map(of_rung).collect();
    let unknown = baseline.properties.keys().filter(|key| !known.contains(key));
    unknown.map(|key| format!("`{}` in its file", key.escape_debug())).collect()
}

/// The baselines in a spec's folder whose own spec is not there.
fn orphans(spec: &SourceFile) -> Vec<String> {
    let Some(entries) = spec.path.parent().and_then(|folder| folder.read_dir().ok()) else { return Vec::new() };
    let name = |entry: &std::fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let spec = name.strip_suffix(baseline::ENDING)?;
        (!entry.path().with_file_name(format!("{spec}.toml")).exists())
            .then(|| format!("the file `{}`", name.escape_debug()))
    };
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| name(&entry)).collect();
    names.sort_unstable();
    names
}

/// How many numbers a spec searches for a change.
fn searches(spec: &BoundSpec) -> usize {
    let judged = spec.properties.iter().filter(|property| property.settings.off.is_none());
    judged.map(|property| property.check.searches()).sum()
}

/// The baseline beside a spec, where there is one.
fn beside(spec: &SourceFile) -> Result<Option<Baseline>, Diagnostic> {
    let path = baseline::path(&spec.path);
    if path.symlink_metadata().is_err_and(|why| why.kind() == ErrorKind::NotFound) {
        return Ok(None);
    }
    let shown = baseline::path(spec.shown.as_ref()).to_string_lossy().into_owned();
    let again = "restore it from version control; or delete it, and `cargo nncheck accept` takes a new one";
    let wrong = |what: String| Diagnostic::error("baseline", what).help(again);
    let text = read(&path).map_err(|why| wrong(format!("cannot read the baseline `{shown}`: {why}")))?;
    baseline::read(&text).map(Some).map_err(|broken| {
        let file = Arc::new(SourceFile::new(path, shown.as_str(), text));
        wrong(format!("the baseline `{shown}` cannot be used: {}", broken.message)).at(&file, broken.span)
    })
}

impl Suite {
    /// The same suite for taking numbers to be accepted: only properties that are held against a baseline, with `seeds`
    /// seeds, else with as many as they begin with and at least [`baseline::SEEDS`].
    pub fn accepting(&mut self, seeds: Option<u32>) {
        for spec in &mut self.specs {
            let mut properties = std::mem::take(&mut spec.properties);
            properties.retain_mut(|property| {
                let Some(held) = property.check.held() else { return false };
                let asked = property.settings.seeds.unwrap_or(spec.run.seeds);
                let seeds = seeds.unwrap_or_else(|| asked.max(baseline::SEEDS));
                let held = Held { accepting: Some(seeds), ..held.clone() };
                property.check.against(held).map(|check| property.check = check).is_some()
            });
            spec.properties = properties;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::diagnostic::{Style, render_all};
    use crate::evaluate;
    use crate::suite::{Overrides, PropertyId, Sources, load};

    const SPEC: &str = r#"
        data = { synthetic = { inputs = [3], classes = 2 } }
        loss = { kind = "cross_entropy" }
        optimizer = { kind = "sgd", lr = 0.1 }
        [property.initial_loss]
        [property.regression]
        [property.size]
        check = "regression"
        quantities = ["final_loss", "parameters"]
        [[ladder]]
        name = "small"
        model = { layers = [{ linear = { out = 2 } }] }
        [[ladder]]
        name = "large"
        model = { layers = [{ linear = { out = 9 } }, { linear = { out = 2 } }] }
    "#;
    const BASELINE: &str = r#"{ "version": 1, "properties": { "large::size": {
        "nncheck": "0.1.0", "tch": null, "libtorch": null, "measured": { "steps": 200, "metric": null },
        "quantities": { "parameters": { "mean": 47.0, "spread": 0.0, "told": 0.0, "seeds": { "3": 47.0, "4": 47.0 } } }
    } } }"#;

    fn folder(baseline: Option<&str>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.toml"), SPEC).unwrap();
        if let Some(text) = baseline {
            std::fs::write(folder.path().join("a.baseline.json"), text).unwrap();
        }
        folder
    }

    fn suite(folder: &Path, overrides: &Overrides) -> Result<Suite, String> {
        load(&Sources::one(folder, "specs"), overrides).map_err(|errors| render_all(&errors, Style::Plain))
    }

    #[test]
    fn each_property_is_held_against_its_own_entry_of_the_file_beside_the_spec() {
        let folder = folder(Some(BASELINE));
        let overrides = Overrides { seed: Some(3), ..Overrides::default() };
        let suite = suite(folder.path(), &overrides).unwrap();
        let held: Vec<Option<&Held>> = suite.ids().map(|id| suite.get(id).1.check.held()).collect();
        let there: Vec<bool> = held.iter().map(|held| held.is_some_and(|held| held.accepted.is_some())).collect();
        assert_eq!(there, [false, false, false, false, false, true]);
        // Twice four of `regression` and one of `size`; a number of parameters has no part in chance.
        assert_eq!(held[5].map(|held| (held.searched, held.first_seed)), Some((10, 3)));
        let moot = |at: usize| suite.specs[at / 3].properties[at % 3].moot(&suite.specs[at / 3]);
        assert_eq!(moot(4).as_deref(), Some("no baseline yet: `cargo nncheck accept` takes one"));
        assert_eq!(moot(5), None);
        let (spec, property) = suite.get(PropertyId { spec: 1, property: 2 });
        let effort = evaluate::effort(spec, property);
        assert_eq!((effort.seeds, effort.max_seeds), (2, 2), "no more than were accepted");
        assert!((effort.confidence - 0.999).abs() < 1e-12, "{effort:?}");
    }

    #[test]
    fn a_property_that_was_renamed_is_not_passed_over() {
        let folder = folder(Some(&BASELINE.replace("large::size", "large::weight")));
        let suite = suite(folder.path(), &Overrides::default()).unwrap();
        let held: Vec<&Held> = suite.ids().filter_map(|id| suite.get(id).1.check.held()).collect();
        assert!(held.iter().all(|held| held.unclaimed == ["`large::weight` in its file"]));
        let spec = &suite.specs[1];
        assert_eq!(spec.properties[2].moot(spec), None, "it may be the one that was renamed");
    }

    #[test]
    fn a_spec_that_was_renamed_is_not_passed_over() {
        let folder = folder(Some(BASELINE));
        let unclaimed = |folder: &Path| -> Vec<String> {
            let suite = suite(folder, &Overrides::default()).unwrap();
            suite.ids().filter_map(|id| suite.get(id).1.check.held()).flat_map(|held| held.unclaimed.clone()).collect()
        };
        assert!(unclaimed(folder.path()).is_empty());
        std::fs::rename(folder.path().join("a.toml"), folder.path().join("b.toml")).unwrap();
        assert_eq!(unclaimed(folder.path()), ["the file `a.baseline.json`"; 4]);
        // Of another spec that is there, it is none of this one's.
        std::fs::write(folder.path().join("a.toml"), SPEC).unwrap();
        assert!(unclaimed(folder.path()).is_empty());
    }

    #[test]
    fn a_broken_file_is_an_error_at_its_place_and_told_once() {
        let folder = folder(Some(&BASELINE.replace("\"parameters\"", "\"parameter\"")));
        let said = suite(folder.path(), &Overrides::default()).unwrap_err();
        for words in [
            "the baseline `specs/a.baseline.json` cannot be used: unknown variant `parameter`",
            "did you mean `parameters`?",
            "specs/a.baseline.json:3:",
            "^",
            "cargo nncheck accept",
        ] {
            assert!(said.contains(words), "{words}\n{said}");
        }
        assert_eq!(said.matches("error").count(), 1, "{said}");
    }

    #[test]
    fn a_folder_in_its_place_is_no_baseline() {
        let folder = folder(None);
        std::fs::create_dir(folder.path().join("a.baseline.json")).unwrap();
        let said = suite(folder.path(), &Overrides::default()).unwrap_err();
        assert!(said.contains("cannot read the baseline `specs/a.baseline.json`: it is a folder"), "{said}");
    }

    #[test]
    fn to_accept_only_what_is_held_is_left_with_ten_seeds_at_least() {
        let folder = folder(None);
        let mut suite = suite(folder.path(), &Overrides::default()).unwrap();
        suite.accepting(None);
        let seeds: Vec<u32> = suite
            .ids()
            .map(|id| {
                let (spec, property) = suite.get(id);
                assert_eq!(property.moot(spec), None);
                evaluate::first_look(spec, property)
            })
            .collect();
        assert_eq!(seeds, [10; 4]);
        suite.accepting(Some(3));
        let (spec, property) = suite.get(PropertyId { spec: 0, property: 0 });
        assert_eq!(evaluate::first_look(spec, property), 3);
    }
}
