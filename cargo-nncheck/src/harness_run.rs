//! What `run` and `accept` have in common: specs are read, the harness of each package is built and run, and its events are
//! handed on.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cargo_metadata::Metadata;
use nncheck_core::report::event::Event;
use nncheck_core::suite::options::{HarnessOptions, PROTOCOL, VARIABLE};
use nncheck_core::suite::{Filter, Overrides, Suite};

use crate::child;
use crate::cli::{BuildArgs, MeasuringArgs, OutputArgs, ProjectArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::harness_build::{self, Built};
use crate::harness_package;
use crate::libtorch::version::OWN_TCH;
use crate::libtorch::{self, Environment, Found, Wanted};
use crate::packages::{self, Chosen, Package};
use crate::progress;
use crate::project;
use crate::selection;
use crate::surroundings::Surroundings;
use crate::wrong_paths;

/// A package that has something to run.
#[derive(Debug)]
pub struct Ready {
    /// The package.
    pub package: Package,
    /// All its specs.
    pub suite: Suite,
}

/// What is asked of the harnesses.
#[derive(Debug)]
pub struct Job<'a> {
    /// Whose specs.
    pub project: &'a ProjectArgs,
    /// How they are measured.
    pub measuring: &'a MeasuringArgs,
    /// How the project is built.
    pub build: &'a BuildArgs,
    /// What is printed.
    pub output: &'a OutputArgs,
    /// Which properties.
    pub filter: Filter,
    /// What the command line overrides in the specs.
    pub overrides: Overrides,
    /// Whether numbers are taken to be accepted.
    pub accept: bool,
    /// Stop at the first property that does not hold.
    pub fail_fast: bool,
    /// Build the harnesses, but do not run them.
    pub no_run: bool,
}

/// Hears what happens.
pub trait Listener {
    /// A package's run begins.
    ///
    /// # Errors
    /// When it cannot be printed.
    fn begins(&mut self, ready: &Ready) -> io::Result<()>;

    /// Something happened.
    ///
    /// # Errors
    /// When it cannot be printed.
    fn hears(&mut self, event: &Event) -> io::Result<()>;

    /// Whether the next package is to be run.
    fn goes_on(&self) -> bool;
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The harnesses did their work.
    Ran,
    /// They were built alone.
    Built,
    /// They did not, and it has been told why.
    Early(ExitCode),
}

/// The packages of a project.
///
/// # Errors
/// When there is no project, or none of its packages has specs.
pub fn choose(job: &Job<'_>, surroundings: &Surroundings) -> Result<Chosen, CommandError> {
    let options = metadata_options(job.build);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    packages::choose(job.project, &options, true, surroundings)
}

/// Reads all packages' specs, and keeps those of which `wanted` says so. `None`: what is wrong with them has been shown.
pub fn ready(job: &Job<'_>, chosen: &Chosen, mut wanted: impl FnMut(&Package, &Suite) -> bool) -> Option<Vec<Ready>> {
    let (mut ready, mut errors) = (Vec::new(), Vec::new());
    for package in &chosen.packages {
        match selection::suite(package, &job.overrides, true) {
            Ok(suite) => {
                if wanted(package, &suite) {
                    errors.extend(wrong_paths::without_library(package, chosen.metadata.is_none(), &suite));
                    ready.push(Ready { package: package.clone(), suite });
                }
            }
            Err(more) => errors.extend(more),
        }
    }
    if !errors.is_empty() {
        selection::show(&errors, job.output.color);
        return None;
    }
    Some(ready)
}

/// Builds and runs the harness of each package.
///
/// # Errors
/// When the environment is at fault; what the properties come to is no error.
pub fn run(
    job: &Job<'_>,
    chosen: &Chosen,
    ready: Vec<Ready>,
    surroundings: &Surroundings,
    listener: &mut dyn Listener,
) -> Result<Ended, CommandError> {
    let wanted = match &chosen.metadata {
        Some(metadata) => project::wanted_of(metadata)?,
        None => Wanted::own(),
    };
    let progress = progress::on_stderr(job.output.quiet);
    let found = libtorch::ensure(&wanted, surroundings, progress.as_ref())?;
    progress.finish();
    let target = target_folder(job.build, chosen.metadata.as_ref(), surroundings);
    let environment = Environment::of(&found, surroundings);
    let mut ended = Ended::Built;
    for ready in ready {
        let Ready { package, suite } = &ready;
        let harness =
            harness_package::write(package, suite, chosen.metadata.as_ref(), job.build, &target).map_err(|error| {
                match error.kind() {
                    io::ErrorKind::Interrupted => CommandError::Interrupted,
                    _ => CommandError::Generate(error),
                }
            })?;
        let mut cargo = surroundings.cargo();
        environment.apply(&mut cargo);
        let jobs = job.measuring.jobs.map(std::num::NonZeroUsize::get);
        let program = match harness_build::build(cargo, &harness, package, suite, &target, job.build, jobs, job.output)?
        {
            Built::Program(program) => program,
            Built::WrongPaths(errors) => {
                selection::show(&errors, job.output.color);
                return Ok(Ended::Early(ExitCode::Usage));
            }
            Built::Failed => {
                return Err(CommandError::Build { package: package.name.clone() });
            }
        };
        // Others may build while this one measures.
        drop(harness);
        if job.no_run {
            if !job.output.quiet {
                eprintln!("built {}", program.display());
            }
            continue;
        }
        ended = Ended::Ran;
        let options = HarnessOptions {
            protocol: PROTOCOL,
            package: package.name.clone(),
            sources: package.sources.clone(),
            overrides: job.overrides.clone(),
            filter: job.filter.clone(),
            jobs,
            fail_fast: job.fail_fast,
            accept: job.accept,
            tch: tch_version(chosen.metadata.as_ref()),
            libtorch: libtorch_version(&found, &wanted),
        };
        listener.begins(&ready).map_err(CommandError::Output)?;
        let mut hear = |event: &Event| listener.hears(event);
        if let Some(code) = drive(&program, package, &options, &environment, surroundings, &mut hear)? {
            return Ok(Ended::Early(code));
        }
        if !listener.goes_on() {
            break;
        }
    }
    Ok(ended)
}

/// Runs a harness and hands its events on; an exit code where nothing more should be run.
fn drive(
    program: &Path,
    package: &Package,
    options: &HarnessOptions,
    environment: &Environment,
    surroundings: &Surroundings,
    hear: &mut dyn FnMut(&Event) -> io::Result<()>,
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
        hear(&event).map_err(CommandError::Output)?;
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
fn metadata_options(build: &BuildArgs) -> Vec<String> {
    let mut options = Vec::new();
    let features = &build.features;
    if !features.features.is_empty() {
        options.extend(["--features".to_owned(), features.features.join(",")]);
    }
    for (set, flag) in [
        (features.all_features, "--all-features"),
        (features.no_default_features, "--no-default-features"),
        (build.offline, "--offline"),
        (build.locked, "--locked"),
    ] {
        if set {
            options.push(flag.to_owned());
        }
    }
    options
}

/// The project's own target folder, so that what it has built is used; for a folder of specs one in nncheck's cache.
fn target_folder(build: &BuildArgs, metadata: Option<&Metadata>, surroundings: &Surroundings) -> PathBuf {
    if let Some(folder) = &build.target_dir {
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
