//! `cargo nncheck [run]`: runs the specs of each package, and shows the verdicts.

use std::io;

use nncheck_core::report::event::Event;
use nncheck_core::suite::{Filter, Suite};

use crate::cli::RunArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::harness_run::{self, Ended, Job, Listener, Ready};
use crate::selection::{self, Known};
use crate::show::Show;
use crate::surroundings::Surroundings;

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
    let mut known = Known::default();
    let some = |suite: &Suite| suite.ids().any(|id| job.filter.selects(suite, id));
    let ready = harness_run::ready(&job, &chosen, |_, suite| {
        known.add(suite);
        some(suite)
    });
    let Some(ready) = ready else { return Ok(ExitCode::Usage) };
    known.holds_specs(&args.selection)?;
    if ready.is_empty() {
        return Err(known.nothing_chosen(&args.selection));
    }
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
