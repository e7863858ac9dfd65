//! Specs: one text, or a small package of files that extend one another.

use std::fs;

use nncheck_core::diagnostic::{Diagnostic, Style, render_all};
use nncheck_core::plan::plan;
use nncheck_core::suite::{Manifest, ManifestKind, Overrides, Sources, Suite, from_texts, load};

/// What stands between two files.
const NEXT_FILE: &str = "# next file\n";
/// The files that the parts become.
const FILES: [&str; 4] = ["specs/a.toml", "specs/b.toml", "specs/more/c.toml", "Cargo.toml"];

/// A spec; with the line `# next file` in it, a folder of specs, the fourth file being the package's manifest.
pub fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut parts = text.splitn(FILES.len(), NEXT_FILE);
    match (parts.next(), parts.next()) {
        (Some(only), None) => checked(from_texts(&[("a", only)], &Overrides::default())),
        _ => checked(package(text)),
    }
}

fn package(text: &str) -> Result<Suite, Vec<Diagnostic>> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut sources = Sources::one(folder.path().join("specs"), "specs");
    for (name, text) in FILES.iter().zip(text.splitn(FILES.len(), NEXT_FILE)) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder can be made");
        fs::write(&path, text).expect("a file can be written");
        if *name == "Cargo.toml" {
            sources.manifests.push(Manifest { path, shown: (*name).to_owned(), kind: ManifestKind::Package });
        }
    }
    load(&sources, &Overrides::default())
}

/// Errors can be shown, and what passes can be planned and travels to workers and back.
fn checked(outcome: Result<Suite, Vec<Diagnostic>>) {
    match outcome {
        Err(errors) => {
            assert!(!errors.is_empty());
            let shown = render_all(&errors, Style::Plain);
            assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
            assert!(!render_all(&errors, Style::Coloured).is_empty());
            for error in &errors {
                let (Some(file), Some(span)) = (&error.file, error.span) else { continue };
                assert!(span.start <= span.end && span.end <= file.text.len(), "{error:?}");
            }
        }
        Ok(suite) => {
            let wanted: Vec<_> = suite.ids().map(|id| (id, 0..1)).collect();
            let names: std::collections::BTreeSet<String> = suite.ids().map(|id| suite.test_name(id)).collect();
            assert_eq!(names.len(), wanted.len(), "each test has a name of its own");
            for job in plan(&suite, &wanted) {
                assert!(!job.parts.is_empty());
            }
            for spec in &suite.specs {
                let sent = serde_json::to_string(&*spec.subject).expect("a subject can be sent");
                let come: nncheck_core::spec::Subject = serde_json::from_str(&sent).expect("a subject can be received");
                assert_eq!(&come, &*spec.subject);
            }
        }
    }
}
