//! The harness as `cargo test` and `cargo nextest` see it.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Completion, Failed, Trial};
use nncheck_core::judge::Verdict;
use nncheck_core::report::event::PropertyEvent;
use nncheck_core::report::human::{Style, Verbosity, detail};
use nncheck_core::suite::{Manifest, ManifestKind, Overrides, PropertyId, Sources, Suite};

use super::arguments::{self, Arguments};
use super::{FAILED, WAITING, WRONG, cores, sound_suite};
use crate::bindings::Bindings;
use crate::cache::Cache;
use crate::session::Session;

pub(super) fn main(root: &Path, specs: &str, bindings: &Bindings) -> ExitCode {
    let threads = std::env::var("RUST_TEST_THREADS").ok();
    let arguments = match arguments::parse(std::env::args().skip(1), threads.as_deref()) {
        Ok(arguments) => arguments,
        Err(e) => {
            eprintln!("error: {e}");
            return ExitCode::from(WRONG);
        }
    };
    let mut sources = Sources::one(root.join(specs), specs);
    sources.manifests = manifests(root);
    let Some(suite) = sound_suite(&sources, &Overrides::default(), bindings) else { return ExitCode::from(WRONG) };
    if let Some(name) = unknown_exact_name(&suite, &arguments) {
        eprintln!("error: there is no property `{name}`; `--list` shows all");
        return ExitCode::from(WRONG);
    }
    run(suite, &root.file_name().unwrap_or_default().to_string_lossy(), &arguments)
}

/// The manifests that may hold defaults: the package's, and below it that of the workspace around it.
fn manifests(root: &Path) -> Vec<Manifest> {
    let of = |path: PathBuf, shown: String, kind| path.is_file().then_some(Manifest { path, shown, kind });
    let is_workspace = |text: String| text.lines().any(|line| line.trim_start().starts_with("[workspace"));
    let workspace = root
        .ancestors()
        .enumerate()
        .find(|(_, folder)| std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(is_workspace));
    let workspace = workspace.and_then(|(up, folder)| {
        of(folder.join("Cargo.toml"), format!("{}Cargo.toml", "../".repeat(up)), ManifestKind::Workspace)
    });
    let own = of(root.join("Cargo.toml"), "Cargo.toml".to_owned(), ManifestKind::Package);
    workspace.into_iter().chain(own).collect()
}

fn run(suite: Suite, package: &str, arguments: &Arguments) -> ExitCode {
    let suite = Arc::new(suite);
    let mut filter = arguments.filter.clone();
    // Under `--list` and for counting, ignored tests are shown; whether they run is libtest-mimic's to say.
    let (include, only) = (filter.include_ignored, filter.only_ignored);
    (filter.include_ignored, filter.only_ignored) = (true, false);
    let listed = filter.running(&suite);
    let slow = |id: PropertyId| suite.get(id).1.settings.slow;
    // nextest shows what was skipped as passed, but what is marked as ignored when it asks for the list as such.
    let hides_skipped = std::env::var_os("NEXTEST").is_some();
    let moot = |id: PropertyId| {
        let (spec, property) = suite.get(id);
        property.moot(spec).is_some()
    };
    let ignored = |id: PropertyId| slow(id) || hides_skipped && moot(id);
    let wanted: Vec<PropertyId> = listed.iter().copied().filter(|&id| include || ignored(id) == only).collect();
    let session = (!arguments.list && !wanted.is_empty()).then(|| {
        let cache = Cache::of_this_run();
        // A runner with a process for each test starts as many of those as there are cores.
        let workers = arguments.jobs.unwrap_or_else(|| if cache.is_some() { 1 } else { cores() });
        Arc::new(Session::start(Arc::clone(&suite), package, &wanted, workers, cache, |_| {}))
    });
    let trials = listed
        .iter()
        .map(|&id| {
            let session = session.clone();
            Trial::ignorable_test(suite.test_name(id), move || match &session {
                Some(session) => outcome(&session.verdict(id)),
                None => Ok(Completion::ignored()),
            })
            .with_ignored_flag(ignored(id))
        })
        .collect();
    let mut for_mimic = libtest_mimic::Arguments::from_iter(
        std::iter::once("nncheck".to_owned()).chain(arguments.rest.iter().cloned()),
    );
    for_mimic.include_ignored = arguments.filter.include_ignored;
    for_mimic.ignored = arguments.filter.only_ignored;
    for_mimic.test_threads = Some(if arguments.jobs == Some(1) { 1 } else { listed.len().clamp(1, WAITING) });
    if libtest_mimic::run(&for_mimic, trials).has_failed() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS }
}

/// Under nextest, which asks for one test by its whole name, a name that is not there would be a silent green.
fn unknown_exact_name<'a>(suite: &Suite, arguments: &'a Arguments) -> Option<&'a str> {
    if !arguments.filter.exact || std::env::var_os("NEXTEST_RUN_ID").is_none() {
        return None;
    }
    let known = |name: &str| suite.ids().any(|id| suite.test_name(id) == name);
    arguments.filter.filters.iter().map(String::as_str).find(|name| !known(name))
}

/// A verdict as libtest knows them.
fn outcome(event: &PropertyEvent) -> Result<Completion, Failed> {
    match event.verdict {
        Verdict::Pass => Ok(Completion::Completed),
        Verdict::Skipped => Ok(Completion::ignored_with(&event.message)),
        _ if !event.fails_the_run() => {
            eprintln!("warning: {}\n{}", event.test_name(), text(event));
            Ok(Completion::Completed)
        }
        _ => Err(Failed::from(text(event))),
    }
}

fn text(event: &PropertyEvent) -> String {
    let style = Style { colour: std::io::stdout().is_terminal(), verbosity: Verbosity::Normal, width: 120 };
    detail(event, &style)
}
