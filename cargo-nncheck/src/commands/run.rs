//! `cargo nncheck [run]`: runs the specs of each package, and shows the verdicts.

use std::io;

use nncheck_core::report::event::Event;
use nncheck_core::suite::{Filter, Overrides, PropertyId};

use crate::cli::RunArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::harness_run::{self, Ended, Job, Listener, Ready};
use crate::packages::Chosen;
use crate::selection::{self, Known};
use crate::show::Show;
use crate::surroundings::Surroundings;
use crate::wrong_paths;

/// Runs the command.
///
/// # Errors
/// When the command line, the specs or the environment are at fault; what the properties come to is no error.
pub fn run(args: &RunArgs) -> Result<ExitCode, CommandError> {
    let surroundings = Surroundings::current().map_err(CommandError::Directory)?;
    let job = Job {
        project: &args.project,
        measuring: &args.measuring,
        build: &args.build,
        output: &args.output,
        filter: selection::filter(&args.selection),
        overrides: selection::overrides(&args.measuring)?,
        accept: false,
        fail_fast: args.fail_fast,
        no_run: args.no_run,
    };
    let chosen = harness_run::choose(&job, &surroundings)?;
    let Some(ready) = ready(&chosen, &job.overrides, &job.filter, args)? else { return Ok(ExitCode::Usage) };
    let show = Show::new(args.message_format, &args.output);
    let mut shown = Shown { show, filter: &job.filter, fail_fast: args.fail_fast };
    match harness_run::run(&job, &chosen, ready, &surroundings, &mut shown)? {
        Ended::Early(code) => return Ok(code),
        Ended::Built => return Ok(ExitCode::Held),
        Ended::Ran => {}
    }
    let total = shown.show.end().map_err(CommandError::Output)?;
    Ok(if total.held() { ExitCode::Held } else { ExitCode::Failed })
}

/// Shows what it hears.
struct Shown<'a> {
    show: Show,
    filter: &'a Filter,
    fail_fast: bool,
}

impl Listener for Shown<'_> {
    fn begins(&mut self, ready: &Ready) -> io::Result<()> {
        self.show.values(&ready.suite, &self.filter.running(&ready.suite))
    }

    fn hears(&mut self, event: &Event) -> io::Result<()> {
        self.show.event(event)
    }

    fn goes_on(&self) -> bool {
        !self.fail_fast || self.show.held_so_far()
    }
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
