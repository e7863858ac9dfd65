//! The harness as `cargo nncheck` runs it: the same trials, told of in events, one JSON object a line on standard
//! output, in the order of the specs whatever the order in which they are judged.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use libtest_mimic::Trial;
use nncheck_core::report::event::{Event, Ignored, Progress, RunStarted, Summary};
use nncheck_core::suite::options::HarnessOptions;
use nncheck_core::suite::{Standing, Suite};

use super::{WAITING, WRONG, cores, sound_suite};
use crate::bindings::Bindings;
use crate::session::Session;

pub(super) fn main(options: &str, bindings: &Bindings) -> ExitCode {
    let options = match HarnessOptions::read(options) {
        Ok(options) => options,
        Err(e) => {
            eprintln!("error: {e}");
            return ExitCode::from(WRONG);
        }
    };
    let Some(mut suite) = sound_suite(&options.sources, &options.overrides, bindings) else {
        return ExitCode::from(WRONG);
    };
    if options.accept {
        suite.accepting(options.overrides.seeds);
    }
    run(&Arc::new(suite), &options)
}

fn run(suite: &Arc<Suite>, options: &HarnessOptions) -> ExitCode {
    let started = Instant::now();
    let wanted = options.filter.running(suite);
    let desk = Arc::new(Mutex::new(Desk::new(options.fail_fast)));
    let lock = |desk: &Mutex<Desk>, event: Event| desk.lock().unwrap_or_else(PoisonError::into_inner).write(&event);
    lock(&desk, Event::RunStarted(run_started(suite, options, wanted.len())));
    let progress = Arc::clone(&desk);
    let session = Arc::new(Session::start(
        Arc::clone(suite),
        options.package.as_str(),
        &wanted,
        options.jobs.unwrap_or_else(cores),
        None,
        move |p: Progress| progress.lock().unwrap_or_else(PoisonError::into_inner).write(&Event::Progress(p)),
    ));
    let chosen = suite.ids().filter(|&id| options.filter.selects(suite, id)).enumerate();
    let trials = chosen
        .filter_map(|(position, id)| {
            let name = suite.test_name(id);
            let off = match options.filter.standing(suite, id) {
                Standing::Runs => {
                    let (session, desk) = (Arc::clone(&session), Arc::clone(&desk));
                    return Some(Trial::test(name, move || {
                        if !desk.lock().unwrap_or_else(PoisonError::into_inner).stopped {
                            let event = Event::Property(Box::new(session.verdict(id)));
                            desk.lock().unwrap_or_else(PoisonError::into_inner).settled(position, event);
                        }
                        Ok(())
                    }));
                }
                Standing::Ignored => None,
                Standing::Off(reason) => Some(reason.to_owned()),
            };
            let event = Event::Ignored(Ignored { name, off });
            desk.lock().unwrap_or_else(PoisonError::into_inner).settled(position, event);
            None
        })
        .collect();
    let silent = libtest_mimic::Arguments {
        test_threads: Some(wanted.len().clamp(1, WAITING)),
        logfile: Some(NULL_DEVICE.to_owned()),
        ..Default::default()
    };
    let conclusion = libtest_mimic::run(&silent, trials);
    let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
    desk.summary.duration_ms = started.elapsed().as_secs_f64() * 1e3;
    let summary = desk.summary.clone();
    desk.write(&Event::Summary(summary.clone()));
    // A trial fails only by a panic of nncheck itself: then its line is missing, and the run must not hold.
    if summary.held() && !conclusion.has_failed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(windows)]
const NULL_DEVICE: &str = "NUL";
#[cfg(not(windows))]
const NULL_DEVICE: &str = "/dev/null";

fn run_started(suite: &Suite, options: &HarnessOptions, properties: usize) -> RunStarted {
    let mut devices: Vec<String> = suite.specs.iter().map(|s| s.subject.device.to_string()).collect();
    devices.sort();
    devices.dedup();
    RunStarted {
        package: options.package.clone(),
        nncheck: env!("CARGO_PKG_VERSION").to_owned(),
        tch: options.tch.clone(),
        libtorch: options.libtorch.clone(),
        device: devices.join(", "),
        properties,
    }
}

/// Writes events; properties in their own order, each as soon as all before it are settled.
struct Desk {
    next: usize,
    early: BTreeMap<usize, Event>,
    summary: Summary,
    fail_fast: bool,
    stopped: bool,
}

impl Desk {
    fn new(fail_fast: bool) -> Self {
        Self { next: 0, early: BTreeMap::new(), summary: Summary::default(), fail_fast, stopped: false }
    }

    /// What became of the property at a place.
    fn settled(&mut self, position: usize, event: Event) {
        self.summary.ignored += usize::from(matches!(event, Event::Ignored(_)));
        self.early.insert(position, event);
        while let Some(event) = self.early.remove(&self.next) {
            self.next += 1;
            if self.stopped {
                continue;
            }
            if let Event::Property(event) = &event {
                self.summary.record(event);
                self.stopped = self.fail_fast && event.fails_the_run();
            }
            self.write(&event);
        }
    }

    fn write(&mut self, event: &Event) {
        let Ok(line) = serde_json::to_string(event) else { return };
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
            // The command is gone: there is nobody to work for.
            std::process::exit(1);
        }
    }
}
