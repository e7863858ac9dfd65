//! `cargo nncheck [run]`: builds the harness of each package, runs it, and shows the verdicts.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cargo_metadata::Metadata;
use nncheck_core::report::event::Event;
use nncheck_core::suite::options::{HarnessOptions, PROTOCOL, VARIABLE};
use nncheck_core::suite::{Filter, Overrides, PropertyId, Suite};

use crate::child;
use crate::cli::RunArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::harness_build::{self, Built};
use crate::harness_package;
use crate::libtorch::version::OWN_TCH;
use crate::libtorch::{self, Environment, Found, Wanted};
use crate::packages::{self, Chosen, Package};
use crate::progress;
use crate::project;
use crate::selection::{self, Known};
use crate::show::Show;
use crate::surroundings::Surroundings;
use crate::wrong_paths;

/// A package that has something to run.
struct Ready {
    package: Package,
    suite: Suite,
}

/// Runs the command.
///
/// # Errors
/// When the command line, the specs or the environment are at fault; what the properties come to is no error.
pub fn run(args: &RunArgs) -> Result<ExitCode, CommandError> {
    let surroundings = Surroundings::current().map_err(CommandError::Directory)?;
    let overrides = selection::overrides(&args.measuring)?;
    let filter = selection::filter(&args.selection);
    let options = metadata_options(args);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let chosen = packages::choose(&args.project, &options, true, &surroundings)?;
    let Some(ready) = ready(&chosen, &overrides, &filter, args)? else { return Ok(ExitCode::Usage) };
    let wanted = match &chosen.metadata {
        Some(metadata) => project::wanted_of(metadata)?,
        None => Wanted::own(),
    };
    let progress = progress::on_stderr(args.output.quiet);
    let found = libtorch::ensure(&wanted, &surroundings, progress.as_ref())?;
    progress.finish();
    let target = target_folder(args, chosen.metadata.as_ref(), &surroundings);
    let environment = Environment::of(&found, &surroundings);
    let mut show = Show::new(args.message_format, &args.output);
    let mut started = false;
    for Ready { package, suite } in ready {
        let harness = harness_package::write(&package, &suite, chosen.metadata.as_ref(), &args.build, &target)
            .map_err(|error| match error.kind() {
                io::ErrorKind::Interrupted => CommandError::Interrupted,
                _ => CommandError::Generate(error),
            })?;
        let mut cargo = surroundings.cargo();
        environment.apply(&mut cargo);
        let jobs = args.measuring.jobs.map(std::num::NonZeroUsize::get);
        let program =
            match harness_build::build(cargo, &harness, &package, &suite, &target, &args.build, jobs, &args.output)? {
                Built::Program(program) => program,
                Built::WrongPaths(errors) => {
                    selection::show(&errors, args.output.color);
                    return Ok(ExitCode::Usage);
                }
                Built::Failed => {
                    return Err(CommandError::Build { package: package.name });
                }
            };
        // Others may build while this one measures.
        drop(harness);
        if args.measuring.no_run {
            if !args.output.quiet {
                eprintln!("built {}", program.display());
            }
            continue;
        }
        started = true;
        let options = HarnessOptions {
            protocol: PROTOCOL,
            package: package.name.clone(),
            sources: package.sources.clone(),
            overrides: overrides.clone(),
            filter: filter.clone(),
            jobs,
            fail_fast: args.measuring.fail_fast,
            tch: tch_version(chosen.metadata.as_ref()),
            libtorch: libtorch_version(&found, &wanted),
        };
        show.values(&suite, &filter.running(&suite)).map_err(CommandError::Output)?;
        let go_on = drive(&program, &package, &options, &environment, &surroundings, &mut show)?;
        if let Some(code) = go_on {
            return Ok(code);
        }
        if args.measuring.fail_fast && !show.held_so_far() {
            break;
        }
    }
    if !started {
        return Ok(ExitCode::Held);
    }
    let total = show.end().map_err(CommandError::Output)?;
    Ok(if total.held() { ExitCode::Held } else { ExitCode::Failed })
}

/// Reads all packages' specs, and keeps those with something to run. `None`: what is wrong has been shown.
fn ready(
    chosen: &Chosen,
    overrides: &Overrides,
    filter: &Filter,
    args: &RunArgs,
) -> Result<Option<Vec<Ready>>, CommandError> {
    let (mut ready, mut errors, mut known) = (Vec::new(), Vec::new(), Known::default());
    for package in &chosen.packages {
        match selection::suite(package, overrides, true) {
            Ok(suite) => {
                known.add(&suite);
                let selected: Vec<PropertyId> = suite.ids().filter(|&id| filter.selects(&suite, id)).collect();
                if !selected.is_empty() {
                    errors.extend(wrong_paths::without_library(package, chosen.metadata.is_none(), &suite));
                    ready.push(Ready { package: package.clone(), suite });
                }
            }
            Err(more) => errors.extend(more),
        }
    }
    if !errors.is_empty() {
        selection::show(&errors, args.output.color);
        return Ok(None);
    }
    known.holds_specs(&args.selection)?;
    if ready.is_empty() {
        return Err(known.nothing_chosen(&args.selection));
    }
    Ok(Some(ready))
}

/// Runs a harness and shows its events; an exit code where nothing more should be run.
fn drive(
    program: &Path,
    package: &Package,
    options: &HarnessOptions,
    environment: &Environment,
    surroundings: &Surroundings,
    show: &mut Show,
) -> Result<Option<ExitCode>, CommandError> {
    let mut command = surroundings.command(program);
    environment.apply(&mut command);
    command.env(VARIABLE, options.write()).current_dir(&package.root);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let start = |source| CommandError::Start { program: program.display().to_string(), source };
    let mut harness = child::spawn(&mut command).map_err(start)?;
    let events = harness.process().stdout.take();
    let mut complete = false;
    for line in events.into_iter().flat_map(|out| BufReader::new(out).lines()) {
        let Ok(line) = line else { break };
        // Whatever else is printed there before user code is kept away is not ours.
        let Ok(event) = serde_json::from_str::<Event>(&line) else { continue };
        complete |= matches!(event, Event::Summary(_));
        show.event(&event).map_err(CommandError::Output)?;
    }
    let status = harness.wait().map_err(start)?;
    if crate::interrupt::requested() {
        return Err(CommandError::Interrupted);
    }
    match (complete, status.code()) {
        (true, _) => Ok(None),
        // It has said on standard error what is wrong with the specs or the protocol.
        (false, Some(2)) => Ok(Some(ExitCode::Usage)),
        (false, _) => Err(CommandError::Harness { package: package.name.clone(), status: status.to_string() }),
    }
}

/// What decides how cargo resolves the project's dependencies.
fn metadata_options(args: &RunArgs) -> Vec<String> {
    let mut options = Vec::new();
    let features = &args.build.features;
    if !features.features.is_empty() {
        options.extend(["--features".to_owned(), features.features.join(",")]);
    }
    for (set, flag) in [
        (features.all_features, "--all-features"),
        (features.no_default_features, "--no-default-features"),
        (args.build.offline, "--offline"),
        (args.build.locked, "--locked"),
    ] {
        if set {
            options.push(flag.to_owned());
        }
    }
    options
}

/// The project's own target folder, so that what it has built is used; for a folder of specs one in nncheck's cache.
fn target_folder(args: &RunArgs, metadata: Option<&Metadata>, surroundings: &Surroundings) -> PathBuf {
    if let Some(folder) = &args.build.target_dir {
        return surroundings.directory().join(folder);
    }
    match metadata {
        Some(metadata) => metadata.target_directory.as_std_path().to_owned(),
        None => surroundings
            .path("CARGO_TARGET_DIR")
            .or_else(|| libtorch::cache::Cache::of(surroundings).ok().map(|c| c.folder().join("target")))
            .unwrap_or_else(|| surroundings.directory().join("target")),
    }
}

fn tch_version(metadata: Option<&Metadata>) -> Option<String> {
    let resolved = metadata.and_then(|m| m.packages.iter().find(|p| p.name.as_str() == "tch"));
    Some(resolved.map_or_else(|| OWN_TCH.to_string(), |p| p.version.to_string()))
}

fn libtorch_version(found: &Found, wanted: &Wanted) -> Option<String> {
    Some(found.version.clone().unwrap_or_else(|| wanted.torch.to_string()))
}
