//! `cargo nncheck init`: a first spec for a package, from what is found there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nncheck_core::spec::loss::Task;
use nncheck_core::suite::builtin::first_spec;

use crate::cli::{InitArgs, ProjectArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::packages::{self, Package};
use crate::surroundings::Surroundings;

/// Runs the command.
///
/// # Errors
/// When there is no package, it has a spec of this name already, or a file cannot be written.
pub fn run(args: &InitArgs) -> Result<ExitCode, CommandError> {
    let surroundings = Surroundings::current().map_err(CommandError::Directory)?;
    let mut project = ProjectArgs { manifest: args.manifest.clone(), ..Default::default() };
    project.workspace.package.extend(args.package.clone());
    let chosen = packages::choose(&project, &[], false, &surroundings)?;
    let [package] = chosen.packages.as_slice() else {
        let names: Vec<&str> = chosen.packages.iter().map(|p| p.name.as_str()).collect();
        return Err(CommandError::Usage(format!("say for which package, with -p: {}", names.join(", "))));
    };
    let specs = package.sources.sources.first().map_or_else(|| package.root.join("specs"), |s| s.path.clone());
    let found = Found::of(package, &specs);
    let name = found.builder.as_deref().and_then(|b| b.rsplit("::").next()).unwrap_or("first");
    // A package that has specs already may still want the test target.
    let has_specs = specs.is_dir() && fs::read_dir(&specs).is_ok_and(|mut files| files.next().is_some());
    if !(args.test_target && has_specs) {
        write_new(&specs.join(format!("{name}.toml")), &found.spec(), &package.root)?;
    }
    if args.test_target {
        write_test_target(package, found.builder.as_deref())?;
    }
    let complete = found.builder.is_some() && found.csv.is_some();
    if complete {
        eprintln!("next: `cargo nncheck` runs it; `cargo nncheck explain initial_loss` says what a check is about");
    } else {
        eprintln!("next: fill in the lines marked TODO, then `cargo nncheck` runs it");
    }
    Ok(ExitCode::Held)
}

/// What a package has that a spec can name.
struct Found {
    /// The first public function that takes an `&nn::Path`.
    builder: Option<String>,
    /// The first CSV file near by.
    csv: Option<Csv>,
}

/// A CSV file.
struct Csv {
    /// Relative to the specs folder.
    path: String,
    /// Its last column, which is taken for the target.
    target: String,
    /// What that column looks like.
    task: Task,
}

impl Found {
    fn of(package: &Package, specs: &Path) -> Self {
        let builder = package.library.as_ref().and_then(|library| {
            let text = fs::read_to_string(package.root.join("src/lib.rs")).ok()?;
            Some(format!("{}::{}", library.crate_name, builders(&text).into_iter().next()?))
        });
        Self { builder, csv: csv(&package.root, specs) }
    }

    fn spec(&self) -> String {
        let model = self.builder.as_ref().map_or_else(
            || "# TODO: a public function of your library, `fn(&nn::Path) -> impl ModuleT`\nbuilder = \"my_crate::my_model\"".to_owned(),
            |builder| format!("builder = \"{builder}\""),
        );
        let data = self.csv.as_ref().map_or_else(
            || {
                "# TODO: a CSV file with a header row, and its target column\ncsv = \"../data.csv\"\ntarget = \"label\""
                    .to_owned()
            },
            |Csv { path, target, .. }| {
                format!(
                    "csv = \"{path}\"\ntarget = \"{target}\"          # the column to predict; all others are inputs"
                )
            },
        );
        let normalize = match self.task() {
            Task::Regression => "normalize = \"standard\"\nnormalize_target = \"standard\"",
            Task::Multiclass | Task::Binary => "normalize = \"standard\"",
        };
        format!(
            "# What must hold of this model and its training. `cargo nncheck explain CHECK` says what a check is about.\n\
             version = 1\n\n[model]\n{model}\n\n[data]\n{data}\n{normalize}\nbatch = 64\n\n{}",
            first_spec(self.task())
        )
    }

    fn task(&self) -> Task {
        self.csv.as_ref().map_or(Task::Multiclass, |csv| csv.task)
    }
}

/// The names of public functions whose first argument is a path of variables.
fn builders(source: &str) -> Vec<&str> {
    source
        .match_indices("pub fn ")
        .filter_map(|(at, word)| {
            let rest = &source[at + word.len()..];
            let open = rest.find('(')?;
            let name = rest[..open].split('<').next()?.trim();
            let arguments = &rest[open + 1..open + rest[open..].find(')')?];
            let first = arguments.split(',').next()?.split_once(':')?.1.trim();
            let path = first
                .strip_prefix('&')?
                .trim_start_matches(|c: char| c == '\'' || c.is_alphanumeric() || c == '_')
                .trim();
            let full = first.strip_prefix('&')?.trim();
            ["nn::Path", "tch::nn::Path", "Path"]
                .iter()
                .any(|p| path.starts_with(p) || full.starts_with(p))
                .then_some(name)
        })
        .collect()
}

fn csv(root: &Path, specs: &Path) -> Option<Csv> {
    let mut files: Vec<PathBuf> = [root.to_owned(), root.join("data")]
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "csv"))
        .collect();
    files.sort();
    let file = files.first()?;
    let text = fs::read_to_string(file).ok()?;
    let mut column = text.lines().filter_map(|line| line.rsplit(',').next()).map(|cell| cell.trim().trim_matches('"'));
    let target = column.next()?.to_owned();
    let below = file.strip_prefix(root).ok()?.to_string_lossy().replace('\\', "/");
    let up = "../".repeat(specs.strip_prefix(root).map_or(1, |s| s.components().count()));
    Some(Csv { path: format!("{up}{below}"), target, task: task_of(column) })
}

/// Zeros and ones are a binary target; whole numbers, each many times, class ids; all else is regression.
fn task_of<'t>(column: impl Iterator<Item = &'t str>) -> Task {
    let (mut rows, mut whole, mut distinct) = (0, true, BTreeSet::new());
    for cell in column.filter(|cell| !cell.is_empty()) {
        rows += 1;
        whole &= cell.parse::<f64>().is_ok_and(|v| v >= 0.0 && v.fract() == 0.0);
        distinct.insert(cell);
    }
    match distinct.len() {
        2 if whole && distinct.iter().all(|cell| cell.parse::<f64>().is_ok_and(|v| v <= 1.0)) => Task::Binary,
        k if whole && k * 10 <= rows => Task::Multiclass,
        _ => Task::Regression,
    }
}

fn write_test_target(package: &Package, builder: Option<&str>) -> Result<(), CommandError> {
    let builders = builder.unwrap_or_default();
    let text = format!(
        "//! Runs the specs under `cargo test` and `cargo nextest run`.\n\nnncheck::harness! {{ specs: \"specs\", builder: [{builders}] }}\n"
    );
    write_new(&package.root.join("tests/nncheck.rs"), &text, &package.root)?;
    let manifest = package.root.join("Cargo.toml");
    let old = fs::read_to_string(&manifest).map_err(CommandError::Generate)?;
    if !old.contains("name = \"nncheck\"") {
        let new = format!("{}\n\n[[test]]\nname = \"nncheck\"\nharness = false\n", old.trim_end());
        let temporary = manifest.with_extension("toml.new");
        fs::write(&temporary, new).and_then(|()| fs::rename(&temporary, &manifest)).map_err(CommandError::Generate)?;
        eprintln!("added [[test]] to Cargo.toml; `cargo add --dev nncheck` adds the dependency");
    }
    Ok(())
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str, root: &Path) -> Result<(), CommandError> {
    let shown = path.strip_prefix(root).unwrap_or(path).display();
    if path.exists() {
        return Err(CommandError::Usage(format!("`{shown}` is there already; nothing was written")));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(CommandError::Generate)?;
    }
    let temporary = path.with_extension("new");
    fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path)).map_err(CommandError::Generate)?;
    eprintln!("wrote {shown}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builders_are_public_functions_that_take_a_path_of_variables() {
        let source = "pub fn mlp(path: &nn::Path) -> impl Module {}\nfn hidden(p: &nn::Path) {}\npub fn net<'a>(vs: &tch::nn::Path<'a>, n: i64) {}\npub fn other(x: &Tensor) {}\npub fn none() {}";
        assert_eq!(builders(source), ["mlp", "net"]);
    }

    #[test]
    fn the_task_follows_from_the_target_column() {
        assert_eq!(task_of(["0", "1", "1", "0"].into_iter()), Task::Binary);
        assert_eq!(task_of(["0", "1", "2"].repeat(10).into_iter()), Task::Multiclass);
        assert_eq!(task_of(["151.0", "75.0", "141.0"].into_iter()), Task::Regression);
        assert_eq!(task_of(["1.5", "0.5"].into_iter()), Task::Regression);
    }

    #[test]
    fn the_spec_of_a_package_with_all_it_needs_is_a_sound_one() {
        for task in [Task::Multiclass, Task::Binary, Task::Regression] {
            let csv = Csv { path: "../d.csv".into(), target: "y".into(), task };
            let text = Found { builder: Some("a::b".into()), csv: Some(csv) }.spec();
            assert!(!text.contains("TODO"));
            nncheck_core::suite::from_texts(&[("first", &text)], &Default::default()).expect("a spec that can be read");
        }
        let todo = Found { builder: None, csv: None }.spec();
        assert_eq!(todo.matches("TODO").count(), 2);
    }
}
