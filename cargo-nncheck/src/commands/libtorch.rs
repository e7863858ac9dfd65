//! `cargo nncheck libtorch`: where libtorch is and why that one. `libtorch install`: installs it.

use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use crate::cli::{LibtorchArgs, LibtorchInstallArgs, LibtorchSubcommands};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::libtorch::cache::{Cache, State};
use crate::libtorch::install::Installer;
use crate::libtorch::version::Origin;
use crate::libtorch::{self, Found, Search, Source, Wanted};
use crate::progress::megabytes;
use crate::surroundings::Surroundings;
use crate::{progress, project};

/// Runs the command.
///
/// # Errors
/// When what the user set leads to no libtorch, or it cannot be installed.
pub fn run(args: &LibtorchArgs) -> Result<ExitCode, CommandError> {
    let surroundings = Surroundings::current().map_err(CommandError::Directory)?;
    match &args.command {
        Some(LibtorchSubcommands::Install(install)) => self::install(install, &surroundings),
        None => {
            let wanted = wanted(args.manifest.manifest_path.as_deref(), &surroundings)?;
            let search = libtorch::find(&wanted, &surroundings)?;
            let report = report(&wanted, &search, &surroundings);
            io::stdout().lock().write_all(report.as_bytes()).map_err(CommandError::Output)?;
            Ok(if search.found.is_some() { ExitCode::Held } else { ExitCode::Environment })
        }
    }
}

fn wanted(manifest: Option<&Path>, surroundings: &Surroundings) -> Result<Wanted, CommandError> {
    let manifest = project::manifest(manifest, surroundings)?;
    project::wanted(manifest.as_deref(), surroundings)
}

/// What the search came to, for people.
fn report(wanted: &Wanted, search: &Search, surroundings: &Surroundings) -> String {
    let Wanted { torch, origin } = wanted;
    let mut lines = vec![format!("wanted: torch {torch}, by {origin}")];
    if let Origin::Project { lock: Some(lock), .. } = origin {
        lines.push(format!("        as `{}` has it", lock.display()));
    }
    match &search.found {
        Some(found) => {
            let version = found.version.as_deref().unwrap_or("of an unknown version");
            lines.push(format!("found:  torch {version}, {}", place(found)));
            lines.push(format!("        in `{}`{}", found.root.display(), size(found, wanted, surroundings)));
        }
        None => lines.push("found:  none".to_owned()),
    }
    if !search.passed_over.is_empty() {
        lines.push("passed over:".to_owned());
        lines.extend(search.passed_over.iter().map(|passed| format!("  {}: {}", passed.source, passed.reason)));
    }
    if search.found.is_none() {
        lines.push(
            "help: `cargo nncheck libtorch install` installs it, and so does the first command that needs it"
                .to_owned(),
        );
    }
    lines.join("\n") + "\n"
}

fn place(found: &Found) -> String {
    match found.source {
        Source::Variable | Source::UsePytorch => format!("because {} is set", found.source),
        Source::Python | Source::Cache => format!("in {}", found.source),
    }
}

fn size(found: &Found, wanted: &Wanted, surroundings: &Surroundings) -> String {
    match Cache::of(surroundings).map(|cache| cache.state(&wanted.torch)) {
        Ok(State::Whole(manifest)) if found.source == Source::Cache => format!(" ({})", megabytes(manifest.size())),
        _ => String::new(),
    }
}

fn install(args: &LibtorchInstallArgs, surroundings: &Surroundings) -> Result<ExitCode, CommandError> {
    let torch = match &args.torch_version {
        Some(version) => version.clone(),
        None => wanted(args.manifest.manifest_path.as_deref(), surroundings)?.torch,
    };
    let cache = Cache::of(surroundings)?;
    let progress = progress::on_stderr(args.output.quiet);
    if let State::Damaged(damage) = cache.state(&torch) {
        progress.say(&format!("the libtorch {torch} in nncheck's cache is damaged ({damage}); it is installed anew"));
    }
    let start = Instant::now();
    let installed = Installer::new(&cache, surroundings, progress.as_ref()).install(&torch)?;
    let (size, folder) = (megabytes(installed.manifest.size()), cache.libtorch(&torch));
    progress.say(&if installed.before {
        format!("libtorch {torch} is installed already, in `{}` ({size})", folder.display())
    } else {
        format!(
            "installed libtorch {torch} in `{}` ({size}) in {:.0} s",
            folder.display(),
            start.elapsed().as_secs_f64()
        )
    });
    Ok(ExitCode::Held)
}
