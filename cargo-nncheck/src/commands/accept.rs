//! `cargo nncheck accept`: measures what properties are held against a baseline, and writes the baselines beside the specs.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use nncheck_core::baseline::{self, Accepted, Baseline};
use nncheck_core::judge::Verdict;
use nncheck_core::report::event::{Event, PropertyEvent, RunStarted};
use nncheck_core::suite::{PropertyId, Suite};

use crate::accepted;
use crate::cli::{AcceptArgs, MessageFormat};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::harness_run::{self, Ended, Job, Listener, Ready};
use crate::new_file;
use crate::packages::Chosen;
use crate::selection::{self, Known};
use crate::show::Show;
use crate::surroundings::Surroundings;

/// Runs the command.
///
/// # Errors
/// When the command line, the specs or the environment are at fault, or a file cannot be written.
pub fn run(args: &AcceptArgs) -> Result<ExitCode, CommandError> {
    if args.measuring.seeds == Some(1) {
        let words =
            "--seeds: of one seed nobody can tell how far seeds are apart; two at least are wanted, ten are better";
        return Err(CommandError::Usage(words.to_owned()));
    }
    let surroundings = Surroundings::current().map_err(CommandError::Directory)?;
    let job = Job {
        project: &args.project,
        measuring: &args.measuring,
        build: &args.build,
        output: &args.output,
        filter: selection::filter(&args.selection),
        overrides: selection::overrides(&args.measuring)?,
        accept: true,
        fail_fast: false,
        no_run: false,
    };
    let chosen = harness_run::choose(&job, &surroundings)?;
    let mut specs = Vec::new();
    let Some(ready) = ready(&chosen, &job, args, &mut specs)? else { return Ok(ExitCode::Usage) };
    let mut taken = Taken { show: Show::new(MessageFormat::Human, &args.output), started: None, events: Vec::new() };
    match harness_run::run(&job, &chosen, ready, &surroundings, &mut taken)? {
        Ended::Early(code) => return Ok(code),
        Ended::Ran | Ended::Built => {}
    }
    taken.show.end().map_err(CommandError::Output)?;
    let mut code = ExitCode::Held;
    for spec in &specs {
        let events = taken.events.iter().filter(|event| event.package == spec.package && event.spec == spec.name);
        match spec.take(events)? {
            Some(text) if args.output.quiet => drop(text),
            Some(text) => anstream::print!("{text}"),
            None => code = ExitCode::Failed,
        }
    }
    Ok(code)
}

/// The packages with numbers to accept, their specs put into `specs`. `None`: what is wrong has been shown.
fn ready(
    chosen: &Chosen,
    job: &Job<'_>,
    args: &AcceptArgs,
    specs: &mut Vec<Spec>,
) -> Result<Option<Vec<Ready>>, CommandError> {
    let mut known = Known::default();
    let (mut held, mut selected, mut others) = (0, 0, 0);
    let chosen_of = |suite: &Suite| suite.ids().filter(|&id| job.filter.selects(suite, id)).count();
    let ready = harness_run::ready(job, chosen, |package, suite| {
        // As the harness runs it.
        let mut accepting = suite.clone();
        accepting.accepting(job.overrides.seeds);
        known.add(&accepting);
        held += accepting.ids().count();
        selected += chosen_of(&accepting);
        others += chosen_of(suite);
        let running = job.filter.running(&accepting);
        specs.extend(Spec::all(&package.name, &accepting, &running));
        !running.is_empty()
    });
    let Some(ready) = ready else { return Ok(None) };
    known.holds_specs(&args.selection)?;
    let usage = |words: &str| Err(CommandError::Usage(words.to_owned()));
    match (held, selected, ready.is_empty()) {
        (0, ..) => usage(
            "there is nothing to accept: no spec has a property of the check `regression`\n\
             add [property.regression] to a spec, or \"nncheck:checklist\" to its `extends`",
        ),
        (_, 0, _) if others > 0 => {
            usage("nothing of what was chosen can be accepted: it holds no property of the check `regression`")
        }
        (_, 0, _) => Err(known.nothing_chosen(&args.selection)),
        (.., true) => usage("what was chosen is off or slow: --include-ignored takes what is slow too"),
        (.., false) => Ok(Some(ready)),
    }
}

/// Keeps what it hears.
struct Taken {
    show: Show,
    started: Option<RunStarted>,
    events: Vec<PropertyEvent>,
}

impl Listener for Taken {
    fn begins(&mut self, _ready: &Ready) -> io::Result<()> {
        Ok(())
    }

    fn hears(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::RunStarted(started) => self.started = Some(started.clone()),
            Event::Property(event) => {
                let mut event = event.as_ref().clone();
                if let (Some(accepted), Some(started)) = (&mut event.evidence.accepted, &self.started) {
                    (accepted.tch, accepted.libtorch) = (started.tch.clone(), started.libtorch.clone());
                }
                self.events.push(event);
            }
            Event::Progress(_) => self.show.event(event)?,
            Event::Ignored(_) | Event::Summary(_) => {}
        }
        Ok(())
    }

    fn goes_on(&self) -> bool {
        true
    }
}

/// A spec whose properties may be held against a baseline.
struct Spec {
    package: String,
    name: String,
    /// Its baseline's file.
    path: PathBuf,
    /// How that is shown.
    shown: String,
    /// How many properties are measured.
    wanted: usize,
    /// The properties that it may hold, by their names in the file, with what was accepted of them.
    properties: BTreeMap<String, Option<Accepted>>,
}

impl Spec {
    /// Those of a package, the rungs of a ladder as one.
    fn all(package: &str, accepting: &Suite, running: &[PropertyId]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for (index, spec) in accepting.specs.iter().enumerate() {
            let wanted = running.iter().filter(|id| id.spec == index).count();
            let rung = spec.rung.as_ref().map(|rung| rung.name.as_str());
            let held = spec.properties.iter().filter_map(|property| {
                Some((baseline::key(rung, &property.name), property.check.held()?.accepted.clone()))
            });
            let properties: BTreeMap<_, _> = held.collect();
            match all.last_mut().filter(|last| last.name == spec.name) {
                Some(last) => {
                    last.properties.extend(properties);
                    last.wanted += wanted;
                }
                None => all.push(Self {
                    package: package.to_owned(),
                    wanted,
                    name: spec.name.clone(),
                    path: baseline::path(&spec.file.path),
                    shown: baseline::path(spec.file.shown.as_ref()).display().to_string(),
                    properties,
                }),
            }
        }
        all
    }

    /// Writes what was taken, and tells of it; `None`: it has been told why nothing could be written.
    fn take<'e>(&self, events: impl Iterator<Item = &'e PropertyEvent>) -> Result<Option<String>, CommandError> {
        let (mut text, mut news, mut wrong) = (String::new(), BTreeMap::new(), Vec::new());
        for event in events {
            let key = baseline::key(event.rung.as_deref(), &event.property);
            match &event.evidence.accepted {
                Some(accepted) if event.verdict == Verdict::Pass => {
                    let before = self.properties.get(&key).and_then(Option::as_ref);
                    text.push_str(&accepted::table(&event.test_name(), accepted, before));
                    news.insert(key, accepted.clone());
                }
                _ => wrong.push(event),
            }
        }
        let missing = self.wanted.saturating_sub(news.len() + wrong.len());
        if missing > 0 || !wrong.is_empty() {
            if missing > 0 {
                eprintln!("error: {missing} of {}'s properties did not come back (a fault in nncheck)", self.name);
            }
            for event in &wrong {
                anstream::eprint!("{}", accepted::refusal(event));
            }
            eprintln!("nothing was written to {}", self.shown);
            return Ok(None);
        }
        if news.is_empty() {
            return Ok(Some(text));
        }
        // What changed since the run began may hold what others accepted.
        let changed = |why: String| {
            CommandError::Usage(format!(
                "{} changed while the numbers were taken, and was left as it is: {why}",
                self.shown
            ))
        };
        let stored = match std::fs::read_to_string(&self.path) {
            Ok(text) => Some(text),
            Err(why) if why.kind() == io::ErrorKind::NotFound => None,
            Err(why) => return Err(changed(why.to_string())),
        };
        let old = match stored.as_deref().map(baseline::read) {
            Some(Ok(old)) => old,
            Some(Err(broken)) => return Err(changed(broken.message)),
            None => Baseline::default(),
        };
        let (mut properties, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
            old.properties.into_iter().partition(|(key, _)| self.properties.contains_key(key));
        for key in gone.keys() {
            text.push_str(&format!(
                "{} is no property of the spec any more: its baseline is gone\n",
                key.escape_debug()
            ));
        }
        properties.extend(news);
        let now = baseline::write(&Baseline { version: baseline::VERSION, properties });
        if stored.as_deref() == Some(&now) {
            text.push_str(&format!("{} is as it was\n", self.shown));
        } else {
            new_file::replace(&self.path, &now)?;
            text.push_str(&format!("wrote {}\n", self.shown));
        }
        Ok(Some(text))
    }
}
