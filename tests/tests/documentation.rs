//! Every TOML block of the documentation is a whole spec, and does what its page says: it is found sound, runs, and holds.

use std::fs;
use std::path::{Path, PathBuf};

use nncheck_tests::{Outcome, Scratch, nncheck, project, repository};

/// The blocks of a page that are of one language, in their order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}");
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in page.lines() {
        match &mut block {
            None if line == opening => block = Some(String::new()),
            None => {}
            Some(_) if line == "```" => blocks.extend(block.take()),
            Some(text) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    blocks
}

/// The page about models from Python, whose files are another project's.
const PYTORCH: &str = "pytorch.md";

/// The pages of the documentation that hold specs.
fn pages() -> Vec<PathBuf> {
    let in_folder = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let docs = repository().join("docs");
    let mut pages: Vec<PathBuf> = in_folder(docs.join("spec"))
        .chain(in_folder(docs))
        .filter(|path| path.extension().is_some_and(|e| e == "md") && !path.ends_with(PYTORCH))
        .collect();
    pages.sort();
    pages
}

/// Copies the files of a folder, and of those in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap_or_else(|e| panic!("{}: {e}", to.display()));
    for entry in fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display())).flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap_or_else(|e| panic!("{}: {e}", entry.path().display()));
        }
    }
}

/// Runs the blocks of these pages in a copy of an example project.
fn hold(pages: &[PathBuf], example: &str, least: usize) {
    let folder = Scratch::new();
    let from = project(example);
    copy(&from, folder.path());
    let manifest = folder.path().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap_or_default();
    let ours = repository().join("nncheck").display().to_string();
    let _written = fs::write(&manifest, text.replace("../../../nncheck", &ours));
    let specs = folder.path().join("specs");
    let _cleared = fs::remove_dir_all(&specs);
    let _made = fs::create_dir_all(&specs);
    let mut count = 0;
    for page in pages {
        let name = page.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        for (index, block) in blocks(&fs::read_to_string(page).unwrap_or_default(), "toml").iter().enumerate() {
            fs::write(specs.join(format!("{name}-{}.toml", index + 1)), block).unwrap_or_else(|e| panic!("{e}"));
            count += 1;
        }
    }
    assert!(count >= least, "{count} blocks were found");
    let manifest = manifest.display().to_string();
    let outcome: Outcome = nncheck(&["run", "--manifest-path", &manifest, "--message-format", "json"]);
    let outcome = outcome.exits_with(0);
    for event in outcome.properties() {
        assert!(event["verdict"] == "pass" || event["level"] == "warn", "{event}");
    }
}

#[test]
fn every_block_of_the_documentation_is_a_spec_that_holds() {
    hold(&pages(), "docs", 20);
}

#[test]
fn every_block_about_models_from_python_is_a_spec_that_holds() {
    let folder = Scratch::new();
    copy(&project("pytorch"), folder.path());
    let digits = project("digits").join("data/digits.csv");
    fs::copy(&digits, folder.join("digits.csv")).unwrap_or_else(|e| panic!("{}: {e}", digits.display()));
    let page = fs::read_to_string(repository().join("docs").join(PYTORCH)).unwrap_or_default();
    let blocks = blocks(&page, "toml");
    assert_eq!(blocks.len(), 2, "a scripted model, and layers with its state dict");
    let folder = blocks
        .iter()
        .enumerate()
        .fold(folder, |folder, (index, block)| folder.with(&format!("page/{index}.toml"), block));
    let specs = folder.join("page").display().to_string();
    let outcome = nncheck(&["run", "--specs", &specs, "--message-format", "json"]).exits_with(0);
    assert_eq!(outcome.summary()["passed"], 12, "{outcome}");
}

#[test]
fn every_block_of_the_readme_is_a_spec_that_holds() {
    hold(&[repository().join("README.md")], "digits", 1);
}

#[test]
fn rust_in_the_documentation_is_rust_that_compiles() {
    let guide = fs::read_to_string(project("docs").join("src/lib.rs")).unwrap_or_default();
    let found: Vec<String> =
        pages().iter().flat_map(|page| blocks(&fs::read_to_string(page).unwrap_or_default(), "rust")).collect();
    assert!(!found.is_empty());
    for block in found {
        assert!(guide.contains(block.trim_end()), "this is not in the guide's library:\n{block}");
    }
}
